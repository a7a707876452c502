"""Which files of the library a stage runs, found in its imports, so that dvc.yaml can name them as deps."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from forestall.comparison.factors import ENVIRONMENT_LOCK
from forestall.errors import ForestallError

# The files that list stages. A folder that has no studies is a pipeline all the same.
MAIN, STUDIES = "dvc.yaml", "studies/dvc.yaml"
SCRIPT = re.compile(r"\bpython (\S+\.py)")
PACKAGE = "forestall"


# What each file of the code imports by itself, as far as it was asked: stages share most of it.
Known = dict[Path, set[Path]]


def stage_modules(script: Path, root: Path, known: Known | None = None) -> list[str]:
    """The files of the library, and beside a script, that the script imports, directly or not: sorted paths from root.

    Imports inside functions count, and so does the `__init__` of every package on the way, with the package's data
    (JSON). `known` is filled, and spares reading a file again.

    Raises:
        ForestallError: an import is relative, or of a module of the library that is not there.
    """
    known = {} if known is None else known
    found: set[Path] = set()
    queue = [script]
    while queue:
        file = queue.pop()
        if file not in known:
            library = root / "src" / PACKAGE
            beside = None if library in file.parents else file.parent  # first on a script's path
            imported: dict[str, int] = {}
            for name, line in _imported(file):
                imported[name] = imported.get(name) or line
            _check_present(file, imported, library.parent)
            known[file] = _files(set(imported), library.parent, beside)
        new = known[file] - found
        found |= new
        queue += new
    return sorted(file.relative_to(root).as_posix() for file in found)


def _imported(file: Path) -> Iterator[tuple[str, int]]:
    """Every dotted name that a file may import, and the line, or 0 if it need not be a module.

    `from a import b` gives both a, which is one, and a.b.
    """
    if file.suffix != ".py":
        return
    for node in ast.walk(ast.parse(file.read_bytes(), file.name)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ForestallError(f"{file}, line {node.lineno}: write the import in full.")
            yield from ((f"{node.module}.{alias.name}", 0) for alias in node.names)
            yield node.module, node.lineno
        elif isinstance(node, ast.Call) and node.args and _called(node) in ("import_module", "__import__"):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, 0


def _check_present(file: Path, imported: Mapping[str, int], source: Path) -> None:
    for name, line in imported.items():
        module = source.joinpath(*name.split("."))
        ours = name.partition(".")[0] == PACKAGE
        if line and ours and not (module.is_dir() or module.with_suffix(".py").is_file()):
            raise ForestallError(f"{file}, line {line}: imports {name}, which is not there.")


def _called(node: ast.Call) -> str:
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))


def _files(names: set[str], source: Path, beside: Path | None) -> set[Path]:
    """The modules' own files, and their packages' `__init__` files and data, where they exist."""
    places = [(source if name.partition(".")[0] == PACKAGE else beside, name.split(".")) for name in names]
    packages = {
        folder.joinpath(*parts[:depth])
        for folder, parts in places
        if folder is not None
        for depth in range(1, len(parts) + 1)
    }
    candidates = [package / "__init__.py" for package in packages]
    candidates += [package.with_suffix(".py") for package in packages]
    data = {file for package in packages if package.is_dir() for file in package.glob("*.json")}
    return {*filter(Path.is_file, candidates), *data}


def scripts_of(stage: Any) -> list[str]:
    """The scripts that a stage's commands run, as written there."""
    commands = stage.get("cmd", "")
    return SCRIPT.findall(commands if isinstance(commands, str) else "\n".join(commands))


def code_deps(stage: Any, root: Path, known: Known | None = None) -> list[str]:
    """The deps of a stage that are code, in the order in which dvc.yaml names them; `known` as above.

    What a command that is no Python runs is not looked into: its deps are those that it has.

    Raises:
        ForestallError: its command runs Python otherwise than by `python <script>.py`.
    """
    scripts = scripts_of(stage)
    if not scripts and "python" in str(stage.get("cmd")):
        raise ForestallError("its cmd does not say `python <script>.py`, so that its code is not known.")
    if not scripts:
        return [dep for dep in stage.get("deps") or [] if isinstance(dep, str) and is_code(dep)]
    modules = sorted({module for script in scripts for module in stage_modules(root / script, root, known)})
    return [*scripts, *modules, ENVIRONMENT_LOCK]


def is_code(dep: str) -> bool:
    """Whether a dep is code, or the lock, rather than data."""
    return (
        dep == ENVIRONMENT_LOCK
        or dep.startswith("src/")
        or (dep.startswith("studies/") and dep.endswith(".py"))
    )


def fixed(text: str, root: Path) -> str:
    """The text of a dvc.yaml with every stage's code deps set right, all else as it was.

    Only whole lines are exchanged, so comments, quotes and order stay.
    """
    lines = text.splitlines(keepends=True)
    stages = YAML().load(text)["stages"]
    wanted = {name: _wanted(name, stages[name], root) for name in stages}
    for name in sorted(stages, key=lambda stage: stages.lc.key(stage), reverse=True):
        _fix_stage(lines, name, stages[name], wanted[name])
    new = "".join(lines)
    _compare(text, new, wanted)
    return new


def _wanted(name: str, stage: Any, root: Path) -> list[str]:
    try:
        return code_deps(stage, root)
    except ForestallError as error:
        raise ForestallError(f"dvc.yaml: {name}: {str(error).replace(f'{root}/', '')}") from error


def _compare(old: str, new: str, wanted: Mapping[str, list[str]]) -> None:
    """Whether all but code deps is as it was, which it is not where an item has an anchor or more lines than one."""
    before = YAML(typ="safe").load(old)["stages"]
    try:
        after = YAML(typ="safe").load(new)["stages"]
    except YAMLError:
        after = {}
    for name, code in wanted.items():
        was, now = before[name], after.get(name, {})
        kept = [dep for dep in was.get("deps") or [] if not is_code(dep)]
        deps = now.get("deps") or []
        code_is, kept_is = [dep for dep in deps if is_code(dep)], [dep for dep in deps if not is_code(dep)]
        if (was | {"deps": 0}, code, kept) != (now | {"deps": 0}, code_is, kept_is):
            raise _no_list(name)


def _no_list(name: str) -> ForestallError:
    return ForestallError(f"dvc.yaml: give the stage {name} a list of deps, a line each, without anchors.")


def _fix_stage(lines: list[str], name: str, stage: object, wanted: list[str]) -> None:
    deps = stage.get("deps") if isinstance(stage, dict) else None
    if wanted == [dep for dep in deps or [] if isinstance(dep, str) and is_code(dep)]:
        return
    if not deps or deps.fa.flow_style():
        raise _no_list(name)
    indent, dash, _ = lines[deps.lc.item(0)[0]].partition("-")
    if not dash:
        raise _no_list(name)
    listed = [
        (deps.lc.item(number)[0], dep)
        for number, dep in enumerate(deps)
        if isinstance(dep, str) and is_code(dep)
    ]
    _exchange(lines, deps.lc.item(0)[0], listed, wanted, f"{indent}- ")


def _exchange(
    lines: list[str], first: int, listed: list[tuple[int, str]], wanted: list[str], bullet: str
) -> None:
    """Lines that stay are not touched, with the comments around them, unless their order is another one."""
    stay = [dep for _, dep in listed if dep in wanted]
    in_order = stay == [dep for dep in wanted if dep in stay]
    at = {dep: line for line, dep in listed}
    for line in at.values():
        lines[line] = lines[line].removesuffix("\n") + "\n"  # the file's last one may have no end
    written = {dep: lines[line] for dep, line in at.items()}
    gone = {line for line, dep in listed if not in_order or dep not in wanted}
    place, new = first - 1, dict[int, list[str]]()
    for dep in wanted:
        if in_order and dep in at:
            place = at[dep]
        else:
            new.setdefault(place, []).append(written.get(dep, f"{bullet}{dep}\n"))
    for line in sorted({*gone, *new}, reverse=True):
        lines[line + 1 : line + 1] = new.get(line, [])
        if line in gone:
            del lines[line]


def pipelines_in(root: Path) -> list[str]:
    """The files that list stages, the main one first."""
    return [MAIN, *([STUDIES] if (root / STUDIES).is_file() else [])]


def fix(root: Path) -> list[str]:
    """Write the code deps of the pipeline, and of the studies where they are; the files that were changed."""
    changed = []
    for name in pipelines_in(root):
        file = root / name
        old = file.read_text(encoding="utf-8")
        if (new := fixed(old, root)) != old:
            file.write_text(new, encoding="utf-8", newline="\n")
            changed.append(name)
    return changed
