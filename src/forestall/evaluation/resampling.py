"""The bootstrap by machine: figures of many fleets drawn from the machines of one, all at once.

Machines are drawn, with replacement, and not decisions or alarms: those of one machine resemble each other (Efron,
Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 8 and 13: percentile intervals over independent units).
A draw is how often each machine is in it, so that a figure of all draws is one product of matrices.
"""

from __future__ import annotations

import numpy as np

from forestall.training.series import Floats, Ints

DRAWS = 2000
SEED = 0
LEVELS = (0.025, 0.975)
CELLS = 2**22  # of draws times values that are held at a time


def drawn(machines: int, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """How often each machine is in each draw, [1 + draws, machines]; the first row is the fleet itself.

    Of one machine alone there are no draws: they would all be the same, and say that nothing is uncertain.
    """
    draws = draws if machines > 1 else 0
    picked = np.random.default_rng(seed).integers(0, max(machines, 1), (draws, machines))
    flat = (picked + machines * np.arange(draws)[:, None]).ravel()
    times = np.bincount(flat, minlength=draws * machines).reshape(draws, machines)
    return np.vstack([np.ones((1, machines)), times])


def interval(values: Floats) -> tuple[float, float, float] | None:
    """Value, low and high (95 %) of a figure [1 + draws], or nothing.

    There is none if the figure is undefined (NaN) for the fleet itself or for more than half of the draws, or if the
    draws are all alike: where two failures of two were caught, drawing them again says nothing about chance.
    """
    defined = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or 2 * len(defined) <= len(values) - 1:
        return None
    low, high = np.quantile(defined, LEVELS)
    return (float(values[0]), float(low), float(high)) if low < high else None


def ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, NaN where there is nothing to divide by."""
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    found: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return found


def quantile(values: Floats, whose: Ints, draws: Floats, share: float) -> Floats:
    """The quantile of values that machines bring with them, in each draw; NaN where a draw has none.

    Args:
        values, whose: [L], values and the machines they are of. draws: [D, machines].

    Returns:
        [D]: what `numpy.quantile` gives of the values, each as often as its machine was drawn.
    """
    order, step = np.argsort(values, kind="stable"), max(CELLS // max(len(values), 1), 1)
    some = (draws[start : start + step] for start in range(0, len(draws), step))
    return np.concatenate([_quantile(values[order], whose[order], draw, share) for draw in some])


def _quantile(values: Floats, whose: Ints, draws: Floats, share: float) -> Floats:
    """As `quantile`, of values in order, all draws at once."""
    below = np.cumsum(draws[:, whose], axis=1)
    total = below[:, -1] if len(values) else np.zeros(len(draws))
    if not total.any():
        return np.full(len(draws), np.nan)
    place = np.maximum(total - 1, 0) * share

    def at(rank: Floats) -> Floats:
        found: Floats = values[np.minimum((below <= rank[:, None]).sum(axis=1), len(values) - 1)]
        return found

    low, high = at(np.floor(place)), at(np.ceil(place))
    return np.where(total > 0, low + (place - np.floor(place)) * (high - low), np.nan)
