"""A stage started in the wrong environment ends with one sentence, on any Python."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forestall.pipeline import interpreter

ROOT = Path(__file__).parents[2]
HERE = tuple(sys.version_info[:3])


def other_pythons() -> list[str]:
    """Pythons of this computer that Forestall does not run on."""
    names = ("python3.6", "python3.8", "python3.9", "python3.10", "python3.14")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [path for name in names if (path := shutil.which(name))]
    found += [str(path) for name in names for path in sorted(pyenv.glob(f"versions/*/bin/{name}"))]
    return [path for path in found if subprocess.run([path, "-c", ""], capture_output=True).returncode == 0]


def lock(folder: Path, *lines: str) -> Path:
    """A requirements file."""
    file = folder / "pipeline.txt"
    file.write_text("".join(f"{line} \\\n    --hash=sha256:00\n" for line in lines), encoding="utf-8")
    return file


def test_other_pythons_are_refused_in_one_sentence() -> None:
    pythons = other_pythons()
    if not pythons:
        pytest.skip("no other Python on this computer")
    for python in pythons:
        command = [python, "-B", "src/simulate.py"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert result.returncode == 2, python
        assert result.stderr.startswith("Forestall needs Python 3.11 to 3.13 and this is 3."), result.stderr
        assert result.stderr.count("\n") == 1 and "make setup" in result.stderr


def test_this_environment_is_right() -> None:
    assert interpreter.problem(HERE, interpreter.LOCK) == ""


def test_missing_package_is_named(tmp_path: Path) -> None:
    message = interpreter.problem(HERE, lock(tmp_path, "no-such-package==1.0"))
    assert "no-such-package is not installed" in message and "make setup" in message


def test_other_version_is_named(tmp_path: Path) -> None:
    assert "instead of 0.0.1" in interpreter.problem(HERE, lock(tmp_path, "ruamel.yaml==0.0.1"))


def test_missing_lock_is_said(tmp_path: Path) -> None:
    assert "git checkout requirements/pipeline.txt" in interpreter.problem(HERE, tmp_path / "pipeline.txt")


def test_packages_for_other_systems_are_not_asked_for(tmp_path: Path) -> None:
    file = lock(
        tmp_path,
        "a==1 ; python_full_version >= '3.14'",
        "b==1 ; sys_platform == 'emscripten' or sys_platform == 'plan9'",
        "c==1 ; sys_platform != 'plan9' and python_version >= '3.9'",
        "d==1 ; unheard_of == '1'",
    )
    assert interpreter.pins(file) == [("c", "1")]


def test_the_check_is_quick() -> None:
    start = time.perf_counter()
    interpreter.problem(HERE, interpreter.LOCK)
    assert time.perf_counter() - start < 0.15
