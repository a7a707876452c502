"""The branch of a retrain: what may be in its way, and that nothing of people's is moved."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forestall.errors import ForestallError
from forestall.pipeline.due import trailers
from forestall.pipeline.params import read_params
from forestall.pipeline.retrain import _check_room, _given, _named
from forestall.pipeline.revisions import Commit, RevisionError
from forestall.pipeline.scratch import Scratch
from tests.pipeline.clones import ROOT
from tests.pipeline.repository import git

BRANCH = "retrain/2024-07"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The user's repository, with the branch of an earlier retrain."""
    folder = repository(tmp_path / "root")
    _given(folder, *candidate(tmp_path / "earlier", "old"), BRANCH)
    return folder


def repository(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for key in ("name", "email"):
        git(folder, "config", f"user.{key}", "test")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def candidate(folder: Path, model: str) -> tuple[Path, Commit]:
    """Where it was made, and its last commit."""
    repository(folder)
    (folder / "model").write_text(model, encoding="utf-8")
    git(folder, "add", "model")
    for said in ("Retrain", "Passes the gate"):
        git(
            folder,
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "\n\n".join([said, "\n".join(trailers(0, "2024-07", ""))]),
        )
    return folder, Commit(folder, "the candidate", git(folder, "rev-parse", "HEAD"))


def test_another_outcome_takes_the_place_of_an_earlier_one(root: Path, tmp_path: Path) -> None:
    folder, final = candidate(tmp_path / "later", "new")
    assert _given(root, folder, final, BRANCH) == BRANCH
    assert git(root, "rev-parse", BRANCH) == final.commit


def test_a_branch_that_is_checked_out_is_left_as_it_is(root: Path, tmp_path: Path) -> None:
    git(root, "worktree", "add", "-q", str(tmp_path / "beside"), BRANCH)
    held = git(root, "rev-parse", BRANCH)
    with pytest.raises(RevisionError, match="is checked out, and would be another one"):
        _given(root, *candidate(tmp_path / "later", "new"), BRANCH)
    assert git(root, "rev-parse", BRANCH) == held


def test_a_branch_in_the_way_is_said_at_once(root: Path) -> None:
    _check_room(root)
    git(root, "branch", "-qD", BRANCH)
    git(root, "branch", "retrain")
    with pytest.raises(RevisionError, match="git branch -m retrain"):
        _check_room(root)


def test_an_error_names_files_as_the_repository_does(tmp_path: Path) -> None:
    """Such as that of a commit from before params.yaml had the policy."""
    place = Scratch(tmp_path, tmp_path / "scratch")
    folder = place.folder / "retrain"
    folder.mkdir(parents=True)
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(re.sub(r"(?ms)^retraining:.*", "", text), encoding="utf-8")
    with pytest.raises(ForestallError, match=r"^params\.yaml: retraining: missing; add it\.$"), _named(place):
        read_params(folder / "params.yaml")
