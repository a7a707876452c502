"""`forestall check`: whether dvc.lock tells the truth about the files, asked of files alone."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from forestall.errors import ForestallError, SettingsError
from forestall.pipeline.committed import of_git
from forestall.pipeline.graph import check_graph
from forestall.pipeline.imports import MAIN, Known, code_deps, is_code, pipelines_in
from forestall.pipeline.params import PARAMS, read_params
from forestall.pipeline.pipelines import facts, paths_of, pipeline
from forestall.pipeline.revisions import Workspace
from forestall.pipeline.stage import read_dataset
from forestall.pipeline.staleness import Kind, Pipeline, Reason, reasons
from forestall.pipeline.workspace_hashes import hashes


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
    every[MAIN] = [*_environment(), *_settings(root), *every[MAIN], *of_git(root, found, there)]
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
    """What a stage would say of its settings."""
    try:
        read_dataset(read_params(root / PARAMS).data.dataset, root)
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
