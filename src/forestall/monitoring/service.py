"""A plant in service as it is known at the end of a window, and what of it is mature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.training.alarms import NONE

ALARMS = ["machine", "component", "opened", "ended", "end_reason", "finding", "risk"]
EVENTS = ["machine", "time", "component", "source"]


@dataclass(frozen=True)
class Window:
    """The time in question, (after, until]: nothing later than `until` is used.

    Raises:
        ValueError: it is empty.
    """

    after: int
    until: int

    def __post_init__(self) -> None:
        if self.after >= self.until:
            raise ValueError(f"The window ends at {self.until}, not after its beginning at {self.after}.")


@dataclass(frozen=True)
class Service:
    """What is known of a plant in service, from a horizon before a window to its end.

    alarms: `ALARMS`, as they were raised; ended is -1 while they stand, end_reason and finding are empty where there is
    none. failures, maintenance: `EVENTS`, from a horizon and a repair before the window on. decisions: machine, time of
    decisions with an opinion; enough are each machine's first and last and one in time for each failure that has one.
    decided: machine, month (such as 2024-12; empty for machines with clocks of their own), decisions: how many of the
    mature span had an opinion. absent: (machine, component) that do not exist. ends: by machine, until when its
    outcomes are known, for clocks of their own; else empty.
    """

    alarms: pd.DataFrame
    failures: pd.DataFrame
    maintenance: pd.DataFrame
    decisions: pd.DataFrame
    decided: pd.DataFrame
    absent: set[tuple[str, str]]
    ends: Mapping[str, int]

    def __post_init__(self) -> None:
        wanted = {
            "alarms": ALARMS,
            "failures": EVENTS,
            "maintenance": EVENTS,
            "decisions": ["machine", "time"],
            "decided": ["machine", "month", "decisions"],
        }
        for name, columns in wanted.items():
            missing = [column for column in columns if column not in getattr(self, name)]
            if missing:
                raise ValueError(f"{name}: no column {missing[0]!r}")


def mature_until(
    failures: pd.DataFrame, ends: Mapping[str, int], horizon: int, until: int
) -> Mapping[str, int] | int:
    """Up to when decisions are mature: for all machines, or by machine where each has a clock of its own (`ends`)."""
    if not ends:
        return until - horizon
    last = failures.groupby("machine")["time"].max().to_dict()
    return {name: end if last.get(name) == end else end - horizon for name, end in ends.items()}


def is_mature(frame: pd.DataFrame, column: str, limit: Mapping[str, int] | int) -> npt.NDArray[np.bool_]:
    """Which rows (machine, and a time in the column) are of the mature span."""
    limits = limit if isinstance(limit, int) else frame["machine"].map(dict(limit)).fillna(NONE)
    found: npt.NDArray[np.bool_] = (frame[column] <= limits).to_numpy(dtype=np.bool_)
    return found
