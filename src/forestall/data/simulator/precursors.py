"""What wear does to the sensors and error codes of one machine before a part fails."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forestall.data.simulator.catalogue import CODES, SENSOR_NAMES
from forestall.data.simulator.wear import Life

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Signature:
    """One life's precursor over hours `first` .. `first` + n - 1, while the part is in use.

    `shift` and `spread` are (n, sensors): level in units of noise, and noise as a multiple of the usual
    minus 1; `slope` is (n,): change of the current's gain; `codes` is (n, codes): extra codes an hour.
    """

    first: int
    shift: Floats
    spread: Floats
    slope: Floats
    codes: Floats

    @property
    def hours(self) -> slice:
        """The hours that it covers, as a slice of the data."""
        return slice(self.first, self.first + len(self.slope))


@dataclass(frozen=True)
class Precursors:
    """All signatures of one machine together: the sum of shifts, slopes and codes, the product of spreads."""

    shift: Floats
    spread: Floats
    slope: Floats
    codes: Floats


def signature(life: Life, hours: int) -> Signature:
    """The precursor of one life at the hourly readings inside [0, hours)."""
    first = max(int(np.floor(life.onset)) + 1, 0)
    last = min(life.ended, life.fails, hours - 1)
    readings = np.arange(first, max(int(np.floor(last)), first - 1) + 1)
    span = max(life.fails - life.onset, 1.0)
    growth = np.asarray(
        life.strength * ((readings - life.onset) / span) ** life.mode.growth, dtype=np.float64
    )
    return Signature(
        first=first,
        shift=growth[:, None] * _by_name(life.mode.shift, SENSOR_NAMES),
        spread=growth[:, None] * _by_name(life.mode.spread, SENSOR_NAMES),
        slope=growth * life.mode.slope,
        codes=growth[:, None] * _by_name(life.mode.codes, CODES) * (life.mode.growth + 1) / span,
    )


def combine(signatures: list[Signature], hours: int) -> Precursors:
    """What all the signatures do to one machine's `hours` readings."""
    sensors = (hours, len(SENSOR_NAMES))
    total = Precursors(np.zeros(sensors), np.ones(sensors), np.zeros(hours), np.zeros((hours, len(CODES))))
    for one in signatures:
        total.shift[one.hours] += one.shift
        total.spread[one.hours] *= 1 + one.spread
        total.slope[one.hours] += one.slope
        total.codes[one.hours] += one.codes
    return total


def _by_name(values: Mapping[str, float], names: tuple[str, ...]) -> Floats:
    return np.array([values.get(name, 0.0) for name in names])
