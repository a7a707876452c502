"""Statistics over trailing windows, made of blocks anchored to the clock.

A window's value depends on what lies inside it and on nothing else, to the last bit: blocks are added in a
fixed tree that hangs from the window's end, never as a running or prefix sum, so that a history cut before the
window gives the same bytes and one outlier spoils only the windows that hold it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Combine = Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.NDArray[Any]]


@dataclass(frozen=True)
class Moments:
    """Per window: readings present, their sum, sum of squares, least and greatest; each [machines, blocks, sensors].

    Without a reading the sums are 0 and the extremes infinite.
    """

    count: Floats
    total: Floats
    squares: Floats
    low: Floats
    high: Floats

    def mean(self) -> Floats:
        """Mean of the readings; NaN without one."""
        return self.total / np.where(self.count > 0, self.count, np.nan)

    def std(self) -> Floats:
        """Standard deviation (divisor n); NaN with fewer than two readings."""
        count = np.where(self.count > 1, self.count, np.nan)
        mean = self.total / count
        return np.sqrt(np.maximum(self.squares / count - mean * mean, 0.0))


def block_moments(readings: Floats, width: int) -> Moments:
    """The moments of each run of `width` readings.

    Args:
        readings: [machines, blocks * width, sensors], missing as NaN. Values near 0 keep the variance exact:
            take each sensor's usual level off first.
    """
    machines, length, sensors = readings.shape
    shaped = readings.reshape(machines, length // width, width, sensors)
    first = shaped[:, :, 0]
    present = ~np.isnan(first)
    count, total = present.astype(np.float64), np.where(present, first, 0.0)
    squares, low, high = total * total, np.where(present, first, np.inf), np.where(present, first, -np.inf)
    for step in range(1, width):
        reading = shaped[:, :, step]
        present = ~np.isnan(reading)
        value = np.where(present, reading, 0.0)
        count += present
        total += value
        squares += value * value
        np.fmin(low, reading, out=low)
        np.fmax(high, reading, out=high)
    return Moments(count, total, squares, low, high)


def windowed(blocks: npt.NDArray[Any], length: int, combine: Combine, empty: float) -> npt.NDArray[Any]:
    """`combine` over the last `length` blocks up to each block, along axis 1; `empty` stands before the start."""
    result, covered, power, level = None, 0, 1, blocks
    while power <= length:
        if length & power:
            part = later(level, covered, empty)
            result = part if result is None else combine(result, part)
            covered += power
        if 2 * power <= length:
            level = combine(level, later(level, power, empty))
        power *= 2
    assert result is not None
    return result


def window_moments(blocks: Moments, length: int) -> Moments:
    """The moments of the last `length` blocks, at each block."""
    return Moments(
        windowed(blocks.count, length, np.add, 0.0),
        windowed(blocks.total, length, np.add, 0.0),
        windowed(blocks.squares, length, np.add, 0.0),
        windowed(blocks.low, length, np.minimum, np.inf),
        windowed(blocks.high, length, np.maximum, -np.inf),
    )


def later(values: npt.NDArray[Any], steps: int, empty: float) -> npt.NDArray[Any]:
    """`values` moved `steps` blocks later along axis 1; `empty` stands before the start."""
    if steps == 0:
        return values
    moved = np.full_like(values, empty)
    moved[:, steps:] = values[:, :-steps]
    return moved
