"""How old parts were, in bands that double."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forestall.training.series import Ints

UNKNOWN = -1


def age_bands(cells: pd.DataFrame, renewals: pd.DataFrame, band: int) -> Ints:
    """Bands of the parts' ages [N]: 0 below `band` ticks, then 1 below twice as many, 2 below four times; `UNKNOWN`.

    Args:
        cells: machine, component, time [N].
        renewals: machine, component, time at which a part was new: replaced, or repaired after a failure.
    """
    keys = ["machine", "component"]
    cells = cells[[*keys, "time"]].astype(dict.fromkeys(keys, object)).assign(row=range(len(cells)))
    known = renewals[[*keys, "time"]].astype(dict.fromkeys(keys, object) | {"time": "int64"})
    known = known.assign(since=known["time"]).sort_values("time", kind="stable")
    found = pd.merge_asof(cells.sort_values("time", kind="stable"), known, on="time", by=keys)
    found = found.sort_values("row", kind="stable")
    age = (found["time"] - found["since"]).to_numpy(dtype=np.float64) / band
    bands = np.floor(np.log2(np.maximum(age, 0.5))) + 1
    return np.where(np.isnan(age), UNKNOWN, bands).astype(np.int64)
