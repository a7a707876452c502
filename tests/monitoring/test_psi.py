"""PSI is its formula; its threshold holds the level where rows are autocorrelated, and naive tests do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from forestall.errors import ForestallError
from forestall.monitoring.bins import Bins
from forestall.monitoring.psi import (
    SMOOTHING,
    between_weeks,
    contributions,
    psi,
    psi_thresholds,
    shares,
)

STARTS = np.array([0, 3, 5])
MACHINES, WEEKS, DECISIONS = 60, 12, 14
RUNS = 150


def test_the_formula() -> None:
    p, q = (np.array(one, dtype=float) + SMOOTHING for one in ([10, 20, 0], [30, 5, 1]))
    p, q = p / p.sum(), q / q.sum()
    reference, current = np.array([10, 20, 0, 4, 4]), np.array([30, 5, 1, 8, 8])
    found = psi(reference, current, STARTS)
    assert found[0] == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=1e-5)
    assert found[1] == pytest.approx(0, abs=1e-6)


def test_nothing_counted_has_even_shares() -> None:
    assert shares(np.zeros(5), STARTS) == pytest.approx([1 / 3] * 3 + [1 / 2] * 2)


def test_machines_add_up_to_it() -> None:
    reference, blocks = np.array([4000, 3000, 3000]), np.array([[300, 10, 20], [100, 200, 300]])
    found = contributions(reference, blocks, STARTS[:2])
    assert found.sum() == pytest.approx(psi(reference, blocks.sum(axis=0), STARTS[:2])[0], rel=0.01)
    assert found[0, 0] > found[1, 0]


def test_thresholds_are_the_same_every_time() -> None:
    counts, machine = np.random.default_rng(0).integers(9, size=(40, 5)), np.repeat(np.arange(8), 5)
    some = psi_thresholds(counts, machine, STARTS, 8, 0.01, 200)
    assert some.tobytes() == psi_thresholds(counts, machine, STARTS, 8, 0.01, 200).tobytes()
    assert (psi_thresholds(counts, machine, STARTS, 2, 0.01, 200) > some).all()


def test_weeks_are_compared_with_the_other_weeks() -> None:
    counts = np.array([[90, 10, 0, 50, 50]] * 4 + [[30, 60, 10, 52, 48]] * 2)
    week = np.array([0, 0, 7, 7, 14, 14])
    found = between_weeks(counts, week, STARTS)
    assert found == pytest.approx(psi(counts[:4].sum(axis=0), counts[4:].sum(axis=0), STARTS), rel=1e-5)
    assert found[0] > 1 > 0.01 > found[1] > 0


def test_a_week_that_is_cut_short_is_none_of_them() -> None:
    counts = np.array([[90, 10, 0, 50, 50]] * 4 + [[0, 0, 60, 0, 60]])
    week = np.array([0, 0, 7, 7, 14])
    assert between_weeks(counts, week, STARTS) == pytest.approx([0, 0], abs=1e-6)
    assert between_weeks(counts[:2], week[:2], STARTS).tolist() == [0, 0]


@pytest.mark.parametrize(("rows", "blocks", "draws"), [(0, 3, 200), (40, 0, 200), (40, 3, 50)])
def test_too_few_to_tell(rows: int, blocks: int, draws: int) -> None:
    with pytest.raises(ForestallError, match="too few"):
        psi_thresholds(np.ones((rows, 5)), np.zeros(rows, dtype=np.int64), STARTS, blocks, 0.01, draws)


def history(random: np.random.Generator, memory: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A value of each machine at each decision, [machines, weeks + 9, decisions]; memory in decisions."""
    keep = float(np.exp(-1 / memory)) if memory else 0.0
    noise = random.normal(size=(MACHINES, (WEEKS + 9) * DECISIONS))
    values = noise.copy()
    for step in range(1, values.shape[1]):
        values[:, step] = keep * values[:, step - 1] + np.sqrt(1 - keep**2) * noise[:, step]
    return values.reshape(MACHINES, WEEKS + 9, DECISIONS)


def alarms(memory: float) -> tuple[float, float]:
    """How often a week long after the reference is beyond at 1 %, though nothing changed: by blocks, by KS of rows."""
    random, ours, naive = np.random.default_rng(3), 0, 0
    machine = np.repeat(np.arange(MACHINES), WEEKS)
    group = np.repeat(np.arange(MACHINES * WEEKS), DECISIONS)
    for _ in range(RUNS):
        values = history(random, memory)
        before, now = values[:, :WEEKS].reshape(-1, 1), values[:, -1].reshape(-1, 1)
        bins = Bins.of(["value"], before)
        known = bins.counts(before, group, MACHINES * WEEKS)
        week = bins.counts(now, np.zeros(len(now), dtype=np.int64), 1)[0]
        limit = psi_thresholds(known, machine, bins.starts, MACHINES, 0.01, 300)
        ours += bool((psi(known.sum(axis=0), week, bins.starts) > limit)[0])
        naive += bool(ks_2samp(before.ravel(), now.ravel(), method="asymp").pvalue < 0.01)
    return ours / RUNS, naive / RUNS


def test_rows_that_are_independent_are_no_trouble_to_either() -> None:
    ours, naive = alarms(0)
    assert ours <= 0.04 and naive <= 0.04


@pytest.mark.parametrize("memory", [14, 56])
def test_the_level_holds_where_rows_are_autocorrelated_and_naive_tests_cry_wolf(memory: float) -> None:
    ours, naive = alarms(memory)
    assert ours <= 0.04
    assert naive >= 0.3
