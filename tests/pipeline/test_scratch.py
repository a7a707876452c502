"""Temporary places end with the process, and a process that was told to outlive its terminal does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.repository import commit, git

PROGRAM = """
import os, signal, sys
from pathlib import Path
from forestall.pipeline.scratch import scratch
with scratch(Path.cwd()) as place:
    os.kill(os.getpid(), signal.SIGHUP)
    print("lives", flush=True)
"""


@pytest.mark.parametrize(("prefix", "said"), [((), ""), (("nohup",), "lives\n")])
def test_a_closed_terminal_ends_it_unless_it_was_told_otherwise(
    prefix: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    folder, temporary = tmp_path / "project", tmp_path / "temporary"
    for one in (folder / ".dvc", temporary):
        one.mkdir(parents=True)
    (folder / "params.yaml").touch()
    git(folder, "init", "-q")
    commit(folder)
    done = subprocess.run(
        [*prefix, "env", f"TMPDIR={temporary}", sys.executable, "-c", PROGRAM],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode == 0) == (said, bool(said)), done.stderr
    assert list(temporary.iterdir()) == []
