"""Paired differences against a computation by hand, and the word that they lead to."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from forestall.comparison import outcomes, paired
from forestall.comparison.paired import Difference, Judged
from forestall.evaluation.judge import Data, fold_of
from forestall.evaluation.resampling import drawn
from tests.evaluation import small

COST = "cost_per_machine_month"
FAILED = [("m0", 26.0, "pump"), ("m1", 27.0, "seal")]  # days; both in the validation fold
SEEN = [("m0", 25.5, "pump")]
FALSE = [("m2", 25.5, "pump")]
LEVELS = {"pump": 0.5, "seal": 0.5}


def judged(data: Data, draws: np.ndarray) -> Judged:
    risk = data.features[:, :2]
    return paired.judged(fold_of(data, "validation", risk, risk * 0), LEVELS, draws)


def cost(difference: float, low: float | None, high: float | None) -> Difference:
    return Difference(COST, 1000.0, 1000.0 + difference, difference, low, high)


def test_the_difference_in_cost_is_what_one_failure_caught_and_one_false_alarm_come_to() -> None:
    draws = np.array([[1.0, 1, 1], [3, 0, 0], [0, 3, 0], [0, 0, 3], [1, 1, 1]])
    base, head = judged(small.data(FAILED), draws), judged(small.data(FAILED, high=SEEN + FALSE), draws)
    months = base.fold.months  # each machine's
    # Of a failure (1000) that is caught 0.8 become planned work (200); a false alarm is an inspection (50).
    saved, inspected = 0.8 * (1000 - 200), 50
    expected = (inspected * draws[:, 2] - saved * draws[:, 0]) / (draws @ months)
    found = paired.difference(COST, base.figures[COST], head.figures[COST])
    assert np.allclose(head.figures[COST] - base.figures[COST], expected)
    assert found.difference == pytest.approx(expected[0])
    low, high = np.quantile(expected[1:], [0.025, 0.975])
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)
    assert found.base == pytest.approx((2 * 1000) / months.sum())


def test_pairing_takes_out_what_makes_one_machine_dearer_than_another() -> None:
    draws = drawn(3)
    base, head = judged(small.data(FAILED), draws), judged(small.data(FAILED, high=FALSE), draws)
    paired_width = np.ptp(head.figures[COST] - base.figures[COST])
    assert paired_width < np.ptp(base.figures[COST]) / 5


def test_a_model_does_not_differ_from_itself() -> None:
    one = judged(small.data(FAILED, high=SEEN), drawn(3))
    for found in paired.differences(one, one):
        assert found.base is None or (found.difference, found.low, found.high) in {(0, 0, 0), (0, None, None)}
    assert paired.verdict(paired.cost_of(paired.differences(one, one)), None).word == "no evidence"


def test_what_one_side_does_not_define_has_no_difference() -> None:
    base, head = np.array([np.nan, 1.0, 2.0]), np.array([3.0, 1.0, 2.0])
    assert paired.difference("recall", base, head) == Difference("recall", None, 3.0, None, None, None)


def test_the_interval_is_widened_by_the_seeds_spread_as_squares() -> None:
    found = paired.verdict(cost(-10, -14, -7), 1.0)
    by_seed = 1.96 * math.sqrt(2)
    assert found.low == pytest.approx(-10 - math.sqrt(4**2 + by_seed**2))
    assert found.high == pytest.approx(-10 + math.sqrt(3**2 + by_seed**2))
    assert found.word == "better"


@pytest.mark.parametrize(
    ("difference", "low", "high", "spread", "word"),
    [
        (-10, -14, -6, None, "better"),
        (-10, -14, -6, 0.0, "better"),
        (-10, -14, -6, 4.0, "no evidence"),
        (10, 6, 14, 1.0, "worse"),
        (10, 6, 14, 4.0, "no evidence"),
        (10, -1, 14, None, "no evidence"),
        (0, 0, 0, None, "no evidence"),
    ],
)
def test_the_word_needs_the_whole_widened_interval_on_one_side(
    difference: float, low: float, high: float, spread: float | None, word: str
) -> None:
    assert paired.verdict(cost(difference, low, high), spread).word == word


def test_without_an_interval_there_is_no_evidence() -> None:
    assert paired.verdict(cost(-10, None, None), 1.0).word == "no evidence"
    assert paired.verdict(cost(-10, None, None), 1.0).low is None


def test_of_one_machine_there_is_no_interval() -> None:
    data = small.data([("m0", 26.0, "pump")], machines=1, high=SEEN)
    one, other = judged(data, drawn(1)), judged(small.data([("m0", 26.0, "pump")], machines=1), drawn(1))
    found = paired.difference(COST, other.figures[COST], one.figures[COST])
    assert found.difference is not None
    assert found.difference < 0
    assert (found.low, found.high) == (None, None)


def test_decisions_are_the_same_in_columns_order_and_values() -> None:
    one = pd.DataFrame({"machine": ["a", "b"], "time": [1, 2]})
    assert paired.same_decisions(one, one.copy())
    assert not paired.same_decisions(one, one.iloc[::-1])
    assert not paired.same_decisions(one, one.iloc[:1])
    assert not paired.same_decisions(one, one.assign(time=[1, 3]))
    assert not paired.same_decisions(one, one[["time", "machine"]])


def test_failures_and_alarms_that_changed_are_named() -> None:
    draws = drawn(3)
    base, head = judged(small.data(FAILED), draws), judged(small.data(FAILED, high=SEEN), draws)
    found = outcomes.failures_changed(base, head)
    assert [(one["machine"], one["component"]) for one in found["newly_caught"]] == [("m0", "pump")]
    assert found["newly_missed"] == []
    assert len(outcomes.failures_changed(head, base)["newly_missed"]) == 1
    fleet = pd.DataFrame({"machine": ["7", "8"], "component": ["pump", "seal"], "alarm": ["yes", "no"]})
    other = fleet.assign(alarm=["no", "yes"])
    assert outcomes.alarms_changed(fleet, other) == {
        "newly_alarmed": [{"machine": "8", "component": "seal"}],
        "no_longer": [{"machine": "7", "component": "pump"}],
    }
    # A machine that left, or another dataset's, is not "no longer alarmed".
    assert outcomes.alarms_changed(fleet, other.iloc[1:])["no_longer"] == []


def test_slices_that_got_worse_are_found_although_the_total_got_better() -> None:
    draws, failed = drawn(3), [*FAILED, ("m2", 26.0, "pump")]
    before = judged(small.data(failed, high=[("m1", 26.5, "seal")]), draws)
    after = judged(small.data(failed, high=[*SEEN, *FALSE]), draws)
    assert after.figures["event_recall"][0] > before.figures["event_recall"][0]
    gaps = np.zeros(len(before.fold.data.decisions))
    worse = outcomes.slices_worse(before, after, gaps, 1)
    assert ("component", "seal") in {(row["slice"], row["value"]) for row in worse}
    assert "fleet" not in {row["slice"] for row in worse}
    assert [
        row["cost_per_machine_month_head"] - row["cost_per_machine_month_base"] for row in worse
    ] == sorted(
        (row["cost_per_machine_month_head"] - row["cost_per_machine_month_base"] for row in worse),
        reverse=True,
    )
    assert ("component", "pump") not in {(row["slice"], row["value"]) for row in worse}
    assert outcomes.slice_recalls(after, gaps, 1)["component: seal"] == 0.0
