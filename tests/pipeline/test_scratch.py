"""The temporary place in which states of a repository are run, with the real git."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from forestall.pipeline.revisions import Workspace
from forestall.pipeline.scratch import scratch
from tests.pipeline.repository import commit, git

PROGRAM = """
import os, signal, sys
from pathlib import Path
from forestall.pipeline.scratch import scratch
signal.signal(signal.SIGHUP, getattr(signal, sys.argv[1]))
with scratch(Path.cwd()) as place:
    os.kill(os.getpid(), signal.SIGHUP)
    print("lives", flush=True)
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with DVC's folder and a file in each of these."""
    for file in (".dvc/config", "src/stage.py", "studies/study.py", "docs/page.md"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text("committed\n", encoding="utf-8")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


@pytest.mark.parametrize("folder", ["src", "studies"])
def test_the_workspaces_tree_has_what_is_not_committed_of_all_that_stages_read(
    folder: str, repository: Path
) -> None:
    (name,) = (file.name for file in (repository / folder).iterdir())
    for file in (name, "new.py"):
        (repository / folder / file).write_text("edited\n", encoding="utf-8")
    with scratch(repository) as place:
        tree = place.tree(Workspace(repository))
        assert place.text(tree, f"{folder}/{name}") == place.text(tree, f"{folder}/new.py") == "edited\n"
        assert place.text(tree, "docs/page.md") == "committed\n"
    assert sorted(git(repository, "status", "--porcelain").splitlines()) == [
        f"?? {folder}/new.py",
        f"M {folder}/{name}",
    ]


@pytest.mark.parametrize(("begun_with", "said"), [("SIG_DFL", ""), ("SIG_IGN", "lives\n")])
def test_a_closed_terminal_ends_it_unless_nohup_began_it(begun_with: str, said: str, tmp_path: Path) -> None:
    folder, temporary = tmp_path / "project", tmp_path / "temporary"
    for one in (folder / ".dvc", temporary):
        one.mkdir(parents=True)
    (folder / "params.yaml").touch()
    git(folder, "init", "-q")
    commit(folder)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, begun_with],
        cwd=folder,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode == 0) == (said, bool(said)), done.stderr
    assert list(temporary.iterdir()) == []
