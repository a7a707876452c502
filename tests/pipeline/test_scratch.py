"""The temporary place in which states of a repository are run, with the real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from forestall.pipeline.revisions import Workspace
from forestall.pipeline.scratch import scratch
from tests.pipeline.repository import commit, git


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
