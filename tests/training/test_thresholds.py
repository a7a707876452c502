"""Thresholds: each way of choosing, sharing where failures are few, ties towards fewer alarms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from forestall.data.dataset import Costs
from forestall.training.alarms import open_alarms, outcomes_by_series
from forestall.training.series import Rules, Series, risk_matrix, series_of
from forestall.training.thresholds import CANDIDATES, By, candidates, choose_thresholds, judged_levels
from tests.evaluation.fold import COSTS, decisions, events

RULES = Rules(horizon=10, min_lead=2, quiet=1)
Fold = tuple[Series, npt.NDArray[np.float32]]
MONTHS = 10.0


@pytest.fixture
def fold() -> Fold:
    """Ten pumps fail at 50 after risk 0.8 on eight machines and 0.4 on two; noise of 0.5 on every machine."""
    frame = decisions(10, 100)
    failed = [(f"m{number}", 50, "pump") for number in range(1, 11)] + [("m1", 80, "seal")]
    series = series_of(frame, ["pump", "seal"], set(), events(*failed), events(), 1000)
    time = frame["time"].to_numpy()
    pump, seal = np.full(len(frame), 0.1), np.full(len(frame), 0.05)
    pump[time == 45] = 0.8
    pump[(time == 45) & frame["machine"].isin(["m1", "m2"])] = 0.4
    pump[np.isin(time, [10, 25, 75, 90])] = 0.5
    seal[(time == 75) & (frame["machine"] == "m1")] = 0.9
    return series, risk_matrix(series, frame, np.column_stack([pump, seal]))


def chosen(fold: Fold, by: By, costs: Costs = COSTS, budget: float = 0.0, least: int = 5) -> dict[str, float]:
    return choose_thresholds(*fold, RULES, costs, by, budget * MONTHS, least)


def test_cost_weighs_failures_against_inspections(fold: Fold) -> None:
    # Two more failures caught are worth 2 x 640; forty noisy alarms cost 40 x 50.
    assert 0.5 < chosen(fold, "cost")["pump"] <= 0.8
    cheap = COSTS.model_copy(update={"inspection": 5.0})
    assert 0.1 < chosen(fold, "cost", cheap)["pump"] <= 0.4


def test_recall_takes_the_lowest_threshold_that_keeps_to_its_share_of_the_budget(fold: Fold) -> None:
    found = chosen(fold, "recall", budget=8.0)["pump"]
    assert 0.1 < found <= 0.1002
    assert outcomes_by_series(*fold, np.array([found]), RULES).over().false[0] <= 4.0 * MONTHS
    assert 0.5 < chosen(fold, "recall", budget=0.01)["pump"] <= 0.5002


def test_false_alarms_keep_to_the_budget_and_catch_what_it_allows(fold: Fold) -> None:
    for budget, caught in ((0.0, 9), (4.0, 11)):
        found = chosen(fold, "false_alarms", budget=budget)
        total = outcomes_by_series(*fold, np.array([found["pump"]]), RULES).over()
        assert total.false[0] <= budget * MONTHS
        assert total.caught[0] == caught


def raised(fold: Fold, found: dict[str, float]) -> tuple[float, float]:
    """Alarms and failures caught, each component by its own threshold."""
    series, risk = fold
    alarms, caught = 0.0, 0.0
    for name, level in found.items():
        rows = series.component == name
        total = outcomes_by_series(series.take(rows), risk[rows], np.array([level]), RULES).over()
        alarms += total.right[0] + total.false[0] + total.undetermined[0]
        caught += total.caught[0]
    return alarms, caught


@pytest.mark.parametrize(("most", "expected"), [(0, (0, 0)), (9, (9, 9)), (51, (51, 11))])
def test_alarms_per_week_count_right_and_false_alarms_alike(
    fold: Fold, most: int, expected: tuple[int, int]
) -> None:
    assert raised(fold, choose_thresholds(*fold, RULES, COSTS, "alarms_per_week", most, 5)) == expected


def test_levels_are_judged_once_for_many_costs(fold: Fold) -> None:
    levels = judged_levels(*fold, RULES, 5)
    for inspection in (0.0, 5.0, 50.0):
        costs = COSTS.model_copy(update={"inspection": inspection})
        assert levels.thresholds(costs, "cost") == choose_thresholds(*fold, RULES, costs, "cost", 0, 5)


def test_a_threshold_stands_in_the_middle_of_those_that_raise_the_same_alarms(fold: Fold) -> None:
    # Nothing lies between 0.5 and 0.8, whose odds are 1 and 4: the middle has odds of 2.
    assert chosen(fold, "cost")["pump"] == pytest.approx(2 / 3, abs=1e-3)


def test_components_with_few_failures_share_a_threshold(fold: Fold) -> None:
    apart = chosen(fold, "recall")
    assert apart["seal"] != apart["pump"]
    together = chosen(fold, "recall", least=11)
    assert together["seal"] == together["pump"]
    assert list(together) == ["pump", "seal"]


def test_alarms_that_never_pay_are_never_raised(fold: Fold) -> None:
    dear = COSTS.model_copy(update={"planned": 1000.0, "inspection": 500.0})
    assert chosen(fold, "cost", dear)["pump"] > 0.8


def test_candidates_are_few_rising_and_rounded() -> None:
    frame = decisions(20, 200)
    series = series_of(frame, ["pump"], set(), events(), events(), 1000)
    levels = candidates(series, risk_matrix(series, frame, np.random.default_rng(0).random((len(frame), 1))))
    assert 40 < len(levels) <= 2 * CANDIDATES
    assert (np.diff(levels) > 0).all()
    assert (levels == np.round(levels, 4)).all()
    assert levels[0] < 0.51
    assert levels[-1] <= 1.0001


def test_a_fold_without_failures_raises_no_alarms() -> None:
    frame = decisions(2, 50)
    series = series_of(frame, ["pump"], set(), events(), events(), 1000)
    risk = risk_matrix(series, frame, np.full((len(frame), 1), 0.3))
    found = choose_thresholds(series, risk, RULES, COSTS, "cost", 2.0, 5)
    assert found["pump"] > 0.3


def test_a_risk_of_one_can_be_left_without_alarms() -> None:
    frame = decisions(2, 50)
    series = series_of(frame, ["pump"], set(), events(), events(), 1000)
    risk = risk_matrix(series, frame, np.ones((len(frame), 1)))
    for by in ("cost", "recall", "false_alarms", "alarms_per_week"):
        found = choose_thresholds(series, risk, RULES, COSTS, by, 0.0, 5)
        assert outcomes_by_series(series, risk, np.array([found["pump"]]), RULES).over().false[0] == 0


def test_a_budget_of_alarms_is_spent_on_the_failures_that_it_can_catch(fold: Fold) -> None:
    # One seal stands out at 0.9; eight pumps share 0.8 and are had together or not at all.
    for most, raised in ((0.5, 0), (3, 1), (8.5, 8), (9, 9)):
        found = choose_thresholds(*fold, RULES, COSTS, "alarms_per_week", most, 1)
        alarms = open_alarms(*fold, found, RULES)
        assert len(alarms) == raised
        assert (alarms["outcome"] == "right").all()
