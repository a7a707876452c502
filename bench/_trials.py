"""Trials of monitors: faults of sensors put into raw telemetry, and when and how often a monitor says something.

Raw telemetry is a frame as the tables give it before cleaning: machine, time (ticks), running, one column a sensor. A
fault changes the readings from its start on, of the machines named, and leaves the frame that it was given as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import kstwo

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Fault = Callable[[pd.DataFrame], pd.DataFrame]
DAY = 86400.0  # ticks of a clock of timestamps
Values = npt.NDArray[np.floating[Any]]
SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


def offset(sensor: str, by: Mapping[str, float], start: int) -> Fault:
    """The sensor reads so much more on each of the machines; by: in the sensor's unit."""

    def shifted(raw: pd.DataFrame) -> pd.DataFrame:
        more = raw["machine"].map(by).fillna(0.0).to_numpy(dtype=np.float64)
        late = (raw["time"] >= start).to_numpy()
        return raw.assign(**{sensor: raw[sensor].to_numpy() + np.where(late, more, 0.0)})

    return shifted


def dead(sensor: str, machines: Collection[str], start: int) -> Fault:
    """The sensor gives nothing on these machines."""

    def emptied(raw: pd.DataFrame) -> pd.DataFrame:
        hit = raw["machine"].isin(machines) & (raw["time"] >= start)
        return raw.assign(**{sensor: raw[sensor].mask(hit)})

    return emptied


def stuck(sensor: str, machines: Collection[str], start: int, possible: tuple[float, float]) -> Fault:
    """The sensor repeats its last possible value, lowest to highest, on these machines, also where one was missing."""

    def held(raw: pd.DataFrame) -> pd.DataFrame:
        mine = raw[raw["machine"].isin(machines)]
        known = mine[(mine["time"] < start) & mine[sensor].between(*possible)]
        last = known.sort_values("time", kind="stable").groupby("machine")[sensor].last()
        hit = mine.index[mine["time"] >= start]
        values = raw[sensor].copy()
        values.loc[hit] = mine.loc[hit, "machine"].map(last).to_numpy(dtype=np.float64)
        return raw.assign(**{sensor: values})

    return held


def episodes(alarmed: Sequence[bool]) -> int:
    """How many times something began: windows one after the other in which it is said are one episode."""
    flags = np.asarray(alarmed, dtype=bool)
    return int((flags & ~np.r_[False, flags[:-1]]).sum()) if len(flags) else 0


def delay(ends: Ints, said: Sequence[Set[str]], otherwise: Sequence[Set[str]], start: int) -> float:
    """Days from a fault's start to the first window's end at which the monitor says what it would not say without it.

    Args:
        ends: of the windows, ticks, rising. said: what the monitor says at each. otherwise: what it says at the same
            end of the same stream without the fault. start: ticks.

    Returns:
        Infinite if it never does. What was said of windows that ended before the start cannot be of the fault.
    """
    for end, now, without in zip(ends.tolist(), said, otherwise, strict=True):
        if end > start and now - without:
            return float((end - start) / DAY)
    return float("inf")


def delay_from_silence(
    ends: Ints, said: Sequence[Set[str]], otherwise: Sequence[Set[str]], start: int
) -> float:
    """The same, but an end counts only where nothing at all would be said without the fault."""
    silent = [now if not without else frozenset[str]() for now, without in zip(said, otherwise, strict=True)]
    return delay(ends, silent, otherwise, start)


def over_all(delays: Floats, share: float) -> float:
    """The delay within which a share of all trials is found: those never found wait for ever."""
    return float(np.quantile(delays, share, method="higher"))


def ks_distance(few: Values, many: Values) -> Floats:
    """The two-sample Kolmogorov-Smirnov statistic of each feature, [F].

    As `scipy.stats.ks_2samp` has it, in a tenth of its time: the largest distance is at a value of one sample, on its
    one side or its other.

    Args:
        few, many: sorted values, [F, n] and [F, m].
    """
    found = np.empty(len(few))
    for at, (one, other) in enumerate(zip(few, many, strict=True)):
        own, theirs = ([np.searchsorted(x, one, side) / len(x) for side in SIDES] for x in (one, other))
        found[at] = max((own[1] - theirs[1]).max(), (theirs[0] - own[0]).max())
    return found


@cache
def ks_critical(level: float, n: int, m: int) -> float:
    """The statistic above which `ks_2samp(..., method="asymp")` has a two-sided p below a level."""
    return float(kstwo.isf(level, round(n * m / (n + m))))
