"""Long commands that end with this process, and what they said."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STARTED = re.compile(r"^Running stage '(.+)':$", re.MULTILINE)
PATIENCE = 5.0  # seconds that a group of processes gets to be gone
# With which Git tells a hook, `rebase --exec` or an alias where its repository is: in another folder, they lead back.
GIT_VARIABLES = (
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)
# A caller's own repository or Python must not be taken for those of a temporary folder, nor settings of Python that
# decide which code is run: with PYTHONSAFEPATH a stage would import the library that is installed.
UNSET = ("VIRTUAL_ENV", *GIT_VARIABLES)
PYTHON = "PYTHON"  # how each of those begins


class FailedError(Exception):
    """A command failed. said: all that it printed."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said

    @property
    def last(self) -> str:
        """The last line it printed."""
        lines = self.said.strip().splitlines()
        return lines[-1].strip() if lines else "it said nothing"


def run(words: Sequence[str], folder: Path, programs: Path, temporary: Path, check: bool = True) -> str:
    """Run a command there and return what it prints; it and all it started are gone when this ends.

    Args:
        programs: first on PATH. temporary: where it may leave files.

    Raises:
        FailedError: it could not be started, or failed and `check` is set.
    """
    environment = {name: value for name, value in without(UNSET).items() if not name.startswith(PYTHON)} | {
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "DVC_SITE_CACHE_DIR": str(temporary / "site"),
        "DVC_NO_ANALYTICS": "1",
        "TMPDIR": str(temporary),
    }
    try:
        with _group(words, folder, environment) as started:
            said, _ = started.communicate()
    except OSError as error:  # no such program, or one that may not be run
        raise FailedError(str(error)) from error
    if check and started.returncode:
        raise FailedError(said)
    return said


def without(names: Collection[str]) -> dict[str, str]:
    """The environment without some variables."""
    return {name: value for name, value in os.environ.items() if name not in names}


def stages(said: str) -> list[str]:
    """The stages that `dvc repro` ran, by what it printed."""
    return STARTED.findall(said)


def reason(said: str) -> str:
    """Why `dvc repro` failed: the words of the stage itself, else the last of its traceback, else DVC's."""
    ran = stages(said)
    last = STARTED.split(said)[-1] if ran else said
    lines = [line.rstrip() for line in last.splitlines() if line.strip() and not line.startswith("> ")]
    own = [line for line in lines if not line.startswith("ERROR: ")]
    if not ran or not own:
        errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
        return (errors or lines or ["dvc repro failed and said nothing"])[-1]
    begin = next((at for at, line in enumerate(own) if line.startswith(f"{ran[-1]}: ")), len(own) - 1)
    told = " ".join(line.strip() for line in own[begin:])
    return told if told.startswith(f"{ran[-1]}: ") else f"{ran[-1]}: {told}"


@contextmanager
def _group(
    words: Sequence[str], folder: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """A command in a group of processes of its own, ended as a whole: a stage must not outlive its folder."""
    started = subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        _end(started)


def _end(started: subprocess.Popen[str]) -> None:
    if started.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        until = time.monotonic() + PATIENCE
        with contextlib.suppress(ProcessLookupError):
            while time.monotonic() < until:
                os.killpg(started.pid, 0)
                time.sleep(0.05)
