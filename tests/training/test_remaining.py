"""Remaining life, read off curves that can be read by eye."""

from __future__ import annotations

import numpy as np
import pytest

from forestall.training.remaining import remaining_life

HORIZONS = (24, 72, 168)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.1, 12.0), (0.2, 24.0), (0.5, 48.0), (0.8, 72.0), (0.85, 120.0), (0.9, 168.0), (0.95, np.inf)],
)
def test_quantiles_lie_on_the_curve(share: float, expected: float) -> None:
    curve = np.array([0.2, 0.8, 0.9])
    assert remaining_life(curve, HORIZONS, share) == pytest.approx(expected)


def test_quantiles_never_fall_and_are_finite_only_within_the_longest_horizon() -> None:
    curves = np.sort(np.random.default_rng(0).random((5, 4, 3)), axis=-1).astype(np.float32)
    lives = np.stack([remaining_life(curves, HORIZONS, share) for share in (0.1, 0.5, 0.9)])
    assert (np.diff(np.where(np.isinf(lives), 1e9, lives), axis=0) >= 0).all()
    assert (np.isfinite(lives[2]) == (curves[..., -1] >= 0.9)).all()
    assert np.isinf(remaining_life(np.zeros(3), HORIZONS, 0.1))


def test_a_flat_curve_gives_the_horizon_at_which_it_is_reached() -> None:
    assert remaining_life(np.array([0.5, 0.5, 0.5]), HORIZONS, 0.5) == 24.0
