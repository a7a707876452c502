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
from forestall.pipeline.staleness import Kind, Pipeline, Reason, reasons
from forestall.pipeline.workspace_hashes import hashes

DRIVER = "merge.binary.driver"  # which .ci/merge registers
IN_CONFLICT = ("UU", "AA")  # of `git status`; others have no two versions to merge
COMPILED = ("src/*.pyc", "src/*.so", "studies/*.pyc", "studies/*.so")
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
    every = {each.file: [*_imports(each, root, known), *reasons(each, there)] for each in found}
    in_git = (*_uncommitted(root), *_ignored(root, found), *_unread(root, found), *_merging(root))
    every[MAIN] = [*_environment(), *_settings(root), *every[MAIN], *in_git]
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


def _settings(root: Path) -> Iterator[Reason]:
    try:
        read_params(root / PARAMS)
    except SettingsError as error:
        for line in str(error).splitlines():
            yield Reason(Kind.SETTINGS, "", line.replace(f"{root}/", ""))


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
    for entry in entries:
        path = entry[3:].removeprefix(below)
        if entry[:2] in IN_CONFLICT:
            again = f"`make setup` and `git checkout --merge {path}` merge it again, `git add` takes it"
            yield Reason(Kind.UNCOMMITTED, "", f"{path} is in conflict: {again}")
        elif entry[1:2].strip():
            text = f"{path} is not in Git as it is here: `git add` it with what it was made of"
            yield Reason(Kind.UNCOMMITTED, "", text)


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
    words = ("ls-files", "-z", "--", ":(glob)**/dvc.yaml", *COMPILED)
    listed = {*git(root, *words).stdout.split("\0")} - {"", *(one.file for one in found)}
    for file in sorted(listed):
        if file.endswith(".yaml"):
            yield Reason(
                Kind.NOTE, "", f"{file} is not read here: `dvc status {file}` says whether it is behind"
            )
        else:
            text = f"{file} is in Git, and Python may run it for the source: `git rm {file}`"
            yield Reason(Kind.IMPORTS, "", text)


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
