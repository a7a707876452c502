"""Every Python that Forestall supports makes the same bytes, set up by the project's own script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.clones import STAGES, clone, command, lock, repro
from tests.pipeline.repository import first_run

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
OTHERS = [f"3.{minor}" for minor in (11, 12, 13) if minor != sys.version_info.minor]


def find(version: str) -> Path | None:
    """A Python of that version which can make environments: on PATH, or one of pyenv's."""
    name = f"python{version}"
    found = [Path(path) for path in [shutil.which(name)] if path]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found += sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"))
    return next(filter(None, map(real, found)), None)


def real(python: Path) -> Path | None:
    """The program behind a name, which may be a shim; None if it does not run or can make no environment."""
    words = [str(python), "-c", "import ensurepip, sys; print(sys.executable)"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The lock, with the hashes of all outputs, that this Python makes."""
    return lock(first_run(tmp_path_factory.mktemp("here")))


@pytest.mark.parametrize("version", OTHERS)
def test_the_same_bytes(version: str, expected: str, tmp_path: Path) -> None:
    python = find(version)
    if python is None:
        pytest.skip(f"no Python {version} with ensurepip on this computer")
    first = tmp_path / "first"
    first.mkdir()
    (first / "python3").symlink_to(python)
    folder = clone(tmp_path / "project")
    path = f"{folder}/.venv/bin{os.pathsep}{first}{os.pathsep}{os.environ['PATH']}"
    done = command(folder, ".ci/setup", "pipeline", PATH=path)
    assert done.returncode == 0 and f"Ready: Python {version}." in done.stdout, done.stdout
    assert len(repro(folder, PATH=path)) == len(STAGES)
    assert lock(folder) == expected
