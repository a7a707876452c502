"""Windows over what operating conditions do not explain of the sensors' readings.

A reading y at conditions c is worth y - b (c - usual), with the slopes b of the machine's baseline at the time of
the decision. Sums of products over blocks are enough for any slopes: they are computed once, and no reading is
touched again when a baseline is renewed. Without conditions this is the plain mean and standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from forestall.features.history import Floats
from forestall.features.windows import later, windowed

Products = dict[tuple[int, int], Floats]
ONE, Y, FIRST = 0, 1, 2  # factors of the products: 1, the reading, then the conditions
LEAST_SHARE = 6  # with less than a sixth of its readings a window says little


def adjusted_blocks(readings: Floats, conditions: Sequence[int], width: int) -> Products:
    """Sums of products of 1, reading and conditions over each run of `width` readings, [machines, blocks, sensors].

    Only readings count whose conditions are known too. Values near 0 keep variances exact: take usual levels off
    first.

    Args:
        readings: [machines, blocks * width, sensors], missing as NaN.
        conditions: positions of the operating conditions among the sensors.
    """
    machines, length, sensors = readings.shape
    shaped = readings.reshape(machines, length // width, width, sensors)
    pairs = list(combinations_with_replacement(range(FIRST + len(conditions)), 2))
    sums = {pair: np.zeros((machines, length // width, sensors)) for pair in pairs}
    for step in range(width):
        y = shaped[:, :, step]
        given = [y[:, :, condition, None] for condition in conditions]
        present = ~np.isnan(y)
        for condition in given:
            present = present & ~np.isnan(condition)
        factors = [present.astype(np.float64), *(np.where(present, one, 0.0) for one in (y, *given))]
        for one, other in pairs:
            sums[one, other] += factors[one] * factors[other]
    return sums


@dataclass(frozen=True)
class Adjusted:
    """Windows [machines, decisions, sensors] at given slopes and usual conditions.

    moments: mean of 1 and of each factor, and their covariances. slopes: [machines, decisions, sensors, Q].
    usual: [machines, 1, Q], on the readings' own centred scale.
    """

    count: Floats
    means: dict[int, Floats]
    covariances: Products
    slopes: Floats
    usual: Floats

    @classmethod
    def over(cls, blocks: Products, length: int, slopes: Floats, usual: Floats, before: int = 0) -> Adjusted:
        """The windows of `length` blocks that end `before` blocks before each decision."""
        sums = {pair: later(windowed(one, length, np.add, 0.0), before, 0.0) for pair, one in blocks.items()}
        count = np.where(sums[ONE, ONE] > 0, sums[ONE, ONE], np.nan)
        means = {factor: one / count for (first, factor), one in sums.items() if first == ONE}
        products = {(i, j): one / count - means[i] * means[j] for (i, j), one in sums.items() if i != ONE}
        return cls(sums[ONE, ONE], means, products, slopes, usual)

    def enough(self, readings: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Where a window of so many readings holds a fair share of them."""
        return self.count * LEAST_SHARE >= readings

    def mean(self) -> Floats:
        """Mean at the usual conditions; NaN without a reading."""
        result = self.means[Y]
        for q in self._conditions:
            result = result - self.slopes[..., q] * (self.means[FIRST + q] - self.usual[:, :, None, q])
        return result

    def std(self) -> Floats:
        """Standard deviation (divisor n) of what the conditions do not explain; NaN with fewer than two readings."""
        variance = self.covariances[Y, Y]
        for q in self._conditions:
            variance = variance - self.slopes[..., q] * (
                self.covariances[Y, FIRST + q] + self._unexplained(q)
            )
        return np.where(self.count > 1, np.sqrt(np.maximum(variance, 0.0)), np.nan)

    def slope(self, q: int) -> Floats:
        """What is left of the dependence on condition q, for one standard deviation of it; NaN where it stood still."""
        spread = self.covariances[FIRST + q, FIRST + q]
        return self._unexplained(q) / np.sqrt(np.where(spread > 0, spread, np.nan))

    @property
    def _conditions(self) -> range:
        return range(self.slopes.shape[-1])

    def _unexplained(self, q: int) -> Floats:
        """Covariance of the rest with condition q."""
        result = self.covariances[Y, FIRST + q]
        for r in self._conditions:
            pair = (FIRST + min(q, r), FIRST + max(q, r))
            result = result - self.slopes[..., r] * self.covariances[pair]
        return result
