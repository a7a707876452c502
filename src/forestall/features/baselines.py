"""What is normal for a machine: the median and spread of its sensors while it was healthy.

A machine's baseline is renewed at regular times from the healthy history before them, and holds for the
decisions after them; it is a value handed in to the features, kept in the bundle. A reading is healthy when
the machine ran and did not fail within a horizon after it; so the last horizon before a renewal, of which
that is not known yet, is left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.features.history import Floats, History, Ints, Spans

IQR_OF_NORMAL = 1.3489795  # interquartile range of a standard normal variable
LEAST_SHARE = 6  # a baseline needs a sixth of its span


def renewals(start: int, end: int, spans: Spans) -> Ints:
    """The times in [start, end] at which baselines are renewed: multiples of `baseline_every`."""
    first = -(-start // spans.baseline_every)
    return np.arange(first, end // spans.baseline_every + 1, dtype=np.int64) * spans.baseline_every


def own_baselines(history: History, spans: Spans, until: Ints | None = None) -> tuple[Ints, Floats, Floats]:
    """Renewal times [R] and the level and spread from each on, [machines, R, sensors]; NaN where not yet known.

    With `until` [machines] only the renewals that are the last at or before one of these times.
    """
    slots = history.readings.shape[1]
    known_at = history.start + spans.interval * (1 + np.arange(slots, dtype=np.int64))
    healthy = np.where(_healthy(history, known_at, spans)[:, :, None], history.readings, np.nan)
    end = history.start + spans.interval * slots if until is None else int(until.max())
    times = renewals(history.start, end, spans)
    if until is not None:
        held = np.unique(np.searchsorted(times, until, side="right") - 1)
        times = times[held[held >= 0]]
    level = np.full((len(history.machines), len(times), healthy.shape[2]), np.nan)
    spread = np.full_like(level, np.nan)
    least = max(spans.baseline // spans.interval // LEAST_SHARE, 3)
    for number, time in enumerate(times):
        low, high = np.searchsorted(known_at, [time - spans.baseline, time - spans.horizon], side="right")
        if high - low >= least:
            level[:, number], spread[:, number] = _median_and_spread(healthy[:, low:high], least)
    return times, level, spread


def _healthy(history: History, known_at: Ints, spans: Spans) -> npt.NDArray[np.bool_]:
    healthy = history.running.copy()
    failures = history.events.failures
    row = {machine: number for number, machine in enumerate(history.machines)}
    for machine, time in zip(failures["machine"], failures["time"], strict=True):
        if machine in row:
            low, high = np.searchsorted(known_at, [time - spans.horizon, time], side="left")
            healthy[row[machine], low:high] = False
    return healthy


def _median_and_spread(values: Floats, least: int) -> tuple[Floats, Floats]:
    """Median and interquartile range / 1.349 along axis 1, NaN left out; by rank, so that order does not matter."""
    ordered = np.sort(values, axis=1)
    count = (~np.isnan(ordered)).sum(axis=1)
    ranks = [np.maximum((count - 1) * quarter // 4, 0)[:, None] for quarter in (1, 2, 3)]
    lower, middle, upper = (np.take_along_axis(ordered, rank, axis=1)[:, 0] for rank in ranks)
    spread = (upper - lower) / IQR_OF_NORMAL
    known = (count >= least) & (spread > 0)
    return np.where(known, middle, np.nan), np.where(known, spread, np.nan)


def at_decisions(times: Ints, values: Floats, decisions: Ints) -> Floats:
    """The values of the last renewal at or before each decision, [machines, decisions, sensors]."""
    number = np.searchsorted(times, decisions, side="right") - 1
    known = (
        values[:, np.maximum(number, 0)]
        if len(times)
        else np.full((values.shape[0], len(decisions), values.shape[2]), np.nan)
    )
    return np.where((number >= 0)[None, :, None], known, np.nan)


def model_baselines(
    own: pd.DataFrame, group: pd.Series[str], sensors: list[str]
) -> dict[str, dict[str, list[float]]]:
    """Per group of machines (and "" for the fleet): each sensor's [level, spread], medians over the machines.

    Args:
        own: one row a machine: machine, and for each sensor `<sensor>.level` and `<sensor>.spread`.
        group: machine -> group.
    """
    groups = own["machine"].map(group)
    return {
        name: {sensor: _pair(rows, own, sensor) for sensor in sensors}
        for name, rows in [("", own), *own.groupby(groups, sort=True)]
    }


def _pair(rows: pd.DataFrame, fleet: pd.DataFrame, sensor: str) -> list[float]:
    pair = []
    for part, default in (("level", 0.0), ("spread", 1.0)):
        value = rows[f"{sensor}.{part}"].median()
        value = fleet[f"{sensor}.{part}"].median() if np.isnan(value) else value
        pair.append(default if np.isnan(value) else float(value))
    return pair
