"""Filling a store from a plant's tables: what scoring at their end needs of the readings, and all events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from forestall.data.dataset import Dataset
from forestall.data.events import Events, is_last_row
from forestall.data.prepare import Progress, prepare
from forestall.data.read_events import read_events
from forestall.data.repairs import Repairs
from forestall.serving.bundle import Bundle
from forestall.serving.reach import before_end
from forestall.serving.store.baselines import hand_in
from forestall.serving.store.database import Store
from forestall.serving.store.events import KINDS, PLANT, add_events
from forestall.serving.store.machines import add_machines, attributes_of, known_since
from forestall.serving.store.readings import Readings, replace_readings
from forestall.serving.store.tables import failures

MACHINES_AT_A_TIME = 200


def fill(
    store: Store,
    folder: Path,
    bundle: Bundle,
    baselines: pd.DataFrame,
    progress: Progress,
    scratch: Path,
) -> int:
    """Take the tables below `folder` into the store, in one transaction; how many readings are new or other.

    Filling again adds nothing; where tables were exported again, what they say now replaces what they said.

    Args:
        baselines: those of the bundle, for machines whose tables are too short for their own.
        scratch: as for `prepare`.

    Raises:
        InputError: the tables hold something that is not safe to repair.
        StoreError: the database does not do its part; then it is as it was.
    """
    dataset = bundle.plant.dataset
    with store.writing() as connection:
        tables, _ = read_events(folder, dataset, Repairs([]))
        add_machines(connection, attributes_of(tables.machines))
        count = 0

        def write(frame: pd.DataFrame) -> None:
            nonlocal count
            for some in _some_machines(frame):
                count += _add(connection, store, some, bundle)

        events, _, _ = prepare(folder, _without_stops(dataset), 0, write, progress, scratch)
        _add_events(connection, store, replace(events, downtime=tables.downtime), bundle)
        hand_in(connection, baselines, bundle)
    return count


def _without_stops(dataset: Dataset) -> Dataset:
    """The dataset as if it had no downtime table: readings are stored as they were sent, stops beside them."""
    return dataset.model_copy(update={"tables": dataset.tables.model_copy(update={"downtime": None})})


def _some_machines(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    machines = frame["machine"].unique()
    for start in range(0, len(machines), MACHINES_AT_A_TIME):
        yield frame[frame["machine"].isin(machines[start : start + MACHINES_AT_A_TIME])]


def _add(connection: Connection, store: Store, frame: pd.DataFrame, bundle: Bundle) -> int:
    """Each machine's last readings; slots without any are left out, but for the last, which is a machine's end."""
    times = frame.groupby("machine")["time"]
    last = times.transform("max")
    sensors = bundle.reference.sensors
    said = frame[list(sensors)].notna().any(axis=1) | ~frame["running"] | (frame["time"] == last)
    kept = frame[said & (frame["time"] > last - before_end(bundle))]
    batch = Readings(
        kept["machine"].tolist(),
        kept["time"].to_numpy(dtype=np.int64),
        kept["running"].to_numpy(dtype=np.bool_),
        sensors,
        kept[list(sensors)].to_numpy(dtype=np.float64),
    )
    count = replace_readings(connection, store, batch, bundle.reference)
    known_since(connection, {str(machine): int(first) for machine, first in times.min().items()})
    return count


def _add_events(connection: Connection, store: Store, events: Events, bundle: Bundle) -> None:
    if is_last_row(bundle.plant.dataset):
        # A history that has gone on since did not end with a failure.
        connection.execute(failures.delete().where(failures.c.source == PLANT))
    for kind in KINDS:
        add_events(connection, store, kind, getattr(events, kind), bundle.reference)
