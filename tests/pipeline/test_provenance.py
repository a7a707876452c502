"""`forestall provenance`: the revision that made a bundle, from the bundle alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from forestall.pipeline.workspace_hashes import hashes
from forestall.retraining.served import lay_down
from tests.pipeline.clones import command, repro, set_values
from tests.pipeline.repository import commit, experiment, first_run, git

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: the first, one with other reasons, which makes the same model, and one with another model."""
    folder = first_run(tmp_path_factory.mktemp("provenance") / "project")
    keep(folder, "first")
    set_values(folder, "params.yaml", {"predict.reasons": 2})
    repro(folder)
    commit(folder, "other reasons")
    set_values(folder, "params.yaml", {"train.extra_trees.min_leaf": 40})
    repro(folder)
    commit(folder, "another model")
    keep(folder, "third")
    return folder


def keep(folder: Path, name: str) -> None:
    shutil.copytree(folder / "models/bundle", folder.parent / name)


@pytest.fixture
def bundle(project: Path, tmp_path: Path) -> Path:
    """The first run's bundle, alone somewhere."""
    return Path(shutil.copytree(project.parent / "first", tmp_path / "somewhere"))


def provenance(folder: Path, *words: str) -> tuple[int, str]:
    done = command(folder, "forestall", "provenance", *words)
    return done.returncode, done.stdout


def told(folder: Path, *words: str) -> dict[str, str]:
    code, said = provenance(folder, *words)
    assert code == 0, said
    return dict(line.split(": ", 1) for line in said.splitlines())


def hash_of(folder: Path, revision: str) -> str:
    return git(folder, "rev-parse", revision)


def test_the_revision_of_a_bundle_and_what_it_was_made_of(project: Path, bundle: Path) -> None:
    first, third = told(project, str(bundle)), told(project)
    assert (first["revision"], third["revision"]) == (hash_of(project, "HEAD~2"), hash_of(project, "HEAD"))
    assert first["md5"] in git(project, "show", "HEAD~1:dvc.lock")
    assert first["data"] == third["data"] and first["data"].startswith("data/raw/simulated ")
    assert first["params"] != third["params"] and first["code"] == third["code"]
    assert "note" not in first
    clone = bundle.parent / "clone"
    git(project, "clone", "-q", str(project), str(clone))
    assert told(clone, str(bundle)) == first


def test_git_alone_finds_it_by_the_manifest(project: Path, bundle: Path) -> None:
    model = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["model_md5"]
    words = ("log", "--all", "--full-history", "--reverse", "--format=%H", f"-S{model}", "--", "dvc.lock")
    found = git(project, *words)
    assert found.splitlines()[0] == hash_of(project, "HEAD~2")


def test_a_bundle_that_was_changed_leads_to_its_model(project: Path, bundle: Path) -> None:
    (bundle / "notes.txt").write_text("mine\n", encoding="utf-8")
    found = told(project, str(bundle))
    assert found["revision"] == hash_of(project, "HEAD~2")
    assert "exported by other code, or changed afterwards" in found["note"]


def test_a_file_that_does_not_fit_the_manifest_is_of_no_revision(project: Path, bundle: Path) -> None:
    with (bundle / "model.onnx").open("ab") as file:
        file.write(b"x")
    code, said = provenance(project, str(bundle))
    assert (
        code == 1 and "what manifest.json says of model.onnx does not fit" in said and "revision:" not in said
    )


def test_a_manifest_that_says_anything_is_not_believed(project: Path, bundle: Path) -> None:
    file = bundle / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    lies = {"data_hash": "0\nrevision: mine", "revision": "0\nrevision: mine"}
    file.write_text(json.dumps(manifest | lies), encoding="utf-8")
    code, said = provenance(project, str(bundle))
    assert code == 0 and "mine" not in said and "promoted from what is no commit" in said
    script = hashes(project, ["src/export.py"])["src/export.py"]
    for key in ("stages", "", script):  # all stand in dvc.lock, and are no model's
        file.write_text(json.dumps(manifest | {"model_md5": key}), encoding="utf-8")
        assert provenance(project, str(bundle))[0] == 1


def test_a_release_is_the_bundle_that_was_promoted(project: Path, bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    release = bundle.parent / "served/releases"
    release.mkdir(parents=True)
    version = lay_down(release.parent, bundle, hash_of(project, "HEAD~1"))
    found = told(project, str(release / version))
    assert (found["revision"], found["md5"]) == (
        hash_of(project, "HEAD~2"),
        told(project, str(bundle))["md5"],
    )
    assert found["note"] == f"promoted from {hash_of(project, 'HEAD~1')}, says its manifest"
    assert manifest["data_hash"] in found["prepared data"]


def test_an_experiments_bundle(project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(project, tmp_path / "copy", symlinks=True))
    done = command(folder, "dvc", "exp", "run", "--name", "eager", "-S", "alarm.quiet=4")
    assert done.returncode == 0, done.stdout
    found = told(folder)
    assert found["revision"] == experiment(folder, "eager")
    assert found["note"] == "no branch or tag has it; it is the experiment eager"
    commit(folder, "eager")
    found = told(folder)
    assert found["revision"] == hash_of(folder, "HEAD")
    assert found["note"] == f"so did {experiment(folder, 'eager')[:12]}"


def test_what_no_commit_made_is_said(project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(project, tmp_path / "copy", symlinks=True))
    set_values(folder, "params.yaml", {"alarm.quiet": 5})
    repro(folder)
    code, said = provenance(folder)
    assert code == 1 and "was made by files here that are not committed" in said
    alone = Path(shutil.copytree(folder / "models/bundle", tmp_path / "alone"))
    code, said = provenance(project, str(alone))
    assert code == 1 and "no commit that this clone knows has it" in said
    shallow = tmp_path / "shallow"
    git(project, "clone", "-q", "--depth", "1", project.as_uri(), str(shallow))
    code, said = provenance(shallow, str(project.parent / "first"))
    assert code == 1 and "git fetch --unshallow" in said
    assert "git fetch --unshallow" in told(shallow, str(project.parent / "third"))["note"]
    code, said = provenance(project, str(tmp_path))
    assert code == 1 and "Name the folder of a bundle." in said


def test_a_commit_whose_files_did_not_make_it_is_named_so(project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(project, tmp_path / "copy", symlinks=True))
    set_values(folder, "params.yaml", {"alarm.quiet": 5})
    repro(folder)
    set_values(folder, "params.yaml", {"alarm.quiet": 6})
    commit(folder, "what was never run")
    found = told(folder)
    assert found["revision"] == hash_of(folder, "HEAD")
    assert found["note"].startswith("of that revision train, export would run again")
