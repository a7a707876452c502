"""Each rule of the gate holds and fails, and says why; what could not be compared does not pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forestall.comparison.gate import Evidence, Limits, Ruling, rulings
from forestall.comparison.paired import Difference, Verdict

LIMITS = Limits(0.4, 0.2, 0.1, 0.02, 0.03, True)
FIGURES = {
    "event_recall": 0.7,
    "alarm_precision": 0.5,
    "calibration_error": 0.01,
    "cost_per_machine_month": 900.0,
}
COST = Difference("cost_per_machine_month", 1000.0, 900.0, -100.0, -150.0, -50.0)
GOOD = Evidence(
    FIGURES, {"fleet: all": 0.7, "model: A": 0.2}, 2000.0, COST, Verdict("better", -160.0, -40.0), ""
)


def ruled(known: Evidence, rule: str, limits: Limits = LIMITS) -> Ruling:
    return next(one for one in rulings(known, limits) if one.rule == rule)


def cost(base: float | None, head: float | None, low: float | None, high: float | None) -> Difference:
    difference = None if base is None or head is None else head - base
    return Difference("cost_per_machine_month", base, head, difference, low, high)


def test_a_better_model_passes_every_rule() -> None:
    assert all(one.passed for one in rulings(GOOD, LIMITS))
    assert len(rulings(GOOD, LIMITS)) == 7


@pytest.mark.parametrize(
    ("rule", "figures", "reason"),
    [
        ("event_recall floor", {"event_recall": 0.39}, "0.39, at least 0.4 is asked"),
        ("alarm_precision floor", {"alarm_precision": 0.1}, "0.1, at least 0.2 is asked"),
        ("calibration", {"calibration_error": 0.04}, "calibration error 0.04, at most 0.03 is allowed"),
        ("one-line rule", {"cost_per_machine_month": 2000.0}, "the model costs 2,000, the rule 2,000"),
    ],
)
def test_a_figure_beyond_its_limit_fails_its_rule_alone(
    rule: str, figures: dict[str, float], reason: str
) -> None:
    known = replace(GOOD, figures=FIGURES | figures)
    assert [one for one in rulings(known, LIMITS) if not one.passed] == [Ruling(rule, False, reason)]


@pytest.mark.parametrize(
    "name", ["event_recall", "alarm_precision", "calibration_error", "cost_per_machine_month"]
)
def test_a_figure_that_is_not_defined_does_not_pass(name: str) -> None:
    known = replace(GOOD, figures={key: value for key, value in FIGURES.items() if key != name})
    failed = [one for one in rulings(known, LIMITS) if not one.passed]
    assert len(failed) == 1
    assert "not" in failed[0].reason


def test_a_floor_of_zero_asks_for_nothing() -> None:
    known, limits = (
        replace(GOOD, figures={}, slices=None),
        replace(LIMITS, event_recall=0.0, slice_recall=0.0),
    )
    assert ruled(known, "event_recall floor", limits).passed
    assert ruled(known, "slice floor", limits).passed


def test_a_slice_below_its_floor_is_named() -> None:
    found = ruled(replace(GOOD, slices={"fleet: all": 0.7, "model: A": 0.05}), "slice floor")
    assert found == Ruling("slice floor", False, "below 0.1: model: A 0.05")
    assert ruled(GOOD, "slice floor").reason == "all 2 at 0.1 or above"


def test_slices_without_failures_pass_and_slices_not_known_do_not() -> None:
    assert ruled(replace(GOOD, slices={}), "slice floor").passed
    assert not ruled(replace(GOOD, slices=None), "slice floor").passed


def test_the_rule_need_not_be_beaten_where_params_say_so() -> None:
    known = replace(GOOD, rule_cost=1.0)
    assert not ruled(known, "one-line rule").passed
    assert "one-line rule" not in {one.rule for one in rulings(known, replace(LIMITS, beats_rule=False))}
    assert not ruled(replace(GOOD, rule_cost=None), "one-line rule").passed


@pytest.mark.parametrize(
    ("head", "word", "passed"),
    [
        (1015.0, "worse", True),  # beyond chance, within the margin
        (1050.0, "worse", False),
        (1050.0, "no evidence", True),
        (900.0, "better", True),
    ],
)
def test_cost_may_rise_by_the_margin_or_by_chance(head: float, word: str, passed: bool) -> None:
    low, high = (head - 1000 - 10, head - 1000 + 10) if word != "no evidence" else (-20.0, 120.0)
    found = Verdict(word, low, high)  # type: ignore[arg-type]
    ruling = ruled(replace(GOOD, cost=cost(1000.0, head, low, high), verdict=found), "not worse than base")
    assert ruling.passed is passed
    assert word in ruling.reason
    assert "2% is allowed" in ruling.reason


def test_nothing_compared_does_not_pass_unless_base_has_no_model() -> None:
    nothing = replace(GOOD, cost=None, verdict=None)
    first = ruled(nothing, "not worse than base")
    assert first == Ruling("not worse than base", True, "base has no model to compare with")
    why = ruled(replace(nothing, why_not="the sensors differ"), "not worse than base")
    assert why == Ruling("not worse than base", False, "the sensors differ")


def test_a_cost_that_is_not_defined_does_not_pass() -> None:
    none = replace(GOOD, cost=cost(None, 900.0, None, None), verdict=Verdict("no evidence", None, None))
    assert not ruled(none, "not worse than base").passed


@pytest.mark.parametrize(("head", "passed"), [(1500.0, False), (1010.0, True)])
def test_without_an_interval_the_difference_itself_has_to_be_within_the_margin(
    head: float, passed: bool
) -> None:
    one = replace(GOOD, cost=cost(1000.0, head, None, None), verdict=Verdict("no evidence", None, None))
    assert ruled(one, "not worse than base").passed is passed


def test_a_base_that_cost_nothing_is_not_divided_by() -> None:
    dearer = replace(GOOD, cost=cost(0.0, 50.0, 20.0, 80.0), verdict=Verdict("worse", 20.0, 80.0))
    assert not ruled(dearer, "not worse than base").passed


def test_outputs_of_other_files_do_not_pass() -> None:
    found = ruled(replace(GOOD, stale="train is not what params.yaml makes"), "outputs are current")
    assert found == Ruling("outputs are current", False, "train is not what params.yaml makes")
