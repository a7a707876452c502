"""Stages in folders that hold what they declare and nothing else, traced."""

from __future__ import annotations

import atexit
import functools
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from forestall.pipeline.imports import MAIN
from forestall.pipeline.revisions import Workspace, yaml_of
from forestall.pipeline.stages import PARAMS, Stage, read_stages
from tests.pipeline.clones import environment
from tests.pipeline.traces import CALLS, STRACE, Deed, deeds


@dataclass(frozen=True)
class Place:
    """Where one stage runs: its folder, a home, a temporary folder, which is empty before, and files of settings."""

    folder: Path
    home: Path
    temporary: Path
    settings: tuple[str, ...]

    @property
    def variables(self) -> dict[str, str]:
        """All that a stage there has of an environment."""
        return {
            "PATH": environment()["PATH"],
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
        }


@dataclass(frozen=True)
class Ran:
    """A traced run: exit code, what it printed, and what it did."""

    code: int
    said: str
    deeds: list[Deed]


def stages_of(project: Path) -> dict[str, Stage]:
    """The stages of the project's dvc.yaml, in its order, in which each comes after those that it needs."""
    return read_stages(MAIN, lambda path: yaml_of(Workspace(project), path))


def isolated(stage: Stage, project: Path, scratch: Path) -> Place:
    """A place with copies of the stage's deps and of settings, and the folders of its outs.

    A stage checks its files of settings as wholes, params.yaml in any case, and is handed the sections that it
    declares; what dvc.yaml says that it is made of, it watches for edits (`pipeline/steady.py`).
    """
    settings = tuple({PARAMS: None, MAIN: None} | dict.fromkeys(stage.params))
    place = Place(scratch / "project", scratch / "home", scratch / "temporary", settings)
    for folder in (place.folder, place.temporary):
        folder.mkdir(parents=True)
    shutil.copytree(home(), place.home)
    for path in (*stage.deps, *settings):
        copy(project / path, place.folder / path)
    for path in stage.outs:
        (place.folder / path).parent.mkdir(parents=True, exist_ok=True)
    return place


@functools.cache
def home() -> Path:
    """A home in which matplotlib has been once: it starts fc-list then, and lists the computer's fonts."""
    folder = Path(tempfile.mkdtemp(prefix="home-"))
    atexit.register(shutil.rmtree, folder)
    words = [sys.executable, "-c", "import matplotlib.font_manager"]
    subprocess.run(words, env={"HOME": str(folder)}, capture_output=True, check=True)
    return folder


def copy(source: Path, target: Path) -> None:
    """A file or a folder, by itself."""
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


def traced(stage: Stage, place: Place) -> Ran:
    """Run the stage's command there under strace."""
    trace = place.folder.with_name("trace")
    done = subprocess.run(
        [*STRACE, "-e", f"trace={CALLS}", "-o", str(trace), *shlex.split(stage.cmd)],
        cwd=place.folder,
        env=place.variables | {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert trace.is_file() and trace.stat().st_size, f"strace cannot trace here: {done.stdout}"
    with trace.open(encoding="ascii") as lines:
        _, *rest = deeds(lines, place.folder)  # the first is the command's own start
    return Ran(done.returncode, done.stdout, rest)
