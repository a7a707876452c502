"""Repairing telemetry: what is safe is repaired and counted, what is not stops the run.

Nothing here looks forward: a gap is filled with the last value before it, never with the next one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.dataset import Clock, Dataset
from forestall.data.repairs import Repairs
from forestall.data.tables import Sensor
from forestall.errors import ForestallError, InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TABLE = "telemetry"
MOST_EMPTY_SLOTS = 10**7
SPARSEST = 100  # slots a reading: above it a wrong date is likelier than a plant that logs so rarely


class ConflictError(ForestallError):
    """One machine has two different readings of one time, in ticks of the clock."""

    def __init__(self, machine: str, time: int, clock: Clock) -> None:
        super().__init__(f"machine {machine!r} has two different readings of {stamp(time, clock)}")
        self.machine, self.time = machine, time


@dataclass(frozen=True)
class Grid:
    """Regular slots of `interval` ticks that end at `offset` + k * `interval`."""

    interval: int
    offset: int

    def ceil(self, time: Ints) -> Ints:
        """The end of the slot that each time falls in: the moment at which its reading is known."""
        return -((self.offset - time) // self.interval) * self.interval + self.offset


def grid_of(dataset: Dataset) -> Grid:
    """The telemetry grid of a dataset."""
    return Grid(dataset.interval, dataset.ticks(dataset.decisions.offset))


def clean_telemetry(
    raw: pd.DataFrame, downtime: pd.DataFrame, dataset: Dataset, carry_forward: int, repairs: Repairs
) -> pd.DataFrame:
    """Readings of whole machines on the regular grid.

    Args:
        raw: machine, time (ticks), running (bool), one float column a sensor; in file order.
        downtime: machine, start, end (ticks); the machine is off in (start, end].
        carry_forward: the longest gap, in readings, that the last value fills.

    Returns:
        machine, time (end of slot), running, measured, sensors; sorted, one row a slot from each machine's first
        reading to `carry_forward` slots after its last: a machine that fell silent keeps its last values as long as
        one whose readings go on after a gap. `measured` says whether the slot has a reading; what is missing is NaN.

    Raises:
        ConflictError: one machine has two different readings of one time.
        InputError: readings so far apart that filling the regular grid would take all memory.
    """
    sensors = list(dataset.tables.telemetry.sensors)
    frame = _without_copies(raw, repairs)
    frame = _in_order(frame, repairs)
    _refuse_conflicts(frame, dataset.clock)
    for name, sensor in dataset.tables.telemetry.sensors.items():
        frame[name] = _possible(frame[name].to_numpy(), name, sensor, repairs)
    frame = _on_slots(frame, sensors, grid_of(dataset), repairs)
    frame = _regular(frame, dataset, carry_forward, repairs)
    return _mark_downtime(frame, downtime)


def _without_copies(frame: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    copies = frame.duplicated()
    repairs.add(TABLE, "", "exact duplicate removed", int(copies.sum()))
    return frame[~copies]


def _in_order(frame: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    by_machine = frame.sort_values("machine", kind="stable")
    machine, time = by_machine["machine"].to_numpy(), by_machine["time"].to_numpy()
    late = (machine[1:] == machine[:-1]) & (time[1:] < time[:-1])
    repairs.add(TABLE, "", "row put in order of time", int(late.sum()))
    return by_machine.sort_values(["machine", "time"], kind="stable", ignore_index=True)


def _refuse_conflicts(frame: pd.DataFrame, clock: Clock) -> None:
    twice = frame.duplicated(["machine", "time"]).to_numpy()
    if twice.any():
        row = frame.iloc[int(twice.argmax())]
        raise ConflictError(row["machine"], int(row["time"]), clock)


def stamp(time: int, clock: Clock) -> str:
    """A time in ticks as people write it."""
    return str(time) if clock.own else str(np.datetime64(time, "s")).replace("T", " ")


def _possible(values: Floats, name: str, sensor: Sensor, repairs: Repairs) -> Floats:
    wrong = np.isinf(values)
    if sensor.range is not None:
        wrong = wrong | (values < sensor.range[0]) | (values > sensor.range[1])
    repairs.add(TABLE, name, "impossible value made missing", int(wrong.sum()))
    return np.where(wrong, np.nan, values)


def _on_slots(frame: pd.DataFrame, sensors: list[str], grid: Grid, repairs: Repairs) -> pd.DataFrame:
    frame = frame.assign(time=grid.ceil(frame["time"].to_numpy()))
    shared = frame.duplicated(["machine", "time"])
    if not shared.any():
        return frame
    repairs.add(TABLE, "", "reading averaged with others of its interval", int(shared.sum()))
    how = {"running": "max", **dict.fromkeys(sensors, "mean")}
    return frame.groupby(["machine", "time"], as_index=False, sort=True).agg(how)


def _regular(frame: pd.DataFrame, dataset: Dataset, carry_forward: int, repairs: Repairs) -> pd.DataFrame:
    interval = dataset.interval
    machine, time = frame["machine"].to_numpy(), frame["time"].to_numpy()
    starts = np.flatnonzero(np.r_[True, machine[1:] != machine[:-1]])
    ends = np.r_[starts[1:], len(frame)] - 1
    lengths = (time[ends] - time[starts]) // interval + 1
    _refuse_emptiness(lengths, len(frame), machine[starts], (time[starts], time[ends]), dataset)
    lengths = lengths + carry_forward
    first = np.r_[0, np.cumsum(lengths)[:-1]]
    owner = np.repeat(np.arange(len(starts)), lengths)
    slot = np.arange(int(lengths.sum())) - first[owner]
    counts = np.diff(np.r_[starts, len(frame)])
    place = np.repeat(first - time[starts] // interval, counts) + time // interval
    columns: dict[str, Any] = {
        "machine": pd.Series(machine[starts][owner], dtype=object),
        "time": time[starts][owner] + slot * interval,
    }
    running = np.ones(len(slot), dtype=bool)
    running[place] = frame["running"].to_numpy()
    measured = np.zeros(len(slot), dtype=bool)
    measured[place] = True
    columns |= {"running": running, "measured": measured}
    for name in dataset.tables.telemetry.sensors:
        values = np.full(len(slot), np.nan)
        values[place] = frame[name].to_numpy()
        columns[name] = _carried(values, slot, carry_forward)
        gaps = np.isnan(values) & ~np.isnan(columns[name]) & (slot < lengths[owner] - carry_forward)
        repairs.add(TABLE, name, "gap carried forward", int(gaps.sum()))
    return pd.DataFrame(columns)


def _refuse_emptiness(
    lengths: Ints,
    rows: int,
    machines: npt.NDArray[np.object_],
    spans: tuple[Ints, Ints],
    dataset: Dataset,
) -> None:
    if lengths.sum() <= MOST_EMPTY_SLOTS + SPARSEST * rows:
        return
    worst = int(lengths.argmax())
    first, last = (stamp(int(times[worst]), dataset.clock) for times in spans)
    problem = (
        f"the readings of machine {machines[worst]!r} span {first} to {last}, and almost all of it is empty"
    )
    todo = "Correct the wrong time, or `interval` in the dataset file"
    telemetry = dataset.tables.telemetry
    raise InputError(problem, todo, str(telemetry.files), column=telemetry.time)


def _carried(values: Floats, slot: Ints, limit: int) -> Floats:
    """The first `limit` readings of each gap filled with the value before it.

    How long a gap will be is not known while it lasts, so a long one is filled as far as a short one.
    """
    missing = np.isnan(values)
    filled = values.copy()
    for step in range(1, limit + 1):
        source = np.arange(len(values)) - step
        usable = missing & (slot >= step) & np.isnan(filled)
        usable[usable] = ~missing[source[usable]]
        filled[usable] = values[source[usable]]
    return filled


def reading_spans(clean: pd.DataFrame) -> pd.DataFrame:
    """machine, and the time of its first (min) and last (max) reading, of clean telemetry."""
    return clean[clean["measured"]].groupby("machine", as_index=False)["time"].agg(["min", "max"])


def _mark_downtime(frame: pd.DataFrame, downtime: pd.DataFrame) -> pd.DataFrame:
    if downtime.empty:
        return frame
    spans = {name: rows[["start", "end"]].to_numpy() for name, rows in downtime.groupby("machine")}
    running = frame["running"].to_numpy().copy()
    time = frame["time"].to_numpy()
    machine = frame["machine"].to_numpy()
    starts = np.flatnonzero(np.r_[True, machine[1:] != machine[:-1]])
    for begin, end in zip(starts, np.r_[starts[1:], len(frame)], strict=True):
        for start, stop in spans.get(machine[begin], ()):
            low, high = np.searchsorted(time[begin:end], [start, stop], side="right")
            running[begin + low : begin + high] = False
    return frame.assign(running=running)
