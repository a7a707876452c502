"""A few machines' histories laid out on one regular grid, the form that all features are computed from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.dataset import Dataset
from forestall.data.events import Events

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Spans:
    """The dataset file's durations in ticks."""

    interval: int
    every: int
    offset: int
    horizons: tuple[int, ...]
    history: int
    stale: int
    sensors: tuple[int, ...]
    events: tuple[int, ...]
    baseline: int
    baseline_every: int

    @property
    def horizon(self) -> int:
        """The longest horizon, which alarms look over."""
        return self.horizons[-1]

    @property
    def width(self) -> int:
        """Readings in a block, which is one decision step."""
        return self.every // self.interval

    @property
    def lookback(self) -> int:
        """How far back the telemetry and errors that a feature may use reach."""
        return max(*self.sensors, *self.events)


def spans_of(dataset: Dataset) -> Spans:
    """The spans of a dataset file."""
    decisions, windows, t = dataset.decisions, dataset.windows, dataset.ticks
    return Spans(
        interval=dataset.interval,
        every=t(decisions.every),
        offset=t(decisions.offset),
        horizons=tuple(t(horizon) for horizon in decisions.horizons),
        history=t(decisions.history),
        stale=t(decisions.stale),
        sensors=tuple(t(window) for window in windows.sensors),
        events=tuple(t(window) for window in windows.events),
        baseline=t(windows.baseline),
        baseline_every=t(windows.baseline_every),
    )


@dataclass(frozen=True)
class History:
    """Some machines from the start of a decision step to its end.

    `readings` is [machines, steps * width, sensors]; reading i was known at `start` + (i + 1) * interval, and
    is NaN where it is missing or the machine was off. `first` and `last` are the times of each machine's first
    and last reading, [machines].
    """

    machines: list[str]
    start: int
    readings: Floats
    running: npt.NDArray[np.bool_]
    first: Ints
    last: Ints
    events: Events

    def decisions(self, spans: Spans) -> Ints:
        """The decision times, one for each step."""
        steps = self.readings.shape[1] // spans.width
        return self.start + spans.every * (1 + np.arange(steps, dtype=np.int64))

    def own_last_steps(self, spans: Spans) -> Ints:
        """The step of each machine's last decision that is not after its last reading, [machines]; -1 without one."""
        steps = self.readings.shape[1] // spans.width
        step: Ints = np.minimum((self.last - self.start) // spans.every, steps) - 1
        return step


def lay_out(telemetry: pd.DataFrame, events: Events, sensors: list[str], spans: Spans, end: int) -> History:
    """Clean telemetry rows of some machines (machine, time, running, measured, sensors) as a `History`.

    It ends with the last decision step that is complete at `end`. Machines are off during their downtime, beyond
    their last reading, too.
    """
    machines, owner = np.unique(telemetry["machine"].to_numpy().astype(str), return_inverse=True)
    time = telemetry["time"].to_numpy()
    start = int((time.min() - 1 - spans.offset) // spans.every * spans.every + spans.offset)
    slots = (end - start) // spans.every * spans.width
    place = (time - start) // spans.interval - 1
    kept = place < slots
    readings = np.full((len(machines), slots, len(sensors)), np.nan)
    running = np.ones((len(machines), slots), dtype=bool)
    on = telemetry["running"].to_numpy()
    values = telemetry[sensors].to_numpy(dtype=np.float64)
    readings[owner[kept], place[kept]] = np.where(on[:, None], values, np.nan)[kept]
    running[owner[kept], place[kept]] = on[kept]
    first = np.full(len(machines), np.iinfo(np.int64).max)
    last = np.full(len(machines), np.iinfo(np.int64).min)
    measured = telemetry["measured"].to_numpy()
    np.minimum.at(first, owner[measured], time[measured])
    np.maximum.at(last, owner[measured], time[measured])
    history = History(machines.tolist(), start, readings, running, first, last, events)
    _stop_after_last(history, spans)
    return history


def _stop_after_last(history: History, spans: Spans) -> None:
    """Mark downtime after machines' last readings, where their telemetry has no rows that say so."""
    row, downtime = {name: n for n, name in enumerate(history.machines)}, history.events.downtime
    downtime = downtime[downtime["end"] > history.last.min()]
    for machine, start, end in zip(downtime["machine"], downtime["start"], downtime["end"], strict=True):
        place = row.get(machine)
        if place is not None and end > history.last[place]:
            slots = (np.array([max(start, history.last[place]), end]) - history.start) // spans.interval
            low, high = np.clip(slots, 0, history.running.shape[1])
            history.running[place, low:high] = False
            history.readings[place, low:high] = np.nan
