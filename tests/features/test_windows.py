"""Window statistics against pandas, and against an outlier."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forestall.features.windows import block_moments, window_moments


def readings(outlier: float | None = None) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    rng = np.random.default_rng(7)
    values = rng.normal(0, 10, (2, 240, 1))
    values[rng.random(values.shape) < 0.1] = np.nan
    if outlier is not None:
        values[0, 50, 0] = outlier
    return values


@pytest.mark.parametrize("hours", [3, 24, 45])
def test_they_equal_pandas_rolling(hours: int) -> None:
    values = readings()
    moments = window_moments(block_moments(values, 3), hours // 3)
    rolling = pd.Series(values[0, :, 0]).rolling(hours, min_periods=1)
    expected = {
        "mean": rolling.mean(),
        "std": rolling.std(ddof=0),
        "low": rolling.min(),
        "high": rolling.max(),
    }
    found = {"mean": moments.mean(), "std": moments.std(), "low": moments.low, "high": moments.high}
    for name, series in expected.items():
        at = series.to_numpy()[2::3]
        ours = np.where(np.isinf(found[name][0, :, 0]), np.nan, found[name][0, :, 0])
        known = ~np.isnan(ours)
        assert known.sum() > 70
        np.testing.assert_allclose(ours[known], at[known], rtol=1e-9, atol=1e-9)


def test_an_outlier_spoils_only_the_windows_that_hold_it() -> None:
    clean = window_moments(block_moments(readings(), 3), 8).std()
    spoiled = window_moments(block_moments(readings(outlier=1e12), 3), 8).std()
    differs = np.flatnonzero((clean != spoiled)[0, :, 0])
    assert differs.min() == 50 // 3
    assert differs.max() == 50 // 3 + 7
