"""The Brier score over all times up to the longest horizon, of curves of risk that are straight between the horizons.

Graf, Schmoor, Sauerbrei, Schumacher, "Assessment and comparison of prognostic classification schemes for survival
data", Statistics in Medicine 18, 1999. It needs no weights for censoring: of every decision that counts it is known
whether and when the part failed within the longest horizon.

A curve of risks F at K horizons is a sum of K hats, each 1 at its own horizon and 0 at the others and at the start.
"""

from __future__ import annotations

import numpy as np

from forestall.evaluation.probabilities import mean
from forestall.evaluation.resampling import ratio
from forestall.training.series import Floats, Ints


def integrated_brier(curves: Floats, life: Floats, horizons: tuple[int, ...]) -> Floats:
    """[N]: the mean over times t up to the longest horizon H of (F(t) - failed by t)^2.

    Args:
        curves: [N, K], risk of failure within each horizon. life: [N], ticks to the failure; infinite beyond H.
    """
    return _score(curves, hats_after(life, horizons), _failed(life, horizons), horizons)


def brier_of_rates(life: Floats, horizons: tuple[int, ...], whose: Ints, draws: Floats) -> Floats:
    """[D]: the mean integrated Brier score, in each draw, of always saying the share that fails within each horizon.

    Args:
        life, whose: [N], as in `integrated_brier`, and the machines they are of. draws: [D, machines].
    """

    def means(values: Floats) -> Floats:
        return np.stack([mean(column, whose, draws) for column in values.T], axis=1)

    rates = means((life[:, None] <= np.array(horizons)).astype(np.float64))
    failed = mean(_failed(life, horizons), whose, draws)
    return _score(rates, means(hats_after(life, horizons)), failed, horizons)


def brier_skill(score: Floats, of_rates: Floats) -> Floats:
    """1 - a score / that of always saying the rates; NaN where nothing fails."""
    return 1 - ratio(score, of_rates)


def hats_after(life: Floats, horizons: tuple[int, ...]) -> Floats:
    """[N, K]: the integral of each hat from a time to the longest horizon, in ticks."""
    knots = np.array([0, *horizons], dtype=np.float64)
    start, stop = knots[:-1], knots[1:]
    width, at = stop - start, np.clip(life[:, None], start, stop)
    found = (width**2 - (at - start) ** 2) / (2 * width)
    found[:, :-1] += ((stop - at) ** 2 / (2 * width))[:, 1:]
    return found


def _score(curves: Floats, after: Floats, failed: Floats, horizons: tuple[int, ...]) -> Floats:
    """The integral of (F - failed)^2 over the span, as that of F^2 - 2 F failed + failed."""
    squares = (curves @ _products(horizons) * curves).sum(axis=-1)
    found: Floats = (squares - 2 * (curves * after).sum(axis=-1) + failed) / horizons[-1]
    return found


def _products(horizons: tuple[int, ...]) -> Floats:
    """[K, K]: the integral of the product of two hats."""
    width = np.diff([0, *horizons]).astype(np.float64)
    own = width / 3
    own[:-1] += width[1:] / 3
    return np.diag(own) + np.diag(width[1:] / 6, 1) + np.diag(width[1:] / 6, -1)


def _failed(life: Floats, horizons: tuple[int, ...]) -> Floats:
    """[N]: for how long of the span the part had failed."""
    return np.maximum(horizons[-1] - life, 0.0)
