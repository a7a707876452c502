"""Machines' own baselines as they are handed in: from a bundle or a store, instead of from months of history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forestall.features.baselines import OwnBaselines, columns_of
from forestall.features.reference import Reference

ALWAYS = -(2**62)


def handed_in(frame: pd.DataFrame, machines: Sequence[str], reference: Reference) -> OwnBaselines:
    """What `own_frame` wrote, as baselines that hold at any time for these machines.

    A machine that the frame lacks has none of its own: its model's stands in where features are made.
    """
    sensors, places = list(reference.sensors), reference.condition_places
    known = frame.set_index("machine").reindex(list(machines))
    columns = [known[columns_of(sensor, sensors, places)].to_numpy(dtype=np.float64) for sensor in sensors]
    values = np.stack(columns, axis=1)[:, None]
    return OwnBaselines(np.array([ALWAYS], dtype=np.int64), values[..., 0], values[..., 1], values[..., 2:])
