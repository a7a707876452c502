"""Remaining life, read off the same risks as alarms: by when has a part failed with a chance of 10, 50 or 90 %?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LIFE = {"life_p10": 0.1, "life_p50": 0.5, "life_p90": 0.9}


def remaining_life(curves: npt.NDArray[np.floating], horizons: tuple[int, ...], share: float) -> Floats:
    """The quantile `share` of the time to failure, in ticks, [...]; infinite where it lies beyond the longest horizon.

    Risk is taken to rise evenly between one horizon and the next, and from 0 at the start.

    Args:
        curves: [..., horizons], risk of failure within each horizon; it never falls.
    """
    times = np.array([0, *horizons], dtype=np.float64)
    risk = np.concatenate([np.zeros((*curves.shape[:-1], 1)), curves.astype(np.float64)], axis=-1)
    after = (risk < share).sum(axis=-1)
    reached = after < len(times)
    after = np.minimum(np.maximum(after, 1), len(times) - 1)
    high, low = (np.take_along_axis(risk, (at)[..., None], axis=-1)[..., 0] for at in (after, after - 1))
    step = (share - low) / np.where(high > low, high - low, 1.0)
    life = times[after - 1] + step * (times[after] - times[after - 1])
    return np.where(reached, life, np.inf)
