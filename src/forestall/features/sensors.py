"""Features of the sensors: level, spread, extremes and trend over windows, and how far from normal they are."""

from dataclasses import dataclass

import numpy as np

from forestall.features.columns import Columns, span_name
from forestall.features.history import Floats, History, Ints, Spans
from forestall.features.windows import Moments, block_moments, window_moments


@dataclass(frozen=True)
class Normal:
    """What is normal, all [machines, decisions, sensors]: the machine's own level and spread, and its model's.

    Where a machine's own is not known yet, its model's stands in; `known` says where it is its own.
    """

    level: Floats
    spread: Floats
    model_level: Floats
    model_spread: Floats
    known: Floats


def add_sensor_features(
    columns: Columns, history: History, normal: Normal, sensors: list[str], spans: Spans, unit: str
) -> None:
    """Per sensor and window: mean, spread, low, high, trend, distance from the own and the model's baseline.

    Spread, low, high and the distances are in standard deviations of the baseline, the mean in the sensor's
    unit, the trend (later half less earlier half) in baseline standard deviations.
    """
    centre = normal.model_level[:, :1]
    blocks = block_moments(history.readings - centre, spans.width)
    level, model_level = normal.level - centre, normal.model_level - centre
    for window in spans.sensors:
        length = window // spans.every
        moments = window_moments(blocks, length)
        mean, trend = moments.mean(), _trend(blocks, length)
        name = span_name(window, unit)
        for number, sensor in enumerate(sensors):
            spread = normal.spread[:, :, number]
            one = {
                "mean": mean[:, :, number] + centre[:, :, number],
                "spread": moments.std()[:, :, number] / spread,
                "low": (moments.low[:, :, number] - level[:, :, number]) / spread,
                "high": (moments.high[:, :, number] - level[:, :, number]) / spread,
                "own": (mean[:, :, number] - level[:, :, number]) / spread,
                "model": (mean[:, :, number] - model_level[:, :, number]) / normal.model_spread[:, :, number],
            }
            if trend is not None:
                one["trend"] = trend[:, :, number] / spread
            for kind, values in one.items():
                columns.add(f"{sensor}.{kind}.{name}", "sensors", sensor, values)


def add_gap_features(
    columns: Columns, history: History, normal: Normal, sensors: list[str], spans: Spans, unit: str
) -> None:
    """Per sensor the share of missing readings by window, time since the last one and time unchanged; time off."""
    width, hour = spans.width, 3600 if unit == "s" else 1
    blocks = block_moments(history.readings, width)
    off = block_moments(np.where(history.running, np.nan, 0.0)[:, :, None], width)
    silent, stuck = _since_reading(history.readings), _since_change(history.readings)
    limit = spans.lookback // spans.interval - 1
    at = slice(width - 1, None, width)
    for window in spans.sensors:
        length, name = window // spans.every, span_name(window, unit)
        count = window_moments(blocks, length).count
        for number, sensor in enumerate(sensors):
            share = 1.0 - count[:, :, number] / (length * width)
            columns.add(f"{sensor}.missing.{name}", "gaps", sensor, share)
        share = window_moments(off, length).count[:, :, 0] / (length * width)
        columns.add(f"off.share.{name}", "gaps", "time off", share)
    for number, sensor in enumerate(sensors):
        for kind, since in (("silent", silent), ("stuck", stuck)):
            hours = np.minimum(since[:, at, number], limit) * (spans.interval / hour)
            columns.add(f"{sensor}.{kind}", "gaps", sensor, hours)
    columns.add("baseline.known", "gaps", "baseline", normal.known.mean(axis=2))


def _trend(blocks: Moments, length: int) -> Floats | None:
    """Mean of the window's later half less that of its earlier half; None for a window of one block."""
    half = length // 2
    if half == 0:
        return None
    later = window_moments(blocks, half).mean()
    earlier = np.full_like(later, np.nan)
    earlier[:, half:] = later[:, :-half]
    return later - earlier


def _since_reading(readings: Floats) -> Ints:
    return _since(~np.isnan(readings))


def _since_change(readings: Floats) -> Ints:
    """Readings since the value last differed from the one before it; a missing one counts as a change."""
    changed = np.ones(readings.shape, dtype=bool)
    changed[:, 1:] = readings[:, 1:] != readings[:, :-1]
    return _since(changed)


def _since(event: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Ints:
    """Readings since the last True along axis 1; counted from the start where there was none."""
    index = np.arange(event.shape[1], dtype=np.int64)[None, :, None]
    last = np.maximum.accumulate(np.where(event, index, np.int64(-(10**9))), axis=1)
    return index - last
