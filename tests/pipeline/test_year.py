"""A small plant's months through the real service: drift, policy, retraining, gate, exchange, recovery, in this order.

The pumps get drives that hide what went wrong in one sensor and show it in another (`_year_plant`). bench/year.py does
the same for a year.
"""

from __future__ import annotations

import numpy as np
import pytest
from _year_figures import same_failures
from _year_plant import Plan
from _year_replay import FROZEN, RETRAINED, Month, Year, replay
from _year_repository import Made

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
PLAN = Plan(machines=40, seed=1, history="2024-07", drift="2024-08", last="2024-12")
# The plant is too small for the default floors; what it asks is that a candidate is not worse than what is served.
GATE = {"floors.event_recall": 0.0, "floors.alarm_precision": 0.0, "floors.slice_recall": 0.0}
GATE |= {"calibration_error": 0.5, "beats_rule": False}
# By then the training fold has five weeks of the drift: what is younger is in the other folds and the gaps.
POLICY = {"every_months": 4}
HOW = Made(trees=16, negatives=2000, test="21d", validation="28d", gate=GATE, policy=POLICY)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    return replay(PLAN, HOW, tmp_path_factory.mktemp("year"), print, to_the_end=False)


def by_month(year: Year, arm: str, name: str) -> dict[str, float]:
    """A figure of an arm."""
    months = year.realised[arm].months
    return {month: months[month][name] for month in PLAN.months}


def promotions(year: Year) -> list[Month]:
    return [one for one in year.months if one.done.promoted]


def test_no_request_fails_also_while_a_model_is_made_and_exchanged(year: Year) -> None:
    assert year.failed == {RETRAINED: [], FROZEN: []}
    assert all(one.during > 50 and one.failed == 0 for one in promotions(year))


def test_nothing_is_trained_before_the_drift_and_the_policy_says_when_after_it(year: Year) -> None:
    first, *later = year.months
    assert first.month < PLAN.drift and not first.done.branch
    assert "New months: 1 of 4, and monitoring found no change" in first.done.said
    assert any(one.done.branch for one in later)


def test_the_gate_decides_and_what_it_lets_in_answers(year: Year) -> None:
    version = year.months[0].version
    for one in year.months:
        assert one.done.promoted == one.done.passed
        assert (one.version != version) == one.done.promoted
        assert not one.done.promoted or one.exchange < 30
        version = one.version
    assert promotions(year)


def test_the_drift_harms_whoever_keeps_his_model(year: Year) -> None:
    recall, cost = (by_month(year, FROZEN, name) for name in ("event_recall", "cost_per_machine_month"))
    first, *later = PLAN.months
    assert np.mean([recall[month] for month in later]) < recall[first] / 2
    assert np.mean([cost[month] for month in later]) > cost[first]


def test_until_the_first_exchange_both_plants_are_told_the_same(year: Year) -> None:
    exchanged = promotions(year)[0].month
    assert exchanged >= PLAN.drift
    for name in ("failures", "caught", "alarms", "false"):
        retrained, frozen = (by_month(year, arm, name) for arm in (RETRAINED, FROZEN))
        assert all(retrained[month] == frozen[month] for month in PLAN.months if month <= exchanged), name


def test_whoever_retrains_is_better_off_after_it(year: Year) -> None:
    exchanged = promotions(year)[-1].month
    later = [month for month in PLAN.months if month > exchanged]
    found = same_failures(year.realised, later)
    assert found["only retrained"] > 2 * found["only frozen"] and found["p"] < 0.05
    spent = [np.mean([by_month(year, arm, "cost_per_machine_month")[month] for month in later])
             for arm in (RETRAINED, FROZEN)]  # fmt: skip
    assert spent[0] < spent[1]
