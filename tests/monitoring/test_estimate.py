"""Estimates before labels: right where risks are calibrated, withheld where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson_binom

from forestall.monitoring.estimate import (
    FEWER,
    MORE,
    TOO_FEW,
    Known,
    checked,
    estimated,
    expected_recall,
    known_after,
    poisson_binomial,
)
from forestall.training.series import Bools, Floats
from tests.monitoring.in_service import event_frame
from tests.plant import DAY

LEVEL, LEAST = 0.001, 10
NONE = np.zeros(0)


def risks(count: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).beta(0.3, 6, count)


def drawn(risk: Floats, scale: float = 1.0, seed: int = 1) -> Bools:
    return np.asarray(np.random.default_rng(seed).random(len(risk)) < scale * risk)


def known(risk: Floats, failed: Bools, hidden: Bools | None = None) -> Known:
    return Known(risk, failed, np.zeros(len(risk), dtype=np.bool_) if hidden is None else hidden)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 64, 1001])
def test_poisson_binomial(count: int) -> None:
    risk = risks(count)
    found = poisson_binomial(risk)
    expected = poisson_binom.pmf(np.arange(count + 1), risk) if count else np.ones(1)
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_poisson_binomial_of_a_large_fleet() -> None:
    risk = np.repeat(risks(1000), 400)
    found, number = poisson_binomial(risk), np.arange(len(risk) + 1)
    assert found.sum() == pytest.approx(1, abs=1e-9)
    mean = (found * number).sum()
    assert mean == pytest.approx(risk.sum(), rel=1e-9)
    assert (found * (number - mean) ** 2).sum() == pytest.approx((risk * (1 - risk)).sum(), rel=1e-6)


def test_what_is_no_probability_is_refused() -> None:
    for value in (-0.1, 1.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="not between 0 and 1"):
            poisson_binomial(np.array([0.5, value]))
    with pytest.raises(ValueError, match="level: 0 is not"):
        checked(known(NONE, NONE > 0), 0, LEAST)


def test_calibrated_risks_are_seldom_refuted() -> None:
    risk = risks(2000)
    values = [checked(known(risk, drawn(risk, seed=seed)), LEVEL, LEAST).p_value for seed in range(300)]
    assert np.mean(np.array(values) < 0.05) <= 0.09
    assert np.mean(np.array(values) < 0.5) >= 0.35


@pytest.mark.parametrize(("scale", "why"), [(1.0, ""), (2.0, MORE), (0.4, FEWER)])
def test_risks_that_are_off_are_refuted(scale: float, why: str) -> None:
    risk = risks(3000)
    found = checked(known(risk, drawn(risk, scale)), LEVEL, LEAST)
    assert found.withheld == why
    assert found.expected == pytest.approx(risk.sum())


def test_few_failures_prove_nothing() -> None:
    risk = risks(60)
    assert checked(known(risk, drawn(risk)), LEVEL, LEAST).withheld == TOO_FEW
    assert checked(known(NONE, NONE > 0), LEVEL, LEAST).withheld == TOO_FEW
    # But none at all where many were expected does.
    assert checked(known(risks(2000), np.zeros(2000, dtype=np.bool_)), LEVEL, LEAST).withheld == FEWER


def test_what_replacements_hid_refutes_nothing() -> None:
    risk = risks(3000)
    failed = drawn(risk)
    prevented = failed & (np.random.default_rng(2).random(len(risk)) < 0.6)
    assert checked(known(risk, failed & ~prevented), LEVEL, LEAST).withheld == FEWER
    found = checked(known(risk, failed & ~prevented, prevented), LEVEL, LEAST)
    assert (found.withheld, found.at_most) == ("", failed.sum())
    assert checked(known(risk, drawn(risk, 2.5), prevented), LEVEL, LEAST).withheld == MORE


def test_what_follows_a_decision() -> None:
    cells = event_frame([("m0", 1, "pump"), ("m0", 2, "pump"), ("m0", 3, "pump"), ("m1", 1, "pump")])
    cells = cells.assign(risk=[0.1, 0.2, 0.3, 0.4])
    failures = event_frame([("m0", 3, "pump"), ("m0", 1.5, "seal"), ("m1", 2.01, "pump")])
    found = known_after(cells, failures, event_frame([("m1", 1.5, "pump")]), DAY)
    told = dict(zip(found.risk, zip(found.failed, found.hidden, strict=True), strict=True))
    # (time, time + horizon]: at day 3 the failure is past, and that of m1 comes too late.
    assert told == {0.1: (False, False), 0.2: (True, False), 0.3: (False, False), 0.4: (False, True)}
    assert known_after(cells, failures.iloc[:0], failures.iloc[:0], DAY).failed.sum() == 0


def test_nothing_is_estimated_where_calibration_does_not_hold() -> None:
    risk, opened = risks(3000), np.full(60, 0.5)
    good, bad = known(risk, drawn(risk)), known(risk, drawn(risk, 2))
    alarms, worse = known(opened, drawn(opened)), known(opened, np.ones(60, dtype=np.bool_))
    whole = estimated(good, alarms, risk, risk, opened, LEVEL, LEAST)
    assert whole.coming is not None
    assert whole.coming.value == pytest.approx(risk.sum())
    assert whole.alarm_precision is not None
    assert whole.alarm_precision.value == 0.5
    assert whole.alarm_precision.sd == pytest.approx(0.5 / 60**0.5)
    assert whole.event_recall is not None
    assert whole.event_recall.value == pytest.approx(30 / risk.sum())
    off = estimated(bad, alarms, risk, risk, opened, LEVEL, LEAST)
    assert (off.coming, off.pending, off.event_recall) == (None, None, None)
    assert off.alarm_precision is not None
    off = estimated(good, worse, risk, risk, opened, LEVEL, LEAST)
    assert (off.alarm_precision, off.event_recall) == (None, None)
    assert off.coming is not None
    empty = estimated(good, alarms, NONE, NONE, NONE, LEVEL, LEAST)
    assert (empty.coming, empty.alarm_precision, empty.event_recall) == (None, None, None)


def test_recall_before_labels_is_that_of_later() -> None:
    """Parts that degrade, seen, before most failures; their chances are those of the chain that moves them."""
    horizon, chain = 10, np.array([[0.999, 0.0008, 0.0002], [0.0, 0.85, 0.15], [0.0, 0.0, 1.0]])
    chance = np.linalg.matrix_power(chain, horizon)[:, 2]
    errors, sds = [], []
    for seed in range(20):
        before, opened, recall = _degrading(chain, chance, horizon, 20_000, np.random.default_rng(seed))
        found = expected_recall(opened, before)
        assert found is not None
        errors.append(found.value - recall)
        sds.append(found.sd)
    assert abs(np.mean(errors)) < 0.02
    assert np.std(errors) < 3 * np.mean(sds)
    assert expected_recall(NONE, NONE) is None


def _degrading(
    chain: Floats, chance: Floats, horizon: int, parts: int, rng: np.random.Generator
) -> tuple[Floats, Floats, float]:
    """Risks at decisions a horizon apart, at the opening of alarms, and the recall, of 30 steps in a steady state.

    An alarm opens when a part degrades, and again whenever it is a horizon old.
    """
    state, age = np.zeros(parts, dtype=np.int64), np.zeros(parts, dtype=np.int64)
    before, opened, failures, caught = [NONE], 0, 0, 0
    for time in range(-30, 30):
        opens = (state == 1) & (age % horizon == 0)
        moved = (rng.random((parts, 1)) > chain[state].cumsum(axis=1)).sum(axis=1)
        if time >= 0:
            before += [chance[state]] if time % horizon == 0 else []
            opened += int(opens.sum())
            failures, caught = failures + (moved == 2).sum(), caught + ((moved == 2) & (state == 1)).sum()
        age = np.where((state == 1) & (moved == 1), age + 1, 0)
        state = np.where(moved == 2, 0, moved)
    return np.concatenate(before), np.full(opened, chance[1]), caught / failures
