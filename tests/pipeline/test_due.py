"""When it was trained last, whatever people do to commits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from forestall.pipeline.due import last_trained, trailers
from tests.pipeline.repository import git

EARLY, LATE, NOW = 1_724_000_000, 1_724_700_000, 1_724_799_600


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path)], check=True)
    for key in ("name", "email"):
        git(tmp_path, "config", f"user.{key}", "test")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    return tmp_path


def retrained(folder: Path, *notes: str) -> None:
    said = "\n".join(notes)
    git(folder, "commit", "-q", "--allow-empty", "-m", f"Retrain\n\n{said}")


def test_the_latest_of_any_branch_counts(repository: Path) -> None:
    assert last_trained(repository, NOW) == (None, "")
    git(repository, "checkout", "-q", "-b", "retrain/2024-07")
    retrained(repository, *trailers(LATE, "2024-07", ""))
    git(repository, "checkout", "-q", "main")
    retrained(repository, *trailers(EARLY, "2024-07", ""))
    assert last_trained(repository, NOW) == (LATE, "2024-07")


def test_a_squashed_one_counts(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "retrain/2024-07")
    (repository / "file").touch()
    git(repository, "add", "file")
    retrained(repository, *trailers(LATE, "2024-07", ""))
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--squash", "retrain/2024-07")
    git(repository, "commit", "-q", "--no-edit")
    git(repository, "branch", "-qD", "retrain/2024-07")
    assert last_trained(repository, NOW) == (LATE, "2024-07")


def test_what_is_no_time_or_is_yet_to_come_says_nothing(repository: Path) -> None:
    for notes in (
        trailers(NOW + 1, "2024-09", ""),
        [trailers(0, "2024-07", "")[0], "Service-time: yesterday"],
    ):
        retrained(repository, *notes)
    retrained(repository, trailers(0, "2024-07", "")[0], "Service-time: 2024-02-30T00:00:00Z")
    assert last_trained(repository, NOW) == (None, "")
