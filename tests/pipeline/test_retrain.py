"""`forestall retrain` on a real repository: a month is taken from the service, judged, and given as a branch."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forestall.data.prepare import prepare
from forestall.data.store import read_frame
from forestall.features.files import BASELINES
from forestall.pipeline.stage import read_dataset
from forestall.retraining.history import read_history
from forestall.retraining.served import champion
from forestall.serving.bundle import load_bundle
from forestall.serving.store.database import open_store
from forestall.serving.store.events import KINDS, add_events
from forestall.serving.store.fill import fill
from forestall.serving.store.readings import add_readings
from tests.pipeline.clones import ROOT, clone, command, repro, set_values
from tests.pipeline.repository import commit, git
from tests.serving.feeding import readings_of

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
MONTHS = ("2024-07", "2024-08")  # that the service learns, of which the second is not over
OWN_END = pd.Timestamp("2024-07-01")


@dataclass(frozen=True)
class Plant:
    """A repository with a plant of its own, and its service's database."""

    folder: Path
    database: str

    def retrain(self, *words: str) -> subprocess.CompletedProcess[str]:
        """As a scheduler does, of whom Git knows nothing but what the repository says."""
        words = ("forestall", "retrain", "--database", self.database, *words)
        return command(self.folder, *words, GIT_CONFIG_GLOBAL=os.devnull)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """Half a year in its own tables, and all that came later in the store."""
    place = tmp_path_factory.mktemp("retrain")
    folder = clone(place / "project")
    repro(folder)
    whole = place / "whole"
    shutil.copytree(folder / "data/raw/simulated", whole)
    own_tables(whole, place / "export")
    shutil.copyfile(folder / "data/raw/simulated.yaml", folder / "data/raw/mill.yaml")
    assert command(folder, "forestall", "dataset", "add", "mill", str(place / "export")).returncode == 0
    floors = dict.fromkeys(("event_recall", "alarm_precision", "slice_recall"), 0.0)
    gate: dict[str, Any] = {f"gate.floors.{name}": value for name, value in floors.items()}
    gate |= {"gate.calibration_error": 0.5, "gate.beats_rule": False}
    set_values(
        folder,
        "params.yaml",
        {"data.dataset": "mill", **gate},
    )
    repro(folder)
    commit(folder, "the mill")
    database = f"sqlite:///{place / 'store.sqlite'}"
    serve(folder, whole, database, place)
    return Plant(folder, database)


def own_tables(whole: Path, out: Path) -> None:
    """What the plant exported at the end of June."""
    for file in sorted(whole.rglob("*.csv")):
        frame = pd.read_csv(file, dtype=str)
        column = next((name for name in ("time", "start") if name in frame), None)
        if column is not None:
            frame = frame[pd.to_datetime(frame[column], format="mixed") < OWN_END]
        if len(frame):
            (out / file.relative_to(whole)).parent.mkdir(parents=True, exist_ok=True)
            frame.to_csv(out / file.relative_to(whole), index=False)


def serve(folder: Path, whole: Path, database: str, scratch: Path) -> None:
    """A store that was filled from the own tables, and was sent the rest."""
    bundle, dataset = load_bundle(folder / "models/bundle"), read_dataset("mill", folder)
    store = open_store(database, bundle)
    baselines = read_frame(folder / "models/bundle" / BASELINES, dataset.clock)
    fill(store, folder / "data/raw/mill", bundle, baselines, lambda _: None, scratch / "scratch")
    frames: list[pd.DataFrame] = []
    events, _, _ = prepare(whole, dataset, 0, frames.append, lambda _: None, scratch / "scratch")
    with store.writing() as connection:
        for frame in frames:
            said = frame[frame["measured"] & (frame["time"] > OWN_END.timestamp())]
            add_readings(connection, store, readings_of(said, bundle.reference.sensors), bundle.reference)
        for kind in KINDS:
            add_events(connection, store, kind, getattr(events, kind), bundle.reference)
    store.close()


def tree(plant: Plant) -> tuple[str, ...]:
    every = (("status", "--porcelain"), ("rev-parse", "HEAD"), ("worktree", "list"))
    return tuple(git(plant.folder, *words) for words in every)


def switch(plant: Plant, name: str) -> None:
    """As people change branches: Git's files, then DVC's."""
    git(plant.folder, "checkout", "-q", name)
    assert command(plant.folder, "dvc", "checkout", "-q").returncode == 0


def test_a_month_becomes_a_branch_with_its_data_model_metrics_and_verdict(plant: Plant) -> None:
    before = tree(plant)
    first = plant.retrain()
    assert first.returncode == 0, first.stdout
    assert "### Gate: " in first.stdout and "Test fold (decides)" in first.stdout
    assert tree(plant) == before
    branch = f"retrain/{MONTHS[0]}"
    changed = git(plant.folder, "diff", "--name-only", "HEAD", branch).splitlines()
    assert {
        "data/raw/mill.dvc",
        "data/raw/mill.yaml",
        "dvc.lock",
        "metrics/test.json",
        "metrics/retraining.md",
    } <= set(changed)
    assert git(plant.folder, "merge-base", "HEAD", branch) == git(plant.folder, "rev-parse", "HEAD")
    assert not [name for name in changed if name.startswith(("src/", "tests/", "params"))]

    tip = git(plant.folder, "rev-parse", branch)
    again = plant.retrain()
    assert again.returncode == 0, again.stdout
    assert "Ran: nothing" in again.stdout and git(plant.folder, "rev-parse", branch) == tip

    switch(plant, branch)
    try:
        assert repro(plant.folder) == []
        telemetry = pd.read_parquet(plant.folder / "data/prepared/telemetry.parquet", columns=["time"])
        # A stop that began in July may end a little later.
        assert pd.Timestamp("2024-07-31 23:00") <= telemetry["time"].max() < pd.Timestamp("2024-08-02")
        assert "no month" in plant.retrain().stdout
    finally:
        switch(plant, "main")


def test_what_people_committed_on_top_is_not_lost(plant: Plant) -> None:
    branch = f"retrain/{MONTHS[0]}"
    assert plant.retrain().returncode == 0
    git(plant.folder, "checkout", "-q", branch)
    (plant.folder / "README.md").write_text("ours\n", encoding="utf-8")
    commit(plant.folder, "ours")
    tip = git(plant.folder, "rev-parse", "HEAD")
    git(plant.folder, "checkout", "-q", "main")
    refused = plant.retrain()
    assert refused.returncode == 1 and "other commits on top" in refused.stdout
    assert git(plant.folder, "rev-parse", branch) == tip
    git(plant.folder, "branch", "-qD", branch)


def test_promote_serves_it_where_the_gate_agrees(plant: Plant, tmp_path: Path) -> None:
    served = ("--served", str(tmp_path / "served"))
    assert command(plant.folder, "forestall", "promote", "main", *served, "--force", "first").returncode == 0
    old, base = champion(tmp_path / "served"), git(plant.folder, "rev-parse", "main")
    git(plant.folder, "commit", "-q", "--allow-empty", "-m", "later")
    assert plant.retrain().returncode == 0  # against main, as nothing is served
    done = plant.retrain("--promote", *served)
    assert done.returncode == 0, done.stdout
    verdict = git(plant.folder, "log", "-1", "--format=%s", f"retrain/{MONTHS[0]}")
    assert verdict.strip().endswith(f"the gate against {base[:12]}")
    passed = "Gate: passed" in done.stdout
    assert (champion(tmp_path / "served") != old) == passed
    assert len(read_history(tmp_path / "served").done) == 1 + passed
    git(plant.folder, "branch", "-qD", f"retrain/{MONTHS[0]}")


def test_a_database_that_is_not_there_is_not_made(plant: Plant) -> None:
    done = command(plant.folder, "forestall", "retrain", "--database", f"sqlite:///{ROOT / 'nothing.sqlite'}")
    assert done.returncode == 1 and "There is no database" in done.stdout
    assert not (ROOT / "nothing.sqlite").exists()
