"""Scores: always-on and never-on look bad, undefined ones are left out, one failure counts once."""

from __future__ import annotations

import numpy as np
import pytest

from forestall.evaluation.scores import score
from forestall.training.alarms import open_alarms
from forestall.training.costs import event_cost
from forestall.training.series import Series, series_of

from .fold import COSTS, RULES, decisions, events, one_part, risk_of

MONTHS = 2.0


def scored(series: Series, high: list[int], threshold: float = 0.5) -> dict[str, float]:
    risk = np.tile(risk_of(series, high), (len(series), 1))
    return score(series, open_alarms(series, risk, threshold, RULES), RULES, COSTS, MONTHS, hour=1)


def test_one_failure_counts_once_however_many_rows_and_alarms_there_were() -> None:
    # D8 of the published protocols: eight rows before one failure were eight successes.
    found = scored(one_part(100, failures=[50]), list(range(41, 50)))
    assert (found["failures"], found["alarms"], found["event_recall"]) == (1, 1, 1.0)
    twice = scored(one_part(100, failures=[50]), [41, 45])
    assert (twice["failures"], twice["alarms"], twice["event_recall"]) == (1, 2, 1.0)
    assert twice["alarm_precision"] == 1.0
    assert twice["lead_time_median_h"] == 9
    caught = event_cost(1.0, 0.0, 0.0, COSTS)
    assert twice["cost_per_machine_month"] == caught / MONTHS


def test_simultaneous_failures_of_two_parts_are_two() -> None:
    failures = events(("m1", 50, "pump"), ("m1", 50, "seal"))
    series = series_of(decisions(1, 100), ["pump", "seal"], set(), failures, events(), 1000)
    assert scored(series, [45])["failures"] == 2


def test_a_right_alarm_that_came_too_late_catches_nothing() -> None:
    found = scored(one_part(100, failures=[50]), [49])
    assert (found["event_recall"], found["alarm_precision"]) == (0.0, 1.0)
    assert "lead_time_median_h" not in found
    assert found["cost_per_machine_month"] == COSTS.failure / MONTHS


@pytest.mark.parametrize(("failure", "recall"), [(47, 1.0), (46, 0.0)])
def test_min_lead_is_enough(failure: int, recall: float) -> None:
    assert scored(one_part(100, failures=[failure]), [45])["event_recall"] == recall


def test_always_on_looks_bad() -> None:
    good = scored(one_part(400, failures=[50]), [45])
    always = scored(one_part(400, failures=[50]), list(range(400)))
    assert always["event_recall"] == 1.0
    assert always["alarm_precision"] < 0.05
    assert always["false_alarms_per_machine_month"] > 15
    assert (
        always["cost_per_machine_month"] > scored(one_part(400, failures=[50]), [])["cost_per_machine_month"]
    )
    assert good["cost_per_machine_month"] < always["cost_per_machine_month"] / 4


def test_never_on_looks_bad() -> None:
    never = scored(one_part(400, failures=[50]), [])
    assert never["event_recall"] == 0.0
    assert never["cost_per_machine_month"] == COSTS.failure / MONTHS
    assert "alarm_precision" not in never
    assert "right_component_rate" not in never
    assert never["alarms"] == 0


def test_undefined_scores_are_left_out() -> None:
    found = scored(one_part(100), [])
    zero = ("false_alarms_per_machine_month", "cost_per_machine_month", "failures", "alarms", "undetermined")
    assert found == dict.fromkeys(zero, 0)


def test_undetermined_alarms_cost_an_inspection_besides_the_planned_work() -> None:
    found = scored(one_part(100, replaced=[48]), [45])
    assert (found["undetermined"], found["false_alarms_per_machine_month"]) == (1, 0.0)
    assert found["cost_per_machine_month"] == (COSTS.inspection + COSTS.planned) / MONTHS


def test_right_component_rate_is_of_the_machines_that_had_an_alarm() -> None:
    failures = events(("m1", 50, "pump"), ("m2", 50, "pump"), ("m3", 50, "pump"))
    series = series_of(decisions(3, 100), ["pump", "seal"], set(), failures, events(), 1000)
    risk = np.full((6, 100), 0.1, dtype=np.float32)
    risk[0, 45] = 0.9  # m1: the pump, right
    risk[4, 45:49] = 0.9  # m2: the seal, wrong; m3: no alarm
    found = score(series, open_alarms(series, risk, 0.5, RULES), RULES, COSTS, MONTHS)
    assert (found["right_component_rate"], found["event_recall"]) == (0.5, 1 / 3)


def test_lead_times_in_hours() -> None:
    series = one_part(100, failures=[20, 60])
    frame = open_alarms(series, risk_of(series, [15, 51]), 0.5, RULES)
    found = score(series, frame, RULES, COSTS, MONTHS, hour=0.5)
    assert found["lead_time_median_h"] == 14.0
    assert found["lead_time_p10_h"] == pytest.approx(10.8)


def test_costs_by_hand() -> None:
    assert event_cost(2.0, 1.0, 3.0, COSTS) == 2 * (0.8 * 200 + 0.2 * 1000) + 1000 + 3 * 50
