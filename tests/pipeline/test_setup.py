"""`.ci/setup` on computers that lack something: what is missing is named in one line, and what can work works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.clones import ROOT, clone

PYTHON = Path(sys.executable).resolve()
ENDED = 2


def setup(
    folder: Path, path: str, lock: str = "pipeline", **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run the set-up script of this repository, in a folder, with nothing else on PATH."""
    if not (folder / ".ci").exists():
        shutil.copytree(ROOT / ".ci", folder / ".ci")
        shutil.copytree(ROOT / "requirements", folder / "requirements")
    env = {"PATH": path, "HOME": os.environ["HOME"], **changes}
    words = [".ci/setup", lock]
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


def program(folder: Path, name: str, script: str) -> None:
    """A program of that name."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder that is all of PATH: a shell, git and this Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("bash", "dirname", "sed", "git"):
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    program(folder, "python3", f'exec "{PYTHON}" "$@"')
    return folder


def refusal(folder: Path, tools: Path) -> str:
    """The one line with which set-up ends."""
    done = setup(folder, str(tools))
    assert done.returncode == ENDED, done.stderr
    assert done.stderr.count("\n") == 1 and done.stdout == "", done.stderr
    assert not (folder / ".venv").exists()
    return done.stderr


def test_missing_git_is_named(tmp_path: Path, tools: Path) -> None:
    (tools / "git").unlink()
    assert refusal(tmp_path, tools) == "Please install first: git.\n"


def test_missing_python_is_named(tmp_path: Path, tools: Path) -> None:
    (tools / "python3").unlink()
    said = refusal(tmp_path, tools)
    assert said.startswith("Please install first: Python 3.11, 3.12 or 3.13 with its venv module"), said


def test_all_that_is_missing_is_named_at_once(tmp_path: Path, tools: Path) -> None:
    (tools / "python3").unlink()
    (tools / "git").unlink()
    assert refusal(tmp_path, tools).startswith("Please install first: git; Python 3.11")


def test_a_name_that_does_not_run_is_no_python(tmp_path: Path, tools: Path) -> None:
    program(tools, "python3", "exit 127")
    program(tools, "python3.13", "exit 127")
    assert "Python 3.11, 3.12 or 3.13" in refusal(tmp_path, tools)


def test_a_python_that_is_too_old_or_too_new_does_not_do(tmp_path: Path, tools: Path) -> None:
    for version in ("(3, 10, 9)", "(3, 14, 0)"):
        # The real interpreter, which is told another version.
        told = tmp_path / "told"
        told.mkdir(exist_ok=True)
        (told / "sitecustomize.py").write_text(
            f"import sys\nsys.version_info = {version}\n", encoding="utf-8"
        )
        program(tools, "python3", f'PYTHONPATH="{told}" exec "{PYTHON}" "$@"')
        assert "Python 3.11, 3.12 or 3.13" in refusal(tmp_path, tools)


def test_tfx_asks_for_the_python_that_it_has_wheels_for(tmp_path: Path, tools: Path) -> None:
    (tmp_path / "told").mkdir()
    told = "import sys\nsys.version_info = (3, 12, 0)\n"
    (tmp_path / "told/sitecustomize.py").write_text(told, encoding="utf-8")
    program(tools, "python3", f'PYTHONPATH="{tmp_path / "told"}" exec "{PYTHON}" "$@"')
    done = setup(tmp_path, str(tools), "tfx")
    wanted = "Please install first: Python 3.11 with its venv module (Debian and Ubuntu: python3-venv).\n"
    assert (done.returncode, done.stderr) == (ENDED, wanted)


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_does_not_do(module: str, tmp_path: Path, tools: Path) -> None:
    less = tmp_path / "less"
    less.mkdir()
    (less / f"{module}.py").write_text("raise ImportError\n", encoding="utf-8")
    program(tools, "python3", f'PYTHONPATH="{less}" exec "{PYTHON}" "$@"')
    assert "python3-venv" in refusal(tmp_path, tools)


@pytest.mark.slow
def test_without_uv_pip_sets_up(tmp_path: Path, tools: Path) -> None:
    folder = clone(tmp_path / "project")
    limits = tmp_path / "limits.txt"
    limits.write_text("uv<0\n", encoding="utf-8")  # no such version: uv cannot be had
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    done = setup(folder, f"{tools}:/usr/bin:/bin", **pip | {"PIP_CONSTRAINT": str(limits)})
    assert done.returncode == 0, done.stderr
    assert not (folder / ".venv/bin/uv").exists()
    # Importing this fails unless every locked package is there.
    check = [str(folder / ".venv/bin/python"), "-c", "import forestall.pipeline.interpreter"]
    assert subprocess.run(check, cwd=folder, capture_output=True, check=False).returncode == 0
