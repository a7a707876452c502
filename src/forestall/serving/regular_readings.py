"""One machine's regular readings made clean without pandas, which over a few hundred rows takes most of the time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from forestall.data.clean import Grid, grid_of
from forestall.features.history import Floats, Ints
from forestall.serving.bundle import Bundle


def is_regular(time: Ints, grid: Grid) -> bool:
    """Whether readings in order of time stand at the ends of slots, one in each at most."""
    return bool((grid.ceil(time) == time).all() and (np.diff(time) > 0).all())


def clean_regular(machine: str, time: Ints, running: Any, values: Floats, bundle: Bundle) -> pd.DataFrame:
    """What `clean_telemetry` makes of regular readings within their sensors' ranges, without downtime.

    Args:
        time: [rows], regular; running: [rows]; values: [rows, sensors], missing as NaN.
    """
    interval = grid_of(bundle.plant.dataset).interval
    place = (time - time[0]) // interval
    slots = int(place[-1]) + 1 + bundle.plant.carry_forward
    on, measured = np.ones(slots, dtype=bool), np.zeros(slots, dtype=bool)
    laid = np.full((slots, values.shape[1]), np.nan)
    on[place], measured[place], laid[place] = running, True, values
    filled = laid.copy()
    for step in range(1, bundle.plant.carry_forward + 1):
        before = laid[:-step]
        filled[step:] = np.where(np.isnan(filled[step:]), before, filled[step:])
    columns: dict[str, Any] = {
        "machine": pd.Series([machine] * slots, dtype=object),
        "time": time[0] + interval * np.arange(slots, dtype=np.int64),
        "running": on,
        "measured": measured,
    }
    return pd.DataFrame(columns | dict(zip(bundle.reference.sensors, filled.T, strict=True)))
