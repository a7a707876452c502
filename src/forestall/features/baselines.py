"""What is normal for a machine: level and spread of its sensors while it was healthy, at the load it ran at.

A machine's baseline is renewed at regular times from the healthy history before them, and holds for the
decisions after them; it is a value handed in to the features, kept in the bundle. A reading is healthy when
the machine ran and did not fail within a horizon after it; so the last horizon before a renewal, of which
that is not known yet, is left out.

Where the dataset file names operating conditions, each sensor's slope on them is fitted by least squares, and
level and spread are those of what the conditions do not explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.features.history import Floats, History, Ints, Spans

IQR_OF_NORMAL = 1.3489795  # interquartile range of a standard normal variable
LEAST_SHARE = 6  # a baseline needs a sixth of its span
RIDGE = 1e-9  # share of a condition's variance: a condition that never changed explains nothing


@dataclass(frozen=True)
class OwnBaselines:
    """Machines' own baselines at renewal times [R]; NaN where not yet known.

    level, spread: [machines, R, sensors], the level where every condition is 0. slopes: [machines, R, sensors,
    conditions], a sensor's change for one unit of a condition; 0 for the conditions themselves.
    """

    times: Ints
    level: Floats
    spread: Floats
    slopes: Floats

    def at(self, decisions: Ints) -> OwnBaselines:
        """What the last renewal at or before each decision says."""
        return OwnBaselines(
            decisions, *(_held(self.times, one, decisions) for one in (self.level, self.spread, self.slopes))
        )


def renewals(start: int, end: int, spans: Spans) -> Ints:
    """The times in [start, end] at which baselines are renewed: multiples of `baseline_every`."""
    first = -(-start // spans.baseline_every)
    return np.arange(first, end // spans.baseline_every + 1, dtype=np.int64) * spans.baseline_every


def own_baselines(
    history: History, spans: Spans, conditions: Sequence[int], until: Ints | None = None
) -> OwnBaselines:
    """The machines' own baselines, from their own histories.

    Args:
        conditions: positions of the operating conditions among the sensors.
        until: [machines]; with it only the renewals that are the last at or before one of these times.
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
    spread, slopes = np.full_like(level, np.nan), np.full((*level.shape, len(conditions)), np.nan)
    least = max(spans.baseline // spans.interval // LEAST_SHARE, 3)
    for number, time in enumerate(times):
        low, high = np.searchsorted(known_at, [time - spans.baseline, time - spans.horizon], side="right")
        if high - low >= least:
            readings = healthy[:, low:high]
            slope = _slopes(readings, conditions)
            level[:, number], spread[:, number] = _median_and_spread(
                without_conditions(readings, slope, conditions), least
            )
            slopes[:, number] = np.where(np.isnan(level[:, number, :, None]), np.nan, slope)
    return OwnBaselines(times, level, spread, slopes)


def without_conditions(readings: Floats, slopes: Floats, conditions: Sequence[int]) -> Floats:
    """Readings [machines, slots, sensors] less what their conditions explain, by slopes [machines, sensors, Q]."""
    rest = readings
    for q, condition in enumerate(conditions):
        explained = slopes[:, None, :, q] * readings[:, :, condition, None]
        rest = np.where(slopes[:, None, :, q] == 0, rest, rest - explained)
    return rest


def _healthy(history: History, known_at: Ints, spans: Spans) -> npt.NDArray[np.bool_]:
    healthy = history.running.copy()
    failures = history.events.failures
    row = {machine: number for number, machine in enumerate(history.machines)}
    for machine, time in zip(failures["machine"], failures["time"], strict=True):
        if machine in row:
            low, high = np.searchsorted(known_at, [time - spans.horizon, time], side="left")
            healthy[row[machine], low:high] = False
    return healthy


def _slopes(readings: Floats, conditions: Sequence[int]) -> Floats:
    """Least-squares slopes [machines, sensors, Q] of readings [machines, slots, sensors] on their conditions."""
    machines, _, sensors = readings.shape
    if not conditions:
        return np.zeros((machines, sensors, 0))
    given = readings[:, :, list(conditions)]
    known = ~np.isnan(given).any(axis=2)
    slopes = np.zeros((machines, sensors, len(conditions)))
    for sensor in range(sensors):
        if sensor not in conditions:
            both = known & ~np.isnan(readings[:, :, sensor])
            slopes[:, sensor] = _least_squares(readings[:, :, sensor], given, both)
    return slopes


def _least_squares(value: Floats, given: Floats, kept: npt.NDArray[np.bool_]) -> Floats:
    """Slopes [machines, Q] of values [machines, slots] on given [machines, slots, Q], where kept."""
    count = np.maximum(kept.sum(axis=1), 1)
    x = _centred(given, kept[:, :, None], count[:, None])
    y = _centred(value, kept, count)
    products = [(x[:, :, [q]] * x).sum(axis=1) / count[:, None] for q in range(x.shape[2])]
    squares = np.stack(products, axis=1)
    diagonal = np.einsum("mqq->mq", squares)
    ridge = np.where(diagonal > 0, diagonal * RIDGE, 1.0)
    squares += ridge[:, :, None] * np.eye(x.shape[2])
    with_value = (x * y[:, :, None]).sum(axis=1) / count[:, None]
    return np.asarray(np.linalg.solve(squares, with_value[:, :, None])[:, :, 0])


def _centred(values: Floats, kept: npt.NDArray[np.bool_], count: npt.NDArray[np.int64]) -> Floats:
    """Values less their mean along axis 1, and 0 where not kept."""
    mean = np.where(kept, values, 0.0).sum(axis=1) / count
    return np.where(kept, values - mean[:, None], 0.0)


def _median_and_spread(values: Floats, least: int) -> tuple[Floats, Floats]:
    """Median and interquartile range / 1.349 along axis 1, NaN left out; by rank, so that order does not matter."""
    ordered = np.sort(values, axis=1)
    count = (~np.isnan(ordered)).sum(axis=1)
    ranks = [np.maximum((count - 1) * quarter // 4, 0)[:, None] for quarter in (1, 2, 3)]
    lower, middle, upper = (np.take_along_axis(ordered, rank, axis=1)[:, 0] for rank in ranks)
    spread = (upper - lower) / IQR_OF_NORMAL
    known = (count >= least) & (spread > 0)
    return np.where(known, middle, np.nan), np.where(known, spread, np.nan)


def _held(times: Ints, values: Floats, decisions: Ints) -> Floats:
    """The values [machines, R, …] of the last renewal at or before each decision, [machines, decisions, …]."""
    number = np.searchsorted(times, decisions, side="right") - 1
    if not len(times):
        return np.full((values.shape[0], len(decisions), *values.shape[2:]), np.nan)
    known = (number >= 0).reshape(1, -1, *[1] * (values.ndim - 2))
    return np.where(known, values[:, np.maximum(number, 0)], np.nan)


def own_frame(
    machines: list[str], own: OwnBaselines, until: Ints, sensors: list[str], conditions: Sequence[int]
) -> pd.DataFrame:
    """What holds at each machine's time in `until` [machines], one row a machine.

    Columns: machine, and what `columns_of` names; NaN where unknown.
    """
    held, each = own.at(until), np.arange(len(machines))
    columns: dict[str, object] = {"machine": machines}
    for position, sensor in enumerate(sensors):
        values = [held.level, held.spread, *(held.slopes[..., q] for q in range(len(conditions)))]
        for name, value in zip(columns_of(sensor, sensors, conditions), values, strict=True):
            columns[name] = value[each, each, position]
    return pd.DataFrame(columns).astype({"machine": object})


def columns_of(sensor: str, sensors: list[str], conditions: Sequence[int]) -> list[str]:
    """A sensor's columns in a frame of baselines: `<sensor>.level`, `.spread`, and `.per.<condition>` for each."""
    return [f"{sensor}.level", f"{sensor}.spread", *(f"{sensor}.per.{sensors[q]}" for q in conditions)]


def model_baselines(
    own: pd.DataFrame, group: pd.Series[str], sensors: list[str], conditions: Sequence[int]
) -> dict[str, dict[str, list[float]]]:
    """Per group of machines (and "" for the fleet): each sensor's [level, spread, slopes…], medians over machines.

    The level is the one at the fleet's usual conditions.

    Args:
        own: a frame of `own_frame`.
        group: machine -> group.
    """
    usual = {sensors[q]: _median(own[f"{sensors[q]}.level"], 0.0) for q in conditions}
    levels = {
        f"{sensor}.level": own[f"{sensor}.level"]
        + sum(own[f"{sensor}.per.{name}"] * value for name, value in usual.items())
        for sensor in sensors
    }
    own = own.assign(**levels)
    groups = own["machine"].map(group)
    return {
        name: {sensor: _typical(rows, own, columns_of(sensor, sensors, conditions)) for sensor in sensors}
        for name, rows in [("", own), *own.groupby(groups, sort=True)]
    }


def _typical(rows: pd.DataFrame, fleet: pd.DataFrame, columns: list[str]) -> list[float]:
    defaults = [0.0, 1.0, *[0.0] * (len(columns) - 2)]
    return [
        _median(rows[column], _median(fleet[column], default))
        for column, default in zip(columns, defaults, strict=True)
    ]


def _median(values: pd.Series[float], otherwise: float) -> float:
    median = float(values.median())
    return otherwise if np.isnan(median) else median
