"""The test of two rates is the binomial one to the last digits, and holds its level where alarms cluster."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betainc
from scipy.stats import binom

from forestall.errors import ForestallError
from forestall.monitoring.rates import dispersion, incomplete_beta, rate_change

MACHINES, WEEKS = 100, 12


@pytest.mark.parametrize(
    ("now", "time", "before", "whole"),
    [(7, 30.0, 20, 90.0), (0, 4, 9, 12), (9, 4, 0, 12), (900, 7, 2000, 21)],
)
def test_tails_are_those_of_the_binomial(now: int, time: float, before: int, whole: float) -> None:
    found, n, p = rate_change(now, time, before, whole), now + before, time / (time + whole)
    assert found.more == pytest.approx(binom.sf(now - 1, n, p), rel=1e-9)
    assert found.fewer == pytest.approx(binom.cdf(now, n, p), rel=1e-9)
    assert found.p == pytest.approx(min(1, 2 * min(found.more, found.fewer)))
    assert found.expected == pytest.approx(before * time / whole)


def test_the_incomplete_beta_function() -> None:
    random = np.random.default_rng(0)
    for a, b in 10 ** random.uniform(-1, 5, (300, 2)):
        x = float(np.clip(random.beta(a, b), 1e-9, 1 - 1e-9))
        assert incomplete_beta(x, a, b) == pytest.approx(betainc(a, b, x), abs=1e-9)
    assert (incomplete_beta(0, 2, 3), incomplete_beta(1, 2, 3)) == (0, 1)


def test_no_alarm_at_all_is_no_change() -> None:
    found = rate_change(0, 5, 0, 20)
    assert (found.p, found.ratio, found.expected) == (1, None, 0)


def test_dispersion_makes_the_test_less_sure() -> None:
    assert rate_change(14, 28, 12, 84).p < rate_change(14, 28, 12, 84, 2.0).p


@pytest.mark.parametrize(
    "given", [(-1, 1, 1, 1), (1, 0, 1, 1), (1, 1, -1, 1), (1, 1, 1, 0), (1, 1, 1, 1, 0.5)]
)
def test_counts_that_cannot_be(given: tuple[float, ...]) -> None:
    with pytest.raises(ForestallError, match="counts are 0 or more"):
        rate_change(*given)  # type: ignore[arg-type]


def test_machines_that_always_alarm_more_do_not_make_the_rate_vary() -> None:
    random = np.random.default_rng(1)
    rates = np.where(np.arange(2000) < 200, 3.0, 0.1)[:, None]
    assert dispersion(random.poisson(rates, (2000, 3)), np.ones((2000, 3))) < 1.1


def test_no_alarm_and_no_time_have_no_dispersion() -> None:
    assert dispersion(np.zeros((3, 2), dtype=np.int64), np.ones((3, 2))) == 1
    assert dispersion(np.zeros((3, 2), dtype=np.int64), np.zeros((3, 2))) == 1


def fleets(random: np.random.Generator, follow: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Alarms [machines, weeks]; each is followed by so many more of its machine, one in each of the next weeks."""
    first = random.poisson(0.02 / (1 + follow), (MACHINES, WEEKS + 18))
    alarms = first.copy()
    for machine, week in zip(*np.nonzero(first), strict=True):
        after = slice(week + 1, week + 1 + random.poisson(follow))
        alarms[machine, after] += 1
    return alarms[:, -WEEKS - 4 :]


def rejected(follow: float, clustered: bool) -> float:
    """How often the test finds a change at 1 % where there is none; a month against twelve weeks."""
    random, found, runs = np.random.default_rng(2), 0, 600
    for _ in range(runs):
        before, now = np.split(fleets(random, follow), [WEEKS], axis=1)
        months = before.reshape(MACHINES, 3, 4).sum(axis=2)
        spread = dispersion(months, np.ones(months.shape)) if clustered else 1.0
        found += rate_change(int(now.sum()), 4.0, int(before.sum()), 12.0, spread).p <= 0.01
    return found / runs


def test_the_level_holds_where_alarms_are_alone() -> None:
    assert rejected(0.0, clustered=True) <= 0.015


def test_the_level_holds_where_alarms_cluster_and_would_not_without_dispersion() -> None:
    assert rejected(2.0, clustered=True) <= 0.025
    assert rejected(2.0, clustered=False) >= 0.04
