"""`forestall provenance` where history has branches, with the real git and locks as DVC writes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dvc.utils.serialize import dumps_yaml

from forestall.errors import ForestallError
from forestall.pipeline.provenance import provenance
from forestall.pipeline.workspace_hashes import digest
from tests.pipeline.clones import ROOT, command
from tests.pipeline.repository import commit, git

PAGE = ROOT / "docs/how-to/check.md"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """On `made` a bundle was made, on `main` another one."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "test")
    git(folder, "config", "user.email", "test@example.org")
    commit_lock(folder, "0" * 32, "before")
    git(folder, "switch", "-qc", "made")
    commit_lock(folder, md5_of(bundle(tmp_path)), "made")
    git(folder, "switch", "-q", "main")
    return folder


def bundle(scratch: Path) -> Path:
    file = scratch / "bundle/manifest.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"model_md5": "f" * 32}), encoding="utf-8")
    return file.parent


def md5_of(folder: Path) -> str:
    return digest(folder.parent, folder.name, lambda _: False)


def commit_lock(folder: Path, md5: str, message: str) -> None:
    """A lock in which a stage made the bundle, and the only file of a commit."""
    deps = [{"path": "requirements/pipeline.txt", "hash": "md5", "md5": "1" * 32, "size": 1}]
    outs = [{"path": "models/bundle", "hash": "md5", "md5": md5, "size": 1}]
    stages = {"export": {"cmd": "python src/export.py", "deps": deps, "outs": outs}}
    (folder / "dvc.lock").write_text(dumps_yaml({"schema": "2.0", "stages": stages}), encoding="utf-8")
    commit(folder, message)


def told(folder: Path, scratch: Path) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in provenance(bundle(scratch), folder))


def test_a_merge_brings_it_and_did_not_make_it(repository: Path, tmp_path: Path) -> None:
    made = git(repository, "rev-parse", "made")
    (repository / "README").touch()
    commit(repository, "something else")
    git(repository, "merge", "-q", "--no-ff", "made")
    assert told(repository, tmp_path)["revision"] == made
    assert "note" not in told(repository, tmp_path)


def test_of_a_merge_that_kept_ours_theirs_is_found_once_its_branch_is_gone(
    repository: Path, tmp_path: Path
) -> None:
    made = git(repository, "rev-parse", "made")
    commit_lock(repository, "2" * 32, "another")
    git(repository, "merge", "-q", "--no-ff", "-s", "ours", "made")
    git(repository, "branch", "-qD", "made")
    assert told(repository, tmp_path)["revision"] == made
    (line,) = (one for one in PAGE.read_text(encoding="utf-8").splitlines() if one.startswith("git log "))
    said = command(repository, "bash", "-c", line.replace("<model_md5>", md5_of(bundle(tmp_path)))).stdout
    assert made.startswith(said.split()[0]) and said.endswith(" made\n")


def test_a_manifest_that_is_no_json_is_refused(repository: Path, tmp_path: Path) -> None:
    (bundle(tmp_path) / "manifest.json").write_text('{"revision": "a", "x": NaN}', encoding="utf-8")
    with pytest.raises(ForestallError, match=r"manifest\.json: no bundle's manifest \(NaN is no JSON\)"):
        provenance(tmp_path / "bundle", repository)
