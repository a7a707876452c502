"""A machine's sensors over its last weeks, beside what was normal for it at the conditions that it ran at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from forestall.features.history import Floats, Ints
from forestall.features.matrix import normal_of
from forestall.features.reference import Reference
from forestall.features.sensors import Normal
from forestall.serving.live import Live
from forestall.serving.live_baselines import renewed
from forestall.serving.store.machines import Machine
from forestall.serving.stored_history import stored_history
from forestall.serving.times import decision_at

BAND = 2.0  # standard deviations to each side


@dataclass(frozen=True)
class SensorHistory:
    """Means over some readings each.

    time: of the last of them, in ticks [points]. values, low, high: [points, sensors]; NaN where nothing was measured,
    the machine was off, or normal is not known. per_point: ticks that a point is the mean over.
    """

    sensors: tuple[str, ...]
    time: Ints
    values: Floats
    low: Floats
    high: Floats
    per_point: int


def sensor_history(
    connection: Connection, live: Live, machine: Machine, until: int, length: int, points: int
) -> SensorHistory:
    """The last `length` ticks up to the decision step that `until` lies in, in at most some points.

    Normal is the machine's own level and spread as they are known at the last decision, at the conditions of each
    reading: what the model compares with.
    """
    reference = live.bundle.reference
    spans = reference.spans
    decision = decision_at(until, spans)
    span = (decision - length, decision + spans.every)
    history = stored_history(connection, live.store, [machine], span, live.bundle)
    held = renewed(connection, live.store, [machine], np.array([decision]), live.bundle)
    normal = normal_of(history, held.own, reference)
    time = history.start + spans.interval * (1 + np.arange(history.readings.shape[1], dtype=np.int64))
    shown = (time > span[0]) & (time <= until)
    time, readings = time[shown], history.readings[0, shown]
    middle = _expected(readings, normal, reference)
    spread = np.where(normal.known[0, -1] > 0, normal.spread[0, -1], np.nan)
    block = max(1, -(-len(readings) // points))
    values, centre = (_means(part, block) for part in (readings, middle))
    ends = time[np.minimum(np.arange(len(values)) * block + block, len(time)) - 1]
    low, high = centre - BAND * spread, centre + BAND * spread
    return SensorHistory(reference.sensors, ends, values, low, high, block * spans.interval)


def _expected(readings: Floats, normal: Normal, reference: Reference) -> Floats:
    """What is normal at the conditions of each reading, [readings, sensors]; at usual ones where they are missing."""
    level, slopes = normal.level[0, -1], normal.slopes[0, -1]
    middle = np.tile(level, (len(readings), 1))
    for q, condition in enumerate(reference.condition_places):
        off = np.nan_to_num(readings[:, condition] - normal.usual[q])
        middle = middle + off[:, None] * slopes[:, q]
    return middle


def _means(values: Floats, block: int) -> Floats:
    """Means over blocks of rows, the last one as long as there are any; NaN where there is nothing in it."""
    padded = np.full((-(-len(values) // block) * block, values.shape[1]), np.nan)
    padded[: len(values)] = values
    blocks = padded.reshape(-1, block, values.shape[1])
    known: npt.NDArray[np.int64] = (~np.isnan(blocks)).sum(axis=1)
    total = np.nansum(blocks, axis=1)
    return np.where(known > 0, total / np.maximum(known, 1), np.nan)
