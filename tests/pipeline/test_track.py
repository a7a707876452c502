"""`forestall track` against a real MLflow server, on a real run of the pipeline and a real experiment of it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from forestall.comparison.changes import flat, output_hash
from forestall.data.settings import read_yaml
from forestall.pipeline.revisions import Workspace, lock
from forestall.serving.bundle import load_bundle
from tests.pipeline.clones import command, environment, repro, set_values
from tests.pipeline.repository import first_run
from tests.pipeline.servers import mlflow_server, own_program

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

EXPERIMENT, MODEL = "forestall-simulated", "forestall-simulated"
# Printed by either environment's Python: the risks, as the registry's newest champion sees the rows of a file.
ASK = """
import hashlib, sys, mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
rows = pandas.read_parquet(sys.argv[2])
answers = mlflow.pyfunc.load_model("models:/" + sys.argv[3]).predict(rows)
print(answers.shape, *answers.columns, hashlib.sha256(answers.to_numpy().tobytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed run, and a queued experiment derived from it that has run."""
    folder = first_run(tmp_path_factory.mktemp("track") / "plant")
    git(folder, "remote", "add", "origin", "https://someone:a-secret@example.org/team/pumps.git")
    for words in (
        ("exp", "run", "--queue", "-S", "alarm.quiet=4", "--name", "patient"),
        ("exp", "run", "--run-all"),
    ):
        done = command(folder, "dvc", *words)
        assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all that the server keeps."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(store: Path) -> Iterator[str]:
    with mlflow_server(store) as uri:
        yield uri


@pytest.fixture(scope="module")
def published(project: Path, server: str) -> str:
    """What the first publication said."""
    return track(project, server, "--alias", "champion", "--experiments")


def git(folder: Path, *words: str) -> str:
    named = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", *words]
    return subprocess.check_output(named, cwd=folder, env=environment(), text=True).strip()


def track(folder: Path, uri: str, *words: str, code: int = 0) -> str:
    """Run `forestall track … --to URI` and return what it says."""
    done = command(folder, "forestall", "track", *words, "--to", uri)
    assert done.returncode == code, done.stdout
    return done.stdout


def client(uri: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(uri, registry_uri=uri)


def runs(uri: str) -> dict[str, Any]:
    """The server's runs, by revision."""
    experiment = client(uri).get_experiment_by_name(EXPERIMENT).experiment_id
    found = client(uri).search_runs([experiment])
    return {run.data.tags["forestall.revision"]: run for run in found}


def kept(store: Path) -> tuple[list[str], dict[str, str]]:
    """All that the server keeps: the rows of its database, and its files' hashes."""
    with sqlite3.connect(f"file:{store}/mlflow.db?mode=ro", uri=True) as database:
        rows = list(database.iterdump())
    files = (path for path in sorted((store / "files").rglob("*")) if path.is_file())
    return rows, {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_revision_is_a_run(project: Path, server: str, published: str) -> None:
    commit = git(project, "rev-parse", "HEAD")
    run = runs(server)[commit]
    assert run.info.status == "FINISHED" and run.info.run_name == commit[:10]
    params = flat(read_yaml(project / "params.yaml"))
    params |= flat(read_yaml(project / "data/raw/simulated.yaml"), "dataset")
    assert run.data.params == {key: str(value) for key, value in params.items()}
    figures = {
        f"{fold}.{name}": value
        for fold in ("validation", "test")
        for name, value in json.loads((project / f"metrics/{fold}.json").read_text()).items()
    }
    assert run.data.metrics == figures
    data = output_hash(lock(Workspace(project)), "data/prepared")
    assert data and data.endswith(".dir")
    ours = {key: value for key, value in run.data.tags.items() if key.startswith("forestall.")}
    assert ours == {
        "forestall.revision": commit,
        "forestall.commit": commit,
        "forestall.data": data,
        "forestall.dataset": "simulated",
        "forestall.repository": "pumps",
    }
    assert "a-secret" not in published and "example.org" not in str(run.to_dictionary())


def test_its_files_are_the_runs_own(project: Path, server: str, published: str, store: Path) -> None:
    run = runs(server)[git(project, "rev-parse", "HEAD")]
    folder = store / "files" / run.info.experiment_id / run.info.run_id / "artifacts"
    uploaded = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    tables = {path.relative_to(project).as_posix(): path for path in project.glob("metrics/**/*.*")}
    plots = {f"plots/{path.name}": path for path in project.glob("reports/plots/*.png")}
    wanted = tables | plots | {"model_card.md": project / "reports/model_card.md"}
    wanted |= {name: project / name for name in ("params.yaml", "data/raw/simulated.yaml", "dvc.lock")}
    own = {name for name in uploaded if not name.startswith("model/")}
    assert own == set(wanted) and len(plots) > 1 and len(tables) > 10
    assert all(uploaded[name].read_bytes() == path.read_bytes() for name, path in wanted.items())


def test_the_same_revision_again_changes_nothing(
    project: Path, server: str, published: str, store: Path
) -> None:
    before = kept(store)
    by_hash = track(project, server, git(project, "rev-parse", "HEAD"), "--alias", "champion")
    assert "is there already" in by_hash and "registered" not in by_hash
    said = track(project, server, "main", "--alias", "champion", "--experiments")
    assert said.count("is there already") == 2
    assert kept(store) == before


def test_the_registered_model_answers_to_the_last_bit(project: Path, server: str, published: str) -> None:
    bundle, rows = load_bundle(project / "models/bundle"), project / "data/features/features.parquet"
    names = [feature.name for feature in bundle.reference.features]
    table = pq.read_table(rows, columns=names)
    curves = bundle.curves(np.column_stack([table[name].to_numpy() for name in names]))
    wanted = hashlib.sha256(curves.tobytes()).hexdigest()
    # The server's environment has MLflow and not this project: the model brings its code along.
    for python in (sys.executable, own_program("mlflow", "python")):
        done = subprocess.run(
            [python, "-W", "ignore", "-c", ASK, server, str(rows), f"{MODEL}@champion"],
            cwd=rows.parent,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        shape, first = f"({len(curves)}, {curves[0].size})", "bearing.risk_24h"
        assert done.stdout.startswith(f"{shape} {first} ") and done.stdout.split()[-1] == wanted
    version = client(server).get_model_version_by_alias(MODEL, "champion")
    commit = git(project, "rev-parse", "HEAD")
    assert (version.version, version.run_id) == ("1", runs(server)[commit].info.run_id)
    assert version.tags["forestall.revision"] == commit


def test_experiments_are_child_runs(project: Path, server: str, published: str) -> None:
    found = runs(server)
    parent = found.pop(git(project, "rev-parse", "HEAD"))
    (child,) = (run for run in found.values() if run.info.run_name == "patient")
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert (parent.data.params["alarm.quiet"], child.data.params["alarm.quiet"]) == ("2", "4")
    assert (
        child.data.tags["forestall.commit"]
        == command(
            project,
            "git",
            "rev-parse",
            f"refs/exps/{parent.data.tags['forestall.commit'][:2]}/"
            f"{parent.data.tags['forestall.commit'][2:]}/patient",
        ).stdout.strip()
    )


def test_an_alias_moves_and_a_second_model_is_a_choice(project: Path, server: str, published: str) -> None:
    said = track(project, server, "patient", "--alias", "champion")
    assert "patient is there already" in said and "version 2" in said
    assert client(server).get_model_version_by_alias(MODEL, "champion").version == "2"
    assert "champion is version 1" in track(project, server, "--alias", "champion")
    assert "registered as pumps, version 1" in track(project, server, "--model", "pumps")


def test_what_was_cut_short_is_finished(project: Path, server: str, published: str) -> None:
    commit = git(project, "rev-parse", "HEAD")
    before = runs(server)[commit]
    client(server).update_run(before.info.run_id, "RUNNING")
    client(server).delete_model_version(MODEL, "1")
    said = track(project, server)
    after = runs(server)[commit]
    assert "is published as run" in said and "registered as" in said
    assert (after.info.run_id, after.info.status) == (before.info.run_id, "FINISHED")
    assert after.data.metrics == before.data.metrics
    assert len(client(server).get_metric_history(after.info.run_id, "test.failures")) == 1


def test_a_changed_workspace_is_a_run_of_its_own(project: Path, server: str, published: str) -> None:
    try:
        set_values(project, "params.yaml", {"alarm.quiet": 3})
        assert "were not made with its files" in track(project, server, code=1)
        repro(project)
        assert "workspace is published" in track(project, server)
        assert "workspace is there already" in track(project, server)
    finally:
        git(project, "checkout", "-q", ".")
        command(project, "dvc", "checkout")
    (key,) = (key for key in runs(server) if key.startswith("workspace-"))
    assert runs(server)[key].data.params["alarm.quiet"] == "3"


def test_an_experiment_without_outputs_does_not_stop_the_others(
    project: Path, server: str, published: str
) -> None:
    """Plots that are in no cache any more: the revision and its other experiments are published."""
    done = command(project, "dvc", "exp", "run", "--temp", "-S", "alarm.quiet=5", "--name", "lost")
    assert done.returncode == 0, done.stdout
    shown = command(project, "git", "show", f"{lost_commit(project)}:dvc.lock").stdout
    (project / "lost.lock").write_text(shown, encoding="utf-8")
    stages = read_yaml(project / "lost.lock")["stages"]
    (project / "lost.lock").unlink()
    card = output_hash(stages, "reports/model_card.md")
    assert card
    cached = project / ".dvc/cache/files/md5" / card[:2] / card[2:]
    cached.chmod(0o644)
    cached.unlink()
    said = track(project, server, "--experiments", code=1)
    assert "not published: reports/model_card.md of lost is neither in the cache nor in a remote" in said
    assert "patient is there already" in said


def lost_commit(project: Path) -> str:
    refs = git(project, "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps").splitlines()
    return next(ref.split()[0] for ref in refs if ref.endswith("/lost"))


def test_a_name_that_the_registry_refuses(project: Path, server: str, published: str) -> None:
    said = track(project, server, "--model", "a/b", code=1)
    assert said.splitlines()[-1].startswith(f"forestall: {server} refuses: ") and "Traceback" not in said
