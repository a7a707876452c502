"""How much sensor data is missing before each decision, while the machine ran."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import ticks
from forestall.data.dataset import Dataset
from forestall.training.series import Floats, Ints

FAR = np.int64(2**40)  # more ticks than any history spans


def day_before(dataset: Dataset) -> int:
    """The span looked at, in ticks: a day, or on a counter the shortest window of the sensors."""
    if dataset.own_clocks:
        return min(dataset.ticks(window) for window in dataset.windows.sensors)
    return ticks("24h")


def keys(rows: pd.DataFrame, machines: pd.Index) -> Ints:
    """Machine (its place in `machines`) and time of rows as one number, by which one search finds a machine's times."""
    place = machines.get_indexer(pd.Index(rows["machine"]))
    return np.asarray(place * FAR + rows["time"].to_numpy(np.int64), dtype=np.int64)


def missing_before(telemetry: Iterable[pd.DataFrame], decisions: pd.DataFrame, dataset: Dataset) -> Floats:
    """For each decision (machine, time) the ticks without data in the span before it, a mean over the sensors.

    Args:
        telemetry: machine, time, running and the sensors; whole machines at a time. Rows that are not there are
            missing data; those of a machine that did not run are not.
    """
    span, sensors = day_before(dataset), list(dataset.tables.telemetry.sensors)
    names = pd.Index(decisions["machine"].unique())
    at = keys(decisions, names)
    known = np.zeros(len(decisions))
    for frame in telemetry:
        known += _known(frame, names, at, span, sensors)
    return np.maximum(span - known * dataset.interval / len(sensors), 0.0)


def _known(
    frame: pd.DataFrame, names: pd.Index, at: npt.NDArray[np.int64], span: int, sensors: list[str]
) -> Ints:
    """How many readings there are in (t - span, t], or would have been had the machine run."""
    here = frame[frame["machine"].isin(names)]
    key = keys(here, names)
    cells = here[sensors].notna().sum(axis=1).to_numpy(np.int64)
    cells = np.where(here["running"].to_numpy(dtype=bool), cells, len(sensors))
    order = np.argsort(key, kind="stable")
    total, key = np.append(0, np.cumsum(cells[order])), key[order]
    first, last = (np.searchsorted(key, time, side="right") for time in (at - span, at))
    return np.asarray(total[last] - total[first], dtype=np.int64)
