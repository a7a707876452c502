"""A small plant with a service of its own: a repository of half a year, and the database of what came later."""

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
from forestall.serving.bundle import load_bundle
from forestall.serving.store.database import open_store
from forestall.serving.store.events import KINDS, add_events
from forestall.serving.store.fill import fill
from forestall.serving.store.readings import add_readings
from tests.pipeline.clones import command, repro, set_values
from tests.pipeline.repository import commit, first_run, made_once
from tests.serving.feeding import readings_of

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


def copy_of_mill(factory: pytest.TempPathFactory) -> Plant:
    """The mill on SQLite, a copy for the caller: it is made once for all workers, as that takes a minute."""
    own = made_once("mill", mill, factory.mktemp("mill") / "place")
    return Plant(own / "project", f"sqlite:///{own / 'store.sqlite'}")


def mill(place: Path, database: str = "") -> Plant:
    """Half a year in its own tables, and all that came later in the store; made in a folder, as is the database."""
    folder = first_run(place / "project")
    whole = place / "whole"
    shutil.copytree(folder / "data/raw/simulated", whole)
    own_tables(whole, place / "export")
    shutil.copyfile(folder / "data/raw/simulated.yaml", folder / "data/raw/mill.yaml")
    assert command(folder, "forestall", "dataset", "add", "mill", str(place / "export")).returncode == 0
    floors = dict.fromkeys(("event_recall", "alarm_precision", "slice_recall"), 0.0)
    gate: dict[str, Any] = {f"gate.floors.{name}": value for name, value in floors.items()}
    gate |= {"gate.calibration_error": 0.5, "gate.beats_rule": False}
    set_values(folder, "params.yaml", {"data.dataset": "mill", **gate})
    repro(folder)
    commit(folder, "the mill")
    database = database or f"sqlite:///{place / 'store.sqlite'}"
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
