"""Two years of a plant for bench/year.py: its tables, what changes in its pumps one day, and what it sends when.

What changes is made by the simulator itself: a second fleet of the same seed, in which some ways of failing show
otherwise. Its failures, replacements, errors and noise are the first one's to the last digit, so that the plant's
tables are the first fleet's up to the day, and the second's from then on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from forestall.data.simulator import wear
from forestall.data.simulator.catalogue import COMPONENTS, START, Mode
from forestall.data.simulator.settings import SimulateParams
from forestall.data.simulator.write import write_fleet

Shows = Mapping[str, Mapping[str, float]]  # shift and spread by sensor
SMALL = {"errors": "time", "maintenance": "time", "failures": "time", "downtime": "start"}
# The pumps are put on variable-speed drives that hold the discharge pressure. A controller hides what goes wrong in
# what it holds, and shows it in what it moves: the pressure that a leak, a worn impeller or cavitation took is made up
# by speed; the speed that an imbalance or a bad cage took, and the friction of a worn bearing, by current. Signals are
# as strong as they were.
DRIVES: dict[str, Shows] = {
    "leak": {"shift": {"speed": 5.2}, "spread": {}},
    "erosion": {"shift": {"speed": 5.2}, "spread": {}},
    "cavitation": {"shift": {}, "spread": {"speed": 2.8}},
    "imbalance": {"shift": {"vibration": 3.8, "current": 4.2}, "spread": {}},
    "wear": {"shift": {"current": 5.5}, "spread": {}},
    "cage": {"shift": {}, "spread": {"current": 3.2}},
}
# The controllers get new firmware, which logs the codes that go before a winding's insulation fails for nothing, too.
FIRMWARE = "firmware"
FOR_NOTHING, BURST_DAYS, BURST_CODES, BURST_HOURS = ("E02", "E05"), 7, 12, 48
DRIVEN = "drives"
DRIFTS = (DRIVEN, FIRMWARE, "none")


@dataclass(frozen=True)
class Plan:
    """A plant and its time in service.

    history: first month of service; what was before is in the plant's own tables. drift: the month from whose start
    on the pumps are other ones. last: the last month in service. Months as 2025-03.
    """

    machines: int
    seed: int
    history: str
    drift: str
    last: str
    kind: str = DRIVEN

    @property
    def months(self) -> list[str]:
        """In service."""
        return [str(month) for month in pd.period_range(self.history, self.last, freq="M")]

    @property
    def days(self) -> int:
        """Until the first day after the last month, which is simulated to its end: then the last month is over."""
        end = pd.Period(self.last, "M").end_time.normalize() + pd.Timedelta(days=2)
        return int((end - pd.Timestamp(START)).days)


@contextmanager
def other_pumps(shows: Mapping[str, Shows]) -> Iterator[None]:
    """The fleets that are simulated meanwhile show these ways of failing otherwise."""
    other = [replace(part, modes=tuple(_other(mode, shows) for mode in part.modes)) for part in COMPONENTS]
    vars(wear)["COMPONENTS"] = tuple(other)
    try:
        yield
    finally:
        vars(wear)["COMPONENTS"] = COMPONENTS


def _other(mode: Mode, shows: Mapping[str, Shows]) -> Mode:
    changed = shows.get(mode.name)
    return mode if changed is None else replace(mode, shift=changed["shift"], spread=changed["spread"])


def write_plant(plan: Plan, folder: Path, scratch: Path) -> None:
    """All tables of the plant, as the simulator writes them; beside them, in `scratch`, the truth."""
    params = SimulateParams(seed=plan.seed, machines=plan.machines, days=plan.days)
    write_fleet(params, folder, scratch / "truth.csv")
    if plan.kind == DRIVEN:
        with other_pumps(DRIVES):
            write_fleet(params, scratch / "other", scratch / "other_truth.csv")
        for file in (scratch / "other/telemetry").glob("*.csv"):
            if file.stem >= plan.drift:
                shutil.copyfile(file, folder / "telemetry" / file.name)
        shutil.rmtree(scratch / "other")
    if plan.kind == FIRMWARE:
        errors, machines = (pd.read_csv(folder / f"{name}.csv") for name in ("errors", "machines"))
        every = pd.concat([errors, for_nothing(plan, machines["machine"].tolist())])
        every.sort_values(["machine", "time"], kind="stable").to_csv(folder / "errors.csv", index=False)


def for_nothing(plan: Plan, machines: list[str]) -> pd.DataFrame:
    """What the new firmware logs: machine, time, code; bursts of both codes, a Poisson process on each machine."""
    rng, start = np.random.default_rng([plan.seed, 1]), pd.Timestamp(plan.drift)
    days = (pd.Timestamp(START) + pd.Timedelta(days=plan.days - 1) - start).days
    rows = []
    for machine in machines:
        for begin in rng.uniform(0, days, rng.poisson(days / BURST_DAYS)):
            for code in FOR_NOTHING:
                minutes = 60 * (24 * begin + rng.uniform(0, BURST_HOURS, rng.poisson(BURST_CODES)))
                rows += [(machine, start + pd.Timedelta(minutes=int(one)), code) for one in minutes]
    frame = pd.DataFrame(rows, columns=["machine", "time", "code"])
    return frame.assign(time=frame["time"].dt.strftime("%Y-%m-%d %H:%M:%S"))


def own_tables(whole: Path, out: Path, history: str) -> None:
    """What the plant exported at the start of a month."""
    end = pd.Timestamp(history)
    (out / "telemetry").mkdir(parents=True)
    for file in (whole / "telemetry").glob("*.csv"):
        if file.stem < history:
            shutil.copyfile(file, out / "telemetry" / file.name)
    shutil.copyfile(whole / "machines.csv", out / "machines.csv")
    for name, column in SMALL.items():
        frame = pd.read_csv(whole / f"{name}.csv", dtype=str)
        frame[pd.to_datetime(frame[column]) < end].to_csv(out / f"{name}.csv", index=False)


@dataclass(frozen=True)
class Delivery:
    """What the plant sends at once, in (after, until]: CSV of readings, rows of events."""

    until: pd.Timestamp
    readings: bytes
    events: list[dict[str, str]]


def deliveries(whole: Path, month: str, ranges: Mapping[str, Sequence[float]]) -> Iterator[Delivery]:
    """Four a month; the last one reaches to the first reading of the next month, so that the month is over.

    Args:
        ranges: of each sensor: values outside are sent as missing, as the service asks.
    """
    first = pd.Timestamp(month)
    cuts = [
        first,
        *(first + pd.Timedelta(days=7 * week) for week in (1, 2, 3)),
        first + pd.offsets.MonthBegin(),
    ]
    names = sorted({month, f"{cuts[-1]:%Y-%m}"})
    telemetry = readings_in(whole, names, ranges)
    small = {name: pd.read_csv(whole / f"{name}.csv", dtype=str) for name in SMALL}
    for after, until in pairwise(cuts):
        some = telemetry[(telemetry["time"] > after) & (telemetry["time"] <= until)]
        text = some.assign(time=some["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(index=False)
        yield Delivery(until, text.encode(), list(events_in(small, after, until)))


def readings_in(whole: Path, months: list[str], ranges: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Of these months, once each, by time: of a reading that was written twice the first one."""
    files = [whole / "telemetry" / f"{month}.csv" for month in months]
    frame = pd.concat([pd.read_csv(file, parse_dates=["time"]) for file in files], ignore_index=True)
    for sensor, (low, high) in ranges.items():
        frame[sensor] = frame[sensor].where(frame[sensor].between(low, high))
    return frame.drop_duplicates(["machine", "time"]).sort_values(["time", "machine"])


def events_in(
    small: Mapping[str, pd.DataFrame], after: pd.Timestamp, until: pd.Timestamp
) -> Iterator[dict[str, str]]:
    """As requests have them. A stop is sent when it begins, and again with its end once it is over."""
    for name, column in SMALL.items():
        frame = small[name]
        times = pd.to_datetime(frame[column])
        last = pd.to_datetime(frame["end"]) if name == "downtime" else times
        for row in frame[(last > after) & (times <= until)].to_dict("records"):
            if name == "downtime" and pd.Timestamp(row["end"]) > until:
                del row["end"]
            yield {"kind": name} | {str(key): _time(key, value) for key, value in row.items()}


def _time(key: object, value: str) -> str:
    return f"{pd.Timestamp(value):%Y-%m-%dT%H:%M:%SZ}" if key in ("time", "start", "end") else value
