"""Error codes: spurious ones, spurious bursts of one code, those that go before a failure, and trips."""

import numpy as np
import numpy.typing as npt

from forestall.data.simulator.catalogue import CODES, HOURS_PER_DAY, TRIP
from forestall.data.simulator.traits import Machine
from forestall.data.simulator.wear import History

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DAYS_BETWEEN_BURSTS = 45


def draw_counts(machine: Machine, extra: Floats, running: Bools, rng: np.random.Generator) -> Counts:
    """Codes logged in the hour that ends at each reading, (hours, codes); none while standing still."""
    counts = rng.poisson(machine.code_rate + extra) + _bursts(len(extra), rng)
    return np.asarray(counts * running[:, None], dtype=np.int64)


def _bursts(hours: int, rng: np.random.Generator) -> Counts:
    """A loose contact or a filter to clean: some codes of one kind in a day, which mean nothing."""
    counts = np.zeros((hours, len(CODES)), dtype=np.int64)
    for _ in range(rng.poisson(hours / HOURS_PER_DAY / DAYS_BETWEEN_BURSTS)):
        code, start = rng.integers(len(CODES)), rng.integers(hours)
        times = start + rng.integers(0, rng.integers(3, 25), rng.integers(3, 10))
        np.add.at(counts, (times[times < hours], code), 1)
    return counts


def code_events(counts: Counts, history: History, rng: np.random.Generator) -> list[tuple[float, str]]:
    """Time (hours, on whole minutes) and code of every entry of the log, in order of time.

    Every failure trips the machine: code `TRIP` at that minute.
    """
    hour, code = np.nonzero(counts)
    repeat = counts[hour, code]
    hour, code = np.repeat(hour, repeat), np.repeat(code, repeat)
    times = hour - rng.integers(0, 60, len(hour)) / 60
    trips = np.array([life.ended for life in history.lives if life.failed], dtype=float)
    times = np.concatenate([times, trips])
    code = np.concatenate([code, np.full(len(trips), CODES.index(TRIP))])
    # Those of the first hour that would lie before the data are left out.
    order = np.lexsort((code, times))[(times < 0).sum() :]
    return [(float(times[place]), CODES[code[place]]) for place in order]
