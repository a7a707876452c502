"""What Git has not, or not as it lies here, of what the pipeline reads and made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from forestall.pipeline.imports import is_code
from forestall.pipeline.missing import first_of
from forestall.pipeline.revisions import LOCK_FILE, git
from forestall.pipeline.stages import above
from forestall.pipeline.staleness import Facts, Kind, Pipeline, Reason

DRIVER = "merge.binary.driver"  # which .ci/merge registers
IN_CONFLICT = ("UU", "AA")  # of `git status`; others have no two versions to merge
COMPILED = ("src/*.pyc", "src/*.so", "studies/*.pyc", "studies/*.so")
KEPT = ("metrics", LOCK_FILE, f"studies/{LOCK_FILE}", "studies/results", "studies/figures")


def of_git(root: Path, found: list[Pipeline], there: Facts) -> Iterator[Reason]:
    """Figures that are not committed, what a clone would not have, what nobody can read, how Git merges."""
    yield from _uncommitted(root)
    yield from _ignored(root, found)
    others = _others(root, found)
    yield from _only_here(root, found, there, others)
    yield from _unread(root, others)
    yield from _merging(root)


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
        text = f"{first_of(other)}: not in Git as here: `git add` with what it was made of"
        yield Reason(Kind.UNCOMMITTED, "", text)


def _only_here(root: Path, found: list[Pipeline], there: Facts, others: list[str]) -> Iterator[Reason]:
    """What stages read that a clone would not have: `git commit --all` leaves out new files without a word."""
    needed = _needed(found, there)
    if others:  # one of which may make them
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


def _unread(root: Path, others: list[str]) -> Iterator[Reason]:
    """Other pipelines, of which `dvc repro` runs what the main one waits for; code that nobody can read."""
    for file in others:
        yield Reason(Kind.NOTE, "", f"{file} is not read here: `dvc status {file}` says whether it is behind")
    for file in filter(None, git(root, "ls-files", "-z", "--", *COMPILED).stdout.split("\0")):
        text = f"{file} is in Git, and Python may run it for the source: `git rm {file}`"
        yield Reason(Kind.IMPORTS, "", text)


def _others(root: Path, found: list[Pipeline]) -> list[str]:
    """Every other dvc.yaml in Git."""
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
