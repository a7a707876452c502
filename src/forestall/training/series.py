"""Series: a fold's decisions and events, laid out by machine and component on one grid of times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Risk = npt.NDArray[np.float32]
Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True)
class Rules:
    """How alarms are judged: horizon and min_lead in ticks; `quiet` decisions below close an alarm."""

    horizon: int
    min_lead: int
    quiet: int


@dataclass(frozen=True)
class Series:
    """S series, each a machine's component, on a grid of T decision times. Times are ticks, sorted.

    machine, component: [S], grouped by component in the dataset file's order. time: [T].
    present: [S, T], a decision with an opinion exists. failures, replaced, renewed: times by series; replaced
    as planned; renewed by planned work, repair or failure. end: [S], when the data end: what comes later is
    unknown. components: all of the dataset's, as columns of a risk array.
    """

    machine: npt.NDArray[np.object_]
    component: npt.NDArray[np.object_]
    time: Ints
    present: Bools
    failures: tuple[Ints, ...]
    replaced: tuple[Ints, ...]
    renewed: tuple[Ints, ...]
    end: Ints
    components: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.machine)

    def take(self, which: Bools) -> Series:
        """Only some series, by a mask [S]."""
        kept = np.flatnonzero(which)
        events = ("failures", "replaced", "renewed")
        lists = {name: tuple(getattr(self, name)[row] for row in kept) for name in events}
        return Series(
            machine=self.machine[kept],
            component=self.component[kept],
            time=self.time,
            present=self.present[kept],
            end=self.end[kept],
            components=self.components,
            **lists,
        )


def series_of(
    decisions: pd.DataFrame,
    components: list[str],
    absent: set[tuple[str, str]],
    failures: pd.DataFrame,
    maintenance: pd.DataFrame,
    end: int | Mapping[str, int],
    repair: int = 0,
) -> Series:
    """Lay out a fold.

    Args:
        decisions: machine and time of the fold's decisions that have an opinion.
        absent: the (machine, component) pairs that do not exist.
        failures, maintenance: machine, time, component; of any period.
        end: when the data end, in ticks; by machine where each has a clock of its own.
        repair: a part's first maintenance row at most so many ticks after its failure is the repair.
    """
    machines = sorted(decisions["machine"].unique())
    pairs = [(m, c) for c in components for m in machines if (m, c) not in absent]
    ends = np.array([end[m] if isinstance(end, Mapping) else end for m, _ in pairs], dtype=np.int64)
    failed, maintained = _by_pair(failures), _by_pair(maintenance)
    lists: list[tuple[Ints, Ints, Ints]] = []
    for pair, until in zip(pairs, ends, strict=True):
        broke, work = (_until(events.get(pair), until) for events in (failed, maintained))
        lists.append((broke, _planned(work, broke, repair), np.union1d(broke, work)))
    times, present = _grid(decisions, machines)
    number = {machine: row for row, machine in enumerate(machines)}
    return Series(
        machine=np.array([m for m, _ in pairs], dtype=object),
        component=np.array([c for _, c in pairs], dtype=object),
        time=times,
        present=present[[number[m] for m, _ in pairs]],
        failures=tuple(one[0] for one in lists),
        replaced=tuple(one[1] for one in lists),
        renewed=tuple(one[2] for one in lists),
        end=ends,
        components=tuple(components),
    )


def risk_matrix(
    series: Series, decisions: pd.DataFrame, risk: npt.NDArray[np.floating]
) -> npt.NDArray[np.float32]:
    """Risk [rows, C] of decisions (machine, time) laid out as [S, T]; NaN where there is no decision."""
    grid = laid_out(series, decisions, risk.astype(np.float32), np.float32(np.nan))
    columns = {component: column for column, component in enumerate(series.components)}
    column = np.array([columns[component] for component in series.component], dtype=np.int64)
    return np.ascontiguousarray(grid[np.arange(len(series)), :, column])


def laid_out(
    series: Series, decisions: pd.DataFrame, values: npt.NDArray[Value], empty: Value
) -> npt.NDArray[Value]:
    """Values [rows, V] of decisions (machine, time) as [S, T, V]."""
    machines = pd.Index(series.machine).unique()
    row = machines.get_indexer(pd.Index(decisions["machine"]))
    step = np.searchsorted(series.time, decisions["time"].to_numpy(dtype=np.int64))
    grid = np.full((len(machines), len(series.time), values.shape[1]), empty)
    inside = row >= 0
    grid[row[inside], step[inside]] = values[inside]
    return grid[machines.get_indexer(pd.Index(series.machine))]


def _grid(decisions: pd.DataFrame, machines: list[str]) -> tuple[Ints, npt.NDArray[np.bool_]]:
    times, step = np.unique(decisions["time"].to_numpy(dtype=np.int64), return_inverse=True)
    present = np.zeros((len(machines), len(times)), dtype=np.bool_)
    present[pd.Index(machines, dtype=object).get_indexer(pd.Index(decisions["machine"])), step] = True
    return times, present


def _by_pair(events: pd.DataFrame) -> dict[tuple[str, str], Ints]:
    """Sorted distinct times of each (machine, component)."""
    groups = events.groupby(["machine", "component"], sort=True)["time"]
    return {(str(m), str(c)): np.unique(times.to_numpy(dtype=np.int64)) for (m, c), times in groups}


def _until(events: Ints | None, end: int) -> Ints:
    return np.empty(0, dtype=np.int64) if events is None else events[events <= end]


def _planned(maintenance: Ints, failures: Ints, repair: int) -> Ints:
    """The maintenance that is not the first within `repair` of a failure."""
    first = np.searchsorted(maintenance, failures, side="left")
    inside = first < len(maintenance)
    first, failed = first[inside], failures[inside]
    return np.delete(maintenance, first[maintenance[first] - failed <= repair])
