"""Risks at past decisions, by any bundle, from the readings and events that the store keeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from forestall.data.events import absent_pairs
from forestall.features import labels, matrix
from forestall.features.history import History
from forestall.features.reference import Matrix
from forestall.monitoring.stored_risks import CELLS, no_risks
from forestall.serving.bundle import Bundle
from forestall.serving.live_baselines import renewed
from forestall.serving.reach import before_decision
from forestall.serving.store.database import Store
from forestall.serving.store.machines import Machine
from forestall.serving.stored_history import stored_history

MACHINES_AT_A_TIME = 100


def rescored(
    connection: Connection, store: Store, bundle: Bundle, machines: Sequence[Machine], times: Sequence[int]
) -> pd.DataFrame:
    """machine, component, time, risk over the longest horizon, as a bundle would have given it.

    Of what the store keeps: it may lack readings from before its first day, and then a machine's normal is from fewer.

    Args:
        store: with a place for the bundle's sensors (`Store.for_bundle`).
        machines: those that had readings by then are judged.
        times: decisions of one span, in ticks.
    """
    known = [one for one in machines if one.first is not None and one.first <= min(times)]
    pieces = range(0, len(known), MACHINES_AT_A_TIME)
    parts = [_of_some(connection, store, bundle, known[at : at + MACHINES_AT_A_TIME], times) for at in pieces]
    return pd.concat([no_risks(), *parts], ignore_index=True) if parts else no_risks()


def _of_some(
    connection: Connection, store: Store, bundle: Bundle, machines: Sequence[Machine], times: Sequence[int]
) -> pd.DataFrame:
    reference, first, until = bundle.reference, min(times), max(times)
    span = (first - before_decision(bundle), until)
    history = stored_history(connection, store, machines, span, bundle)
    by_name = {machine.name: machine for machine in machines}
    decisions = np.arange(first, until + 1, reference.spans.every)
    held = renewed(connection, store, [by_name[name] for name in history.machines], decisions, bundle)
    steps = np.searchsorted(history.decisions(reference.spans), np.array(sorted(times)))
    features = matrix.feature_matrix(history, held.own, reference)[:, steps]
    judged = labels.opinions(history, reference.spans)[:, steps] == labels.OPINION
    return _cells(history, bundle, features, judged, sorted(times))


def _cells(
    history: History, bundle: Bundle, features: Matrix, judged: np.ndarray, times: list[int]
) -> pd.DataFrame:
    """A row for each part that is there, and decision at which its machine was judged."""
    shape, components = features.shape[:2], bundle.components
    risk = bundle.curves(features.reshape(-1, features.shape[2]))[..., -1].reshape(*shape, len(components))
    index = pd.MultiIndex.from_product([history.machines, times, components])
    frame = pd.DataFrame({"risk": risk.ravel().astype(np.float64)}, index=index)
    frame = frame[np.repeat(judged.ravel(), len(components))].reset_index(
        names=["machine", "time", "component"]
    )
    absent = absent_pairs(history.events.machines, bundle.plant.dataset)
    there = [pair not in absent for pair in zip(frame["machine"], frame["component"], strict=True)]
    return frame.loc[there, CELLS]
