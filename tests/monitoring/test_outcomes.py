"""What became of alarms and failures, case by case."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from scipy.stats import binomtest

from forestall.monitoring.merged import merged
from forestall.monitoring.service import Service, Window
from forestall.monitoring.service_figures import wilson
from tests.monitoring.in_service import EVER, alarm_frame, at, event_frame, told
from tests.plant import DAY, HOUR, START

COSTS = (1000.0, 200.0, 50.0, 0.8)  # of a failure, planned work, an inspection, and the share prevented


def counts(figures: dict[str, float], *names: str) -> list[float]:
    return [figures[name] for name in names]


def test_right_and_false_alarms_caught_and_missed_failures() -> None:
    found = told(
        alarms=[("m0", "pump", 5), ("m0", "pump", 9), ("m1", "seal", 12)],
        failures=[("m0", 5.5, "pump"), ("m1", 20, "seal")],
        maintenance=[("m1", 30, "pump")],
    )
    fleet = found.fleet
    assert counts(fleet, "failures", "caught", "missed", "right", "false") == [2, 1, 1, 1, 2]
    assert counts(fleet, "event_recall", "alarm_precision") == pytest.approx([0.5, 1 / 3])
    assert (fleet["lead_time_median_h"], fleet["lead_time_p10_h"]) == (12, 12)
    failure, planned, inspection, prevented = COSTS
    cost = (1 + 1 - prevented) * failure + (1 + prevented) * planned + 2 * inspection
    assert fleet["cost_per_machine_month"] == pytest.approx(cost / fleet["machine_months"])
    assert fleet["machine_months"] == pytest.approx(2 * 38.125 / 30.4375)
    assert fleet["false_alarms_per_machine_month"] == pytest.approx(2 / fleet["machine_months"])
    assert found.alarms["outcome"].tolist() == ["right", "false", "false"]
    assert found.components["pump"]["event_recall"] == 1
    assert found.components["seal"]["event_recall"] == 0
    assert (fleet["event_recall_low"], fleet["event_recall_high"]) == wilson(1, 2)


def test_what_is_younger_than_a_horizon_is_pending_and_not_wrong() -> None:
    window = Window(START, at(20))
    found = told(
        alarms=[("m0", "pump", 18.9), ("m0", "seal", 19.1), ("m1", "pump", 19.5), ("m1", "seal", 21)],
        failures=[("m1", 19.9, "pump"), ("m0", 20.5, "seal")],
        window=window,
    )
    fleet = found.fleet
    assert counts(fleet, "alarms", "false", "right", "failures") == [1, 1, 0, 0]
    assert counts(fleet, "pending_alarms", "pending_failures") == [2, 1]
    assert "event_recall" not in fleet
    assert found.alarms["outcome"].tolist() == ["false", "pending", "pending"]
    later = told(
        alarms=[("m0", "pump", 18.9), ("m0", "seal", 19.1), ("m1", "pump", 19.5), ("m1", "seal", 21)],
        failures=[("m1", 19.9, "pump"), ("m0", 20.5, "seal")],
    ).fleet
    assert counts(later, "alarms", "right", "failures", "pending_alarms") == [4, 1, 2, 0]


def test_a_failure_is_caught_by_an_alarm_that_opened_before_the_window() -> None:
    window = Window(at(10), at(30))
    found = told(alarms=[("m0", "pump", 9.75)], failures=[("m0", 10.25, "pump")], window=window)
    assert counts(found.fleet, "caught", "failures", "alarms") == [1, 1, 0]
    assert found.alarms.empty


def test_acting_on_an_alarm_hides_what_would_have_come() -> None:
    found = told(
        alarms=[
            ("m0", "pump", 5),
            ("m0", "seal", 8),
            ("m0", "seal", 8.5),
            ("m1", "pump", 12),
            ("m1", "seal", 15),
        ],
        failures=[("m0", 5.5, "pump"), ("m1", 25, "pump")],
        # Of both of the second part's alarms one replacement follows, of the third's after one hour.
        maintenance=[("m0", 8.7, "seal"), ("m1", 12 + 1 / 24, "pump"), ("m1", 20, "seal")],
    )
    fleet = found.fleet
    assert counts(fleet, "right", "false", "undetermined", "caught", "failures") == [1, 1, 3, 1, 2]
    precision = counts(fleet, *(f"alarm_precision{end}" for end in ("", "_at_least", "_at_most")))
    assert precision == pytest.approx([1 / 2, 1 / 5, 4 / 5])
    recall = counts(fleet, *(f"event_recall{end}" for end in ("", "_at_least", "_at_most")))
    assert recall == pytest.approx([1 / 2, 1 / 3, 3 / 4])
    months = fleet["machine_months"]
    assert fleet["false_alarms_per_machine_month_at_most"] == pytest.approx(4 / months)
    assert found.components["seal"]["alarm_precision_at_most"] == pytest.approx(2 / 3)


def test_findings_settle_what_times_leave_open() -> None:
    alarms = [
        ("m0", "pump", 5),
        ("m0", "seal", 8),
        ("m1", "pump", 12),
        ("m1", "seal", 15),
        ("m0", "seal", 20),
    ]
    findings = ["confirmed", "no fault found", "replaced unseen", "confirmed", "no fault found"]
    said = told(
        alarms=[(*one, finding) for one, finding in zip(alarms, findings, strict=True)],
        failures=[("m0", 20.5, "seal")],
        maintenance=[
            ("m0", 5.5, "pump"),
            ("m0", 8.5, "seal"),
            ("m1", 12.5, "pump", "feedback"),
            ("m1", 17, "seal"),
        ],
    )
    # The last one failed all the same; the one before was confirmed, but later than a horizon: nothing was caught.
    assert said.alarms["outcome"].tolist() == ["right", "false", "undetermined", "right", "right"]
    assert said.fleet["caught"] == 1
    silent = told(alarms=alarms, failures=[("m0", 20.5, "seal")], maintenance=[("m0", 5.5, "pump")])
    assert silent.alarms["outcome"].tolist() == ["undetermined", "false", "false", "false", "right"]


def test_failures_that_nobody_could_foresee() -> None:
    found = told(
        failures=[("m0", 4, "pump"), ("m0", 10, "pump"), ("m9", 12, "seal")], decided=["m0"], since=8
    )
    # m9 has no readings, and m0 had no opinion before its first failure.
    assert counts(found.fleet, "failures", "missed", "unforeseen", "not_judged_failures") == [1, 1, 0, 2]
    early = told(failures=[("m0", 8.05, "pump"), ("m0", 8.09, "seal")], decided=["m0"], since=8)
    assert counts(early.fleet, "failures", "unforeseen", "not_judged_failures") == [1, 0, 1]


def test_a_month_without_failures_or_alarms_has_no_shares() -> None:
    found = told(alarms=[("m0", "pump", 5)], failures=[("m0", 5.5, "pump")])
    assert list(found.months) == ["2024-01", "2024-02"]
    quiet = found.months["2024-02"]
    assert counts(quiet, "failures", "alarms", "cost_per_machine_month") == [0, 0, 0]
    assert not [name for name in quiet if name.startswith(("event_recall", "alarm_precision", "lead"))]
    assert quiet["machine_months"] + found.months["2024-01"]["machine_months"] == pytest.approx(
        found.fleet["machine_months"]
    )
    assert all(map(math.isfinite, quiet.values()))


def test_nothing_at_all() -> None:
    found = told(decided=[])
    assert counts(found.fleet, "failures", "alarms", "machine_months") == [0, 0, 0]
    assert set(found.components) == {"pump", "seal"}
    assert found.alarms.empty


def test_a_failure_of_the_plant_and_of_feedback_counts_once() -> None:
    found = told(
        alarms=[("m0", "pump", 5, "confirmed"), ("m0", "pump", 5.3, "confirmed")],
        failures=[
            ("m0", 5.5, "pump"),
            ("m0", 5.4, "pump", "feedback"),
            ("m0", 5.6, "pump", "feedback"),
            ("m1", 9, "seal", "feedback"),
            ("m1", 9.2, "seal", "feedback"),
        ],
    )
    assert counts(found.fleet, "failures", "caught", "missed") == [2, 1, 1]
    assert found.fleet["lead_time_median_h"] == 12


def test_the_plants_own_rows_all_stand() -> None:
    rows = event_frame(
        [("m0", 5, "pump"), ("m0", 5.2, "pump"), ("m0", 9, "pump", "feedback"), ("m0", 9, "seal", "feedback")]
    )
    assert len(merged(rows, 3 * DAY)) == 4
    assert len(merged(rows, 4 * DAY)) == 3
    with pytest.raises(ValueError, match="'rumour' is neither"):
        merged(rows.assign(source="rumour"), DAY)


def test_a_withdrawn_alarm_was_raised() -> None:
    found = told(alarms=[("m0", "pump", 5, "", "withdrawn"), ("m0", "pump", 9)])
    assert counts(found.fleet, "alarms", "false", "withdrawn") == [2, 2, 1]


def test_an_alarm_about_a_part_that_is_no_longer_is_left_out() -> None:
    found = told(alarms=[("m0", "belt", 5), ("m0", "pump", 9)])
    assert found.fleet["alarms"] == 1


@pytest.mark.parametrize(("part", "whole"), [(0, 1), (0, 30), (1, 3), (7, 9), (12, 12)])
def test_wilson(part: int, whole: int) -> None:
    expected = binomtest(part, whole).proportion_ci(method="wilson")
    assert wilson(part, whole) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="ends at 5, not after"):
        Window(5, 5)
    frame = pd.DataFrame({"machine": []})
    with pytest.raises(ValueError, match="failures: no column 'time'"):
        Service(alarm_frame([]), frame, frame, frame, frame, set(), {})
    assert EVER.until - EVER.after == 40 * 24 * HOUR
