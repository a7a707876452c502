"""`forestall check`: whether dvc.lock tells the truth about the files, asked of files alone."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from forestall.errors import ForestallError, SettingsError
from forestall.pipeline.graph import check_graph
from forestall.pipeline.imports import MAIN, Known, code_deps, is_code, pipelines_in
from forestall.pipeline.params import PARAMS, read_params
from forestall.pipeline.pipelines import facts, paths_of, pipeline
from forestall.pipeline.revisions import LOCK_FILE, Workspace, git
from forestall.pipeline.stages import above
from forestall.pipeline.staleness import Facts, Kind, Pipeline, Reason, reasons
from forestall.pipeline.workspace_hashes import hashes

DRIVER = "merge.binary.driver"  # which .ci/merge registers
IN_CONFLICT = ("UU", "AA")  # of `git status`; others have no two versions to merge
COMPILED = ("src/*.pyc", "src/*.so", "studies/*.pyc", "studies/*.so")
DATASETS = "data/raw/"
SHOWN = 5  # of files that one line names
KEPT = ("metrics", LOCK_FILE, f"studies/{LOCK_FILE}", "studies/results", "studies/figures")


def check(root: Path) -> dict[str, list[Reason]]:
    """Every reason by the pipeline that it is of; what is of none stands with the main one.

    Raises:
        ForestallError: a file that DVC needs is torn, asks for what this does not read, or DVC refuses it.
    """
    one = Workspace(root)
    found = [pipeline(one, file) for file in pipelines_in(root)]
    check_graph(found)
    there = facts(one, found, hashes(root, paths_of(found)))
    known: Known = {}
    every = {each.file: _once([*_imports(each, root, known)], reasons(each, there)) for each in found}
    figures = (*_uncommitted(root), *_ignored(root, found))
    in_git = (*figures, *_only_here(root, found, there), *_unread(root, found), *_merging(root))
    edited = any(one.text.startswith(DATASETS) for one in every[MAIN])
    every[MAIN] = [*_environment(), *_settings(root, edited), *every[MAIN], *in_git]
    return every


def lines(every: dict[str, list[Reason]], studies: bool) -> tuple[list[str], bool]:
    """What to print, and whether all is well.

    Args:
        studies: whether theirs count, and are told one by one. Code moves on before studies follow, which take long.
    """
    told: list[str] = []
    well = True
    for file, found in every.items():
        counted = [one for one in found if one.kind is not Kind.NOTE]
        if file == MAIN or studies:
            told += _grouped(found, "" if file == MAIN else f"{file}: ")
            well = well and not counted
        elif counted:
            behind = ", ".join(dict.fromkeys(one.stage for one in counted))
            told.append(f"note: {file}: behind: {behind}; `--studies` says why")
    return told, well


def _grouped(found: list[Reason], place: str) -> Iterator[str]:
    """A line for each reason, once for all stages that share it."""
    stages: dict[tuple[Kind, str], list[str]] = {}
    for one in found:
        stages.setdefault((one.kind, one.text), []).append(one.stage)
    for (kind, text), names in stages.items():
        about = f"{', '.join(names)}: " if all(names) else ""
        yield f"{kind}: {place}{about}{text}"


def _environment() -> Iterator[Reason]:
    """What a stage would say of this Python before it ends; the module that knows ends this process, too."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            import forestall.pipeline.interpreter  # noqa: F401
    except SystemExit:
        sys.modules.pop("forestall.pipeline.interpreter", None)
        yield Reason(Kind.ENVIRONMENT, "", said.getvalue().strip())


def _settings(root: Path, edited: bool) -> Iterator[Reason]:
    """What a stage would say of its settings; of the dataset file only if it was edited, as this takes a while."""
    try:
        params = read_params(root / PARAMS)
        if edited:
            from forestall.pipeline.stage import read_dataset  # it loads pandas

            read_dataset(params.data.dataset, root)
    except SettingsError as error:
        for line in str(error).splitlines():
            yield Reason(Kind.SETTINGS, "", line.replace(f"{root}/", ""))


def _once(imports: list[Reason], others: Iterator[Reason]) -> list[Reason]:
    """Both, without entries for a dep that `--fix` gives back: what has them run again is not needed then."""
    back = {(one.stage, one.text.partition(" is imported")[0]) for one in imports}
    return imports + [
        one
        for one in others
        if one.kind is not Kind.WRONG or (one.stage, one.text.partition(" is in dvc.lock")[0]) not in back
    ]


def _imports(one: Pipeline, root: Path, known: Known) -> Iterator[Reason]:
    """Code that a stage imports and dvc.yaml does not name, or the other way round."""
    for stage in one.stages.values():
        try:
            wanted = set(code_deps({"cmd": stage.cmd, "deps": stage.deps}, root, known))
        except SyntaxError as error:
            where = f"{Path(error.filename or '').name}, line {error.lineno}"
            yield Reason(Kind.IMPORTS, stage.name, f"{where}: is not Python: {error.msg}")
        except FileNotFoundError as error:
            text = f"{Path(error.filename).relative_to(root)} is run by its cmd, and is missing"
            yield Reason(Kind.IMPORTS, stage.name, text)
        except ForestallError as error:
            yield Reason(Kind.IMPORTS, stage.name, str(error).replace(f"{root}/", ""))
        else:
            yield from _differing(stage.name, wanted, {dep for dep in stage.deps if is_code(dep)})


def _differing(name: str, wanted: set[str], listed: set[str]) -> Iterator[Reason]:
    for path in sorted(wanted - listed):
        text = f"{path} is imported and no dep in dvc.yaml: run `forestall check --fix`"
        yield Reason(Kind.IMPORTS, name, text)
    for path in sorted(listed - wanted):
        yield Reason(Kind.IMPORTS, name, f"{path} is a dep and never imported: run `forestall check --fix`")


def _uncommitted(root: Path) -> Iterator[Reason]:
    """What was made and is not even staged; a commit must be what the pipeline makes of it."""
    words = ("status", "--porcelain", "--no-renames", "--untracked-files=all", "-z", "--", *KEPT)
    entries = git(root, *words, variables=_index(root)).stdout.split("\0")
    below = git(root, "rev-parse", "--show-prefix").stdout.rstrip("\n") if any(entries) else ""
    other = []
    for entry in entries:
        path = entry[3:].removeprefix(below)
        if entry[:2] in IN_CONFLICT:
            again = f"`make setup` and `git checkout --merge {path}` merge it again, `git add` takes it"
            yield Reason(Kind.UNCOMMITTED, "", f"{path} is in conflict: {again}")
        elif entry[1:2].strip():
            other.append(path)
    if other:
        more = f" and {len(other) - SHOWN} more" if len(other) > SHOWN else ""
        are, they, them = ("is", "it", "it") if len(other) == 1 else ("are", "they", "them")
        text = f"{', '.join(other[:SHOWN])}{more} {are} not in Git as {they} {are} here"
        advice = f"`git add` {them} with what {they} {'was' if are == 'is' else 'were'} made of"
        yield Reason(Kind.UNCOMMITTED, "", f"{text}: {advice}")


def _only_here(root: Path, found: list[Pipeline], there: Facts) -> Iterator[Reason]:
    """What stages read that a clone would not have: `git commit --all` leaves out new files without a word."""
    needed = _needed(found, there)
    if _others(root, found):  # one of which may make them
        needed = {file: adds for file, adds in needed.items() if adds == "git"}
    words = ("--literal-pathspecs", "ls-files", "-z", "--", *sorted(needed))
    listed = git(root, *words, variables=_index(root)).stdout.split("\0") if needed else []
    known = {folder for path in listed for folder in (path, *above(path))}
    for file in sorted(path for path in needed.keys() - known if (root / path).exists()):
        where = "not in Git" if needed[file] == "git" else "neither in Git nor in a .dvc file"
        advice = f"so that a clone would not have it: `{needed[file]} add` it"
        yield Reason(Kind.UNCOMMITTED, "", f"{file} is read by a stage and {where}, {advice}")


def _needed(found: list[Pipeline], there: Facts) -> dict[str, str]:
    """What no stage makes and one reads, or the .dvc file that names it, and which program should have it."""
    stages = [stage for one in found for stage in one.stages.values()]
    outs = {path for stage in stages for path in stage.outs}
    needed = {file: "git" for stage in stages for file in stage.params}
    for path in {path for stage in stages for path in stage.deps}:
        around = (path, *above(path))
        pointer = next((f"{one}.dvc" for one in around if one in there.pointers), None)
        if not outs.intersection(around):
            needed[pointer or path] = "git" if pointer or is_code(path) else "dvc"
    return needed


def _ignored(root: Path, found: list[Pipeline]) -> Iterator[Reason]:
    """Figures of which Git's status says nothing, as where somebody's own settings leave out all `*.csv`."""
    outs = {
        path: cached for one in found for stage in one.stages.values() for path, cached in stage.outs.items()
    }
    kept = [path for path, cached in outs.items() if not cached and (root / path).exists()]
    words = ("-c", "core.quotePath=off", "check-ignore", "--", *kept)
    ignored = git(root, *words, check=False, variables=_index(root)).stdout.splitlines() if kept else []
    for path in ignored:
        text = f"{path} is not in Git, which ignores it: `git add --force {path}`, or let Git have it"
        yield Reason(Kind.UNCOMMITTED, "", text)


def _unread(root: Path, found: list[Pipeline]) -> Iterator[Reason]:
    """Other pipelines, of which `dvc repro` runs what the main one waits for; code that nobody can read."""
    for file in _others(root, found):
        yield Reason(Kind.NOTE, "", f"{file} is not read here: `dvc status {file}` says whether it is behind")
    for file in filter(None, git(root, "ls-files", "-z", "--", *COMPILED).stdout.split("\0")):
        text = f"{file} is in Git, and Python may run it for the source: `git rm {file}`"
        yield Reason(Kind.IMPORTS, "", text)


def _others(root: Path, found: list[Pipeline]) -> list[str]:
    listed = git(root, "ls-files", "-z", "--", ":(glob)**/dvc.yaml").stdout.split("\0")
    return sorted({*listed} - {"", *(one.file for one in found)})


def _merging(root: Path) -> Iterator[Reason]:
    """A clone in which Git does not know how two branches' dvc.lock are merged; no reason to doubt this one."""
    if git(root, "config", "--get", DRIVER, check=False).returncode:
        text = "Git was not told how to merge dvc.lock, and would leave it in conflict: `make setup`"
        yield Reason(Kind.NOTE, "", text)


def _index(root: Path) -> dict[str, str]:
    """The index of `git commit -a`, which Git tells a hook; another repository's is left alone."""
    index = os.environ.get("GIT_INDEX_FILE")
    if index is None:
        return {}
    folder = Path(git(root, "rev-parse", "--absolute-git-dir").stdout.strip())
    place = Path.cwd() / index
    return {"GIT_INDEX_FILE": str(place)} if place.resolve().is_relative_to(folder.resolve()) else {}
