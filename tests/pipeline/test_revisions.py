"""Reading a revision's files: dvc.lock cut off at any place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from forestall.comparison.changes import output_hash, stage_changes
from forestall.pipeline.resolve import revision
from forestall.pipeline.revisions import RevisionError, Workspace, lock, yaml_of

ROOT = Path(__file__).parents[2]


def test_a_lock_cut_off_anywhere_is_read_or_refused_in_one_sentence(tmp_path: Path) -> None:
    whole = subprocess.check_output(["git", "show", "HEAD:dvc.lock"], cwd=ROOT, text=True)
    short = "\n".join(line for line in whole.splitlines() if "/forestall/" not in line)[:6000]
    place = Workspace(tmp_path)
    (tmp_path / "dvc.lock").write_text(whole, encoding="utf-8")
    full, refused = lock(place), 0
    for end in range(0, len(short), 7):
        (tmp_path / "dvc.lock").write_text(short[:end], encoding="utf-8")
        try:
            found = lock(place)
        except RevisionError as error:
            assert str(error).startswith("dvc.lock")
            refused += 1
        else:
            stage_changes(found, full)
            output_hash(found, "models/bundle")
    assert refused


def test_no_lock_has_no_stages_and_an_empty_one_is_torn(tmp_path: Path) -> None:
    assert lock(Workspace(tmp_path)) == {}
    (tmp_path / "dvc.lock").write_text("", encoding="utf-8")
    with pytest.raises(RevisionError, match="torn"):
        lock(Workspace(tmp_path))


def test_what_dvc_does_not_read_is_refused(tmp_path: Path) -> None:
    for text in (
        b"stages: {}\n",
        b"schema: '2.0'\nstages: {}\nother: 1\n",
        b"schema: '2.0'\nstages: {} # \xe4\n",
    ):
        (tmp_path / "dvc.lock").write_bytes(text)
        with pytest.raises(RevisionError, match=r"^dvc\.lock"):
            lock(Workspace(tmp_path))


def test_a_key_that_is_there_twice_is_said(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("train:\n  seed: 1\ntrain:\n  seed: 2\n", encoding="utf-8")
    with pytest.raises(RevisionError, match=r"params\.yaml, line 3: a key for the second time"):
        yaml_of(Workspace(tmp_path), "params.yaml")


def test_a_name_of_a_branch_and_of_an_experiment_is_not_guessed(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        return subprocess.check_output(["git", *who, *words], cwd=tmp_path, text=True).strip()

    git("init", "-q", "-b", "both")
    git("commit", "-q", "--allow-empty", "-m", "base")
    base = git("rev-parse", "HEAD")
    git("commit", "-q", "--allow-empty", "-m", "tried")
    tried = git("rev-parse", "HEAD")
    git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/both", tried)
    git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/other", tried)
    with pytest.raises(RevisionError, match=f"refs/heads/both.*{tried[:7]}"):
        revision("both", tmp_path)
    assert revision("refs/heads/both", tmp_path).commit == tried
    assert revision(tried[:7], tmp_path).commit == tried


def test_a_hash_that_the_clone_does_not_have_is_said_to_be_missing() -> None:
    with pytest.raises(RevisionError, match=r"is no commit that this clone has.*git fetch"):
        revision("a" * 40, ROOT)
