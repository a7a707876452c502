"""Commits and branches for tests, made by the real git; and what a comparison of them notes."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from forestall.comparison.report import Report
from tests.pipeline.clones import SHARED, STAGES, clone, command, repro, set_values

GIT = ("git", "-c", "user.name=test", "-c", "user.email=test@example.org")


def git(folder: Path, *words: str, text: str | None = None, **environment: str) -> str:
    done = subprocess.run(
        [*GIT, *words], cwd=folder, input=text, env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def first_run(folder: Path) -> Path:
    """A small project on `main` that has run, all of it committed."""

    def make(place: Path) -> None:
        clone(place)
        assert set(repro(place)) == STAGES
        commit(place, "first run")

    return made_once("first-run", make, folder)


def first_run_without_studies(folder: Path) -> Path:
    """The same without studies, which were of the default fleet: nothing is behind."""
    first_run(folder)
    shutil.rmtree(folder / "studies")
    commit(folder, "no studies")
    return folder


def made_once(name: str, make: Callable[[Path], object], folder: Path) -> Path:
    """A copy of what `make` makes in a folder: in a run of tests it is made once for all workers.

    Where tests share nothing, as in a benchmark, it is made in its place.
    """
    shared = os.environ.get(SHARED)
    if shared is None:
        make(folder)
        return folder
    whole = Path(shared) / name
    whole.mkdir(exist_ok=True)
    with (whole / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (whole / "made").exists():
            make(whole / "place")
            (whole / "made").touch()
    return Path(shutil.copytree(whole / "place", folder, symlinks=True, dirs_exist_ok=True))


def commit(folder: Path, message: str = "change") -> None:
    """All that lies in the working tree."""
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)


def own(folder: Path) -> None:
    """Make the tables those of a plant of its own, with all that was made of them as it is."""
    shutil.copytree(folder / "data/raw/simulated", folder / "data/raw/plant")
    shutil.copy(folder / "data/raw/simulated.yaml", folder / "data/raw/plant.yaml")
    assert dvc(folder, "add", "data/raw/plant") == 0
    set_values(folder, "params.yaml", {"data.dataset": "plant"})
    assert dvc(folder, "commit", "--force") == 0
    commit(folder, "own data")


def dvc(folder: Path, *words: str) -> int:
    return command(folder, "dvc", words[0], "--quiet", *words[1:]).returncode


def experiment(folder: Path, name: str) -> str:
    """The commit of a DVC experiment."""
    (found,) = git(folder, "for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{name}").split()
    return found


def notes_of(report: Report) -> list[str]:
    """Its notes, but for the one that the study of seeds was of a larger fleet."""
    other = "The spread over seeds was measured elsewhere"
    return [note for note in report.notes if not note.startswith(other)]


def branch(folder: Path, name: str, start: str, files: Mapping[str, str | None]) -> str:
    """A branch with a commit in which some files are others, or gone; the working tree stays as it is."""
    index = {"GIT_INDEX_FILE": str(folder / ".git" / "other-index")}
    git(folder, "read-tree", start, **index)
    for path, content in files.items():
        if content is None:
            git(folder, "update-index", "--force-remove", path, **index)
        else:
            blob = git(folder, "hash-object", "-w", "--stdin", text=content)
            git(folder, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", **index)
    tree = git(folder, "write-tree", **index)
    commit = git(folder, "commit-tree", tree, "-p", start, "-m", name)
    git(folder, "update-ref", f"refs/heads/{name}", commit)
    return name
