"""A plant's history, sent to a store as a plant would send it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forestall.data.events import Events
from forestall.features.baselines import own_baselines
from forestall.features.labels import opinions as labels_opinions
from forestall.features.matrix import feature_matrix
from forestall.features.reference import Matrix
from forestall.serving.bundle import Bundle
from forestall.serving.opinions import history_of
from forestall.serving.store import opinions
from forestall.serving.store.database import Store
from forestall.serving.store.events import KINDS, add_events
from forestall.serving.store.opinions import Point
from forestall.serving.store.readings import Added, Readings, add_readings


def stamp(ticks: int) -> str:
    """A time as requests write it."""
    return f"{np.datetime64(int(ticks), 's')}Z"


def readings_of(frame: pd.DataFrame, sensors: tuple[str, ...]) -> Readings:
    """Rows machine, time, running, sensors as a batch."""
    return Readings(
        frame["machine"].tolist(),
        frame["time"].to_numpy(dtype=np.int64),
        frame["running"].to_numpy(dtype=np.bool_),
        sensors,
        frame[list(sensors)].to_numpy(dtype=np.float64),
    )


def send(store: Store, frame: pd.DataFrame, bundle: Bundle) -> Added:
    """One batch of readings."""
    with store.writing() as connection:
        batch = readings_of(frame, bundle.reference.sensors)
        return add_readings(connection, store, batch, bundle.reference)


def send_events(store: Store, events: Events, bundle: Bundle) -> None:
    """One batch of each small table."""
    with store.writing() as connection:
        for kind in KINDS:
            add_events(connection, store, kind, getattr(events, kind), bundle.reference)


def between(frame: pd.DataFrame, low: int, high: int, column: str = "time") -> pd.DataFrame:
    """The rows of (low, high]."""
    return frame[(frame[column] > low) & (frame[column] <= high)]


def events_between(events: Events, low: int, high: int) -> Events:
    """The events of (low, high]; stops by their start."""
    frames = {
        kind: between(getattr(events, kind), low, high, "start" if kind == "downtime" else "time")
        for kind in KINDS
    }
    return Events(machines=events.machines, **frames)


@dataclass(frozen=True)
class Batch:
    """What the batch says of a whole history: decisions [T], curves [machines, T, components, horizons]."""

    machines: list[str]
    decisions: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    curves: Matrix
    no_opinion: np.ndarray[tuple[int, ...], np.dtype[np.object_]]


def batch_of(frame: pd.DataFrame, events: Events, bundle: Bundle) -> Batch:
    """The batch's curves, by features over the whole history."""
    reference = bundle.reference
    history = history_of(frame, events, bundle, int(frame["time"].max()))
    own = own_baselines(history, reference.spans, reference.condition_places)
    features = feature_matrix(history, own, reference)
    curves = bundle.curves(features.reshape(-1, features.shape[2]))
    shape = (*features.shape[:2], *curves.shape[1:])
    no_opinion = labels_opinions(history, reference.spans)
    return Batch(history.machines, history.decisions(reference.spans), curves.reshape(shape), no_opinion)


def trends(store: Store, batch: Batch, bundle: Bundle) -> dict[tuple[str, str], list[Point]]:
    """By machine and component what the store keeps of all decisions."""
    with store.reading() as connection:
        return {
            (machine, component): points
            for machine in batch.machines
            for component, points in opinions.trends(connection, machine, bundle.components, -(2**60)).items()
        }


def assert_equal(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Equal to the last bit, by position, whatever kind of text their columns are."""
    expected = expected.reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_exact=True)
