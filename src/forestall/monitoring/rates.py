"""Whether alarms come more or less often than in the reference weeks.

Given alarms k over machine-time t now and K over T in the reference, and k + K = n, under equal rates k is binomial
with n trials and probability p = t / (t + T): the conditional test of two Poisson rates (Przyborowski and Wilenski,
1940),

    P(X >= k) = I_p(k, n - k + 1),    P(X <= k) = I_(1-p)(n - k, k + 1),

with I the regularised incomplete beta function; two-sided is twice the smaller tail, at most 1. It is exact for
alarms that come independently, and its true level lies below the nominal one, as counts are whole.

Alarms that cluster vary by more than a Poisson count. Their dispersion, variance over mean, is estimated from the
reference (`dispersion`), and never taken below 1; the test is then of k / dispersion and K / dispersion alarms, to
which I extends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forestall.errors import ForestallError

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
TINY, EXACT, STEPS = 1e-300, 1e-14, 100_000


@dataclass(frozen=True)
class RateChange:
    """Of alarms now against the reference.

    expected: how many alarms there would be at the reference's rate. ratio: rate now over the reference's; None if the
    reference has no alarm. p, more, fewer: probabilities of a change as large, of as many alarms, of as few.
    """

    alarms: int
    expected: float
    ratio: float | None
    p: float
    more: float
    fewer: float


def rate_change(
    alarms: int, time: float, reference_alarms: int, reference_time: float, dispersion: float = 1.0
) -> RateChange:
    """The test of a change.

    Args:
        time, reference_time: machine-time over which the alarms came, of one unit.

    Raises:
        ForestallError: counts or times that cannot be.
    """
    if min(alarms, reference_alarms) < 0 or not (time > 0 and reference_time > 0 and dispersion >= 1):
        raise ForestallError(
            f"{alarms} alarms over {time} against {reference_alarms} over {reference_time}, dispersion {dispersion}: "
            "counts are 0 or more, times above 0, a dispersion 1 or more."
        )
    p = time / (time + reference_time)
    k, rest = alarms / dispersion, reference_alarms / dispersion
    more = incomplete_beta(p, k, rest + 1) if k else 1.0
    fewer = incomplete_beta(1 - p, rest, k + 1) if rest else 1.0
    expected = reference_alarms / reference_time * time
    ratio = alarms / expected if reference_alarms else None
    return RateChange(alarms, expected, ratio, min(1.0, 2 * min(more, fewer)), more, fewer)


def dispersion(alarms: Ints, time: Floats) -> float:
    """Variance over mean of alarms in windows of one machine, pooled over machines; 1 or more.

    Only what varies between a machine's own windows counts: that some machines always alarm more than others does not
    make the fleet's rate vary.

    Args:
        alarms, time: [machines, windows]; a window without machine-time is none.
    """
    total, whole = alarms.sum(axis=1, keepdims=True), time.sum(axis=1, keepdims=True)
    expected = np.divide(total * time, whole, out=np.zeros(time.shape), where=whole > 0)
    shares = np.divide(time**2, whole**2, out=np.zeros(time.shape), where=whole > 0)
    # Of a Poisson count given its machine's total, the squared residual is total * share * (1 - share) in the mean.
    chance = float(expected.sum() - (total * shares).sum())
    return max(1.0, float(((alarms - expected) ** 2).sum()) / chance) if chance > 0 else 1.0


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a, b > 0, by its continued fraction."""
    if not 0 < x < 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _beta_fraction(1 - x, b, a)
    return _beta_fraction(x, a, b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    """I_x(a, b) where the fraction converges fast: x below the mean. By Lentz's method."""
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1.0 / _apart(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1.0 / _apart(1.0 + term * d), _apart(1.0 + term / c)
            value *= c * d
        if abs(c * d - 1.0) < EXACT:
            return math.exp(log) * value / a
    raise ArithmeticError(f"I_{x}({a}, {b}) did not converge")


def _apart(value: float) -> float:
    return value if abs(value) > TINY else TINY
