"""Features of the sensors: level, spread, extremes and trend over windows, and how far from normal they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forestall.data.clock import hour_of
from forestall.features.adjusted import Adjusted, Products, adjusted_blocks
from forestall.features.columns import Columns, span_name
from forestall.features.history import Floats, History, Ints, Spans
from forestall.features.windows import Moments, block_moments, window_moments

# What tells machines apart: of a small fleet a model learns by it which machines failed, and not why.
GROUPS = {"mean": "levels", "model": "levels"}


@dataclass(frozen=True)
class Normal:
    """What is normal, all [machines, decisions, sensors]: the machine's own level and spread, and its model's.

    Levels are those at the fleet's usual operating conditions, `usual` [Q]; slopes, [machines, decisions,
    sensors, Q], say how a sensor changes with each. Where a machine's own is not known yet, its model's stands
    in; `known` says where it is its own.
    """

    level: Floats
    spread: Floats
    slopes: Floats
    model_level: Floats
    model_spread: Floats
    known: Floats
    usual: Floats

    def at(self, machine: Ints, decision: Ints) -> "Normal":
        """What holds at one decision of each of some machines, by their positions: [machines, 1, …]."""
        names = [name for name in self.__dataclass_fields__ if name != "usual"]
        held = {name: getattr(self, name)[machine, decision][:, None] for name in names}
        return Normal(**held, usual=self.usual)


def add_sensor_features(
    columns: Columns,
    history: History,
    normal: Normal,
    sensors: list[str],
    conditions: Sequence[int],
    spans: Spans,
    unit: str,
) -> None:
    """Per sensor and window: mean, spread, low, high, trend, distance from the own and the model's baseline.

    Spread, low, high and the distances are in standard deviations of the baseline, the mean in the sensor's
    unit, the trend (later half less earlier half) in baseline standard deviations. Spread, trend and distances
    are those of what operating conditions do not explain; `slope.<condition>` is how much more than usual a
    sensor follows one, in baseline standard deviations for one of the condition's. Distances from the own level
    are missing while it is not known: machines differ too much for their model's to stand in.
    """
    centre = normal.model_level[:, :1]
    blocks = _Blocks(
        block_moments(history.readings - centre, spans.width),
        adjusted_blocks(history.readings - centre, conditions, spans.width),
        centre,
        normal.usual - centre[:, :, list(conditions)],
    )
    for window in spans.sensors:
        name = span_name(window, unit)
        for kind, values in _window_features(blocks, normal, sensors, conditions, window, spans):
            for number, sensor in enumerate(sensors):
                if not (kind.startswith("slope.") and number in conditions):
                    columns.add(
                        f"{sensor}.{kind}.{name}", GROUPS.get(kind, "sensors"), sensor, values[:, :, number]
                    )


@dataclass(frozen=True)
class _Blocks:
    """Block sums of readings less `centre` [machines, 1, sensors]; `usual` conditions [machines, 1, Q] likewise."""

    plain: Moments
    adjusted: Products
    centre: Floats
    usual: Floats


def _window_features(
    blocks: _Blocks, normal: Normal, sensors: list[str], conditions: Sequence[int], window: int, spans: Spans
) -> Iterator[tuple[str, Floats]]:
    """Each kind of feature of one window, [machines, decisions, sensors]."""
    length, half = window // spans.every, window // spans.every // 2
    plain = window_moments(blocks.plain, length)
    rest = Adjusted.over(blocks.adjusted, length, normal.slopes, blocks.usual)
    level, model_level = normal.level - blocks.centre, normal.model_level - blocks.centre
    own_level = np.where(normal.known > 0, level, np.nan)
    elsewhere = _at_own_conditions(plain.mean(), level, normal.slopes, blocks.usual, conditions)
    mean = np.where(rest.enough(window // spans.interval), rest.mean(), elsewhere)
    yield "mean", plain.mean() + blocks.centre
    yield "spread", rest.std() / normal.spread
    yield "low", (plain.low - own_level) / normal.spread
    yield "high", (plain.high - own_level) / normal.spread
    yield "own", (mean - own_level) / normal.spread
    yield "model", (mean - model_level) / normal.model_spread
    if half:
        late = Adjusted.over(blocks.adjusted, half, normal.slopes, blocks.usual).mean()
        early = Adjusted.over(blocks.adjusted, half, normal.slopes, blocks.usual, before=half).mean()
        yield "trend", (late - early) / normal.spread
    for q, condition in enumerate(conditions):
        yield f"slope.{sensors[condition]}", rest.slope(q) / normal.spread


def _at_own_conditions(
    mean: Floats, level: Floats, slopes: Floats, usual: Floats, conditions: Sequence[int]
) -> Floats:
    """Plain means taken to the usual conditions as if the machine had run at its own: for windows without any."""
    for q, condition in enumerate(conditions):
        mean = mean - slopes[..., q] * (level[:, :, condition, None] - usual[:, :, None, q])
    return mean


def add_gap_features(
    columns: Columns, history: History, normal: Normal, sensors: list[str], spans: Spans, unit: str
) -> None:
    """Per sensor the share of missing readings by window, time since the last one and time unchanged; time off."""
    width, hour = spans.width, hour_of(unit)[0]
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
