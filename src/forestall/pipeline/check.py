"""`forestall check`: whether dvc.lock tells the truth about the files, asked of files alone."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from forestall.errors import ForestallError, SettingsError
from forestall.pipeline.imports import MAIN, Known, code_deps, is_code, pipelines_in
from forestall.pipeline.params import PARAMS, read_params
from forestall.pipeline.pipelines import facts, paths_of, pipeline
from forestall.pipeline.revisions import LOCK_FILE, Workspace, git
from forestall.pipeline.staleness import Kind, Pipeline, Reason, reasons
from forestall.pipeline.workspace_hashes import hashes

DRIVER = "merge.binary.driver"  # which .ci/merge registers
IN_CONFLICT = ("UU", "AA")  # of `git status`; others have no two versions to merge
KEPT = ("metrics", LOCK_FILE, f"studies/{LOCK_FILE}", "studies/results", "studies/figures")


def check(root: Path) -> dict[str, list[Reason]]:
    """Every reason by the pipeline that it is of; what is of none stands with the main one.

    Raises:
        ForestallError: a file that DVC needs is torn, or asks for what this does not read.
    """
    one = Workspace(root)
    found = [pipeline(one, file) for file in pipelines_in(root)]
    there = facts(one, found, hashes(root, paths_of(found)))
    known: Known = {}
    every = {each.file: [*_imports(each, root, known), *reasons(each, there)] for each in found}
    every[MAIN] = [*_environment(), *_settings(root), *every[MAIN], *_uncommitted(root), *_merging(root)]
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
            wanted = set(code_deps({"cmd": stage.cmd}, root, known))
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
    for entry in git(root, *words, variables=_index(root)).stdout.split("\0"):
        if entry[:2] in IN_CONFLICT:
            again = f"`make setup` and `git checkout --merge {entry[3:]}` merge it again, `git add` takes it"
            yield Reason(Kind.UNCOMMITTED, "", f"{entry[3:]} is in conflict: {again}")
        elif entry[1:2].strip():
            text = f"{entry[3:]} is not in Git as it is here: `git add` it with what it was made of"
            yield Reason(Kind.UNCOMMITTED, "", text)


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
