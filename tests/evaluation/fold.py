"""Small folds for tests: machine m1 with one part, a decision an hour, horizon 10, min_lead 2, quiet 2."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.dataset import Costs
from forestall.training.alarms import open_alarms
from forestall.training.series import Rules, Series, series_of

RULES = Rules(horizon=10, min_lead=2, quiet=2)
COSTS = Costs(failure=1000.0, planned=200.0, inspection=50.0, prevented=0.8)


def events(*rows: tuple[str, int, str]) -> pd.DataFrame:
    """machine, time, component."""
    frame = pd.DataFrame(rows, columns=["machine", "time", "component"])
    return frame.astype({"machine": object, "time": np.int64, "component": object})


def decisions(machines: int, steps: int) -> pd.DataFrame:
    """A decision at each of the times 0, 1, … of m1, m2, …"""
    names = np.array([f"m{number + 1}" for number in range(machines)], dtype=object)
    return pd.DataFrame({"machine": np.repeat(names, steps), "time": np.tile(np.arange(steps), machines)})


def one_part(
    steps: int, failures: list[int] | None = None, replaced: list[int] | None = None, end: int = 1000
) -> Series:
    """m1 with its pump."""
    failed = events(*(("m1", time, "pump") for time in failures or []))
    work = events(*(("m1", time, "pump") for time in replaced or []))
    return series_of(decisions(1, steps), ["pump"], set(), failed, work, end, repair=3)


def risk_of(series: Series, high: list[int]) -> npt.NDArray[np.float32]:
    """Risk 0.9 at some times and 0.1 at the others, [1, T]."""
    return np.where(np.isin(series.time, high), 0.9, 0.1).astype(np.float32)[None, :]


def alarms(series: Series, high: list[int]) -> list[tuple[int, int, str, int]]:
    """opened, closed, outcome, lead of each alarm at threshold 0.5."""
    frame = open_alarms(series, risk_of(series, high), 0.5, RULES)
    return list(frame[["opened", "closed", "outcome", "lead"]].itertuples(index=False, name=None))
