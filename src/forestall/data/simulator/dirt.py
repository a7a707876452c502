"""The dirt of real exports, all of it repairable: what is missing, wrong, twice or late."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forestall.data.simulator.catalogue import HOURS_PER_DAY
from forestall.data.simulator.traits import Machine

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

DAYS_BETWEEN_GAPS = 20
DAYS_BETWEEN_STUCK = 90
MISSING = 0.002
IMPOSSIBLE = 0.0002
SENTINELS = (-999.0, 9999.0, 65535.0)
DUPLICATE = 0.001
LATE = 0.003
# A sensor out of order for weeks on every twentieth machine, so that a small fleet has one too.
BROKEN_EVERY = 20
BROKEN_FIRST = 3


@dataclass(frozen=True)
class Export:
    """One machine's telemetry as exported.

    `readings` is (hours, columns); `rows` are the hours in the order of the file, some left out, some twice;
    `usable` is (hours, columns): a true measurement stands there.
    """

    readings: Floats
    rows: Ints
    usable: Bools


def make_dirty(
    machine: Machine, clean: Floats, down: Bools, still: Floats, rng: np.random.Generator
) -> Export:
    """Spoil one machine's readings.

    Args:
        clean: (hours, columns) as measured by a perfect logger.
        down: (hours,) the machine stands still.
        still: (hours, columns) what a logger writes then, if it writes at all.
    """
    hours, columns = clean.shape
    values, usable = clean.copy(), np.ones(clean.shape, dtype=bool)
    _stick(values, usable, rng)
    values[down], usable[down] = still[down], False
    absent = _gaps(hours, rng)
    if not machine.model.zeros_when_down:
        absent |= down
    usable[absent] = False
    wrong = rng.random(values.shape) < IMPOSSIBLE
    values[wrong] = rng.choice(SENTINELS, int(wrong.sum()))
    lost = (rng.random(values.shape) < MISSING) | _broken(machine, hours, columns, rng)
    values[lost] = np.nan
    usable &= ~(wrong | lost)
    return Export(values, _file_order(np.flatnonzero(~absent), rng), usable)


def _stick(values: Floats, usable: Bools, rng: np.random.Generator) -> None:
    """Sensors that repeat one value for 6 to 72 hours."""
    hours, columns = values.shape
    for _ in range(rng.poisson(hours / HOURS_PER_DAY / DAYS_BETWEEN_STUCK)):
        column, start = rng.integers(columns), rng.integers(hours)
        stop = start + rng.integers(6, 73)
        values[start:stop, column] = values[start, column]
        usable[start + 1 : stop, column] = False


def _gaps(hours: int, rng: np.random.Generator) -> Bools:
    """Rows that never arrived: mostly an hour or two, seldom half a day."""
    absent = np.zeros(hours, dtype=bool)
    for _ in range(rng.poisson(hours / HOURS_PER_DAY / DAYS_BETWEEN_GAPS)):
        start, length = rng.integers(hours), min(rng.geometric(0.45), 12)
        absent[start : start + length] = True
    return absent


def _broken(machine: Machine, hours: int, columns: int, rng: np.random.Generator) -> Bools:
    broken = np.zeros((hours, columns), dtype=bool)
    column, weeks, place = rng.integers(columns), rng.integers(2, 6), rng.random()
    if machine.number % BROKEN_EVERY == BROKEN_FIRST:
        length = int(weeks * 7 * HOURS_PER_DAY)
        start = int(place * max(hours - length, 1))
        broken[start : start + length, column] = True
    return broken


def _file_order(rows: Ints, rng: np.random.Generator) -> Ints:
    """Some rows twice, some up to eight places late."""
    rows = np.repeat(rows, 1 + (rng.random(len(rows)) < DUPLICATE))
    late = np.where(rng.random(len(rows)) < LATE, rng.integers(2, 9, len(rows)) + 0.5, 0.0)
    return np.asarray(rows[np.argsort(np.arange(len(rows)) + late, kind="stable")], dtype=np.int64)
