"""Causes, planted one by one."""

from __future__ import annotations

import numpy as np
import pytest

from forestall.evaluation import causes
from forestall.evaluation.judge import Data
from forestall.evaluation.verdict import with_stamps
from tests.plant import DAY, HOUR, START

from . import small
from .small import Times

LEVELS = {"pump": 0.5, "seal": 0.5}


def fates(whole: Data, gaps: float = 0.0, healthy: float = 0.05) -> list[str]:
    """The cause of each of the test fold's failures."""
    fold = small.judged(whole)["test"]
    known = causes.evidence(fold, np.full(len(whole.decisions), gaps * HOUR))
    alarms = fold.alarms(LEVELS)
    table = causes.failure_causes(known, alarms, LEVELS, dict.fromkeys(LEVELS, healthy))
    assert (table["caught"] == np.where(table["cause"] == "caught", "yes", "no")).all()
    return list(table["cause"])


@pytest.mark.parametrize(
    ("high", "cause"),
    [
        ([("m0", 33.5, "pump")], "caught"),
        ([("m0", 34.0, "pump")], "too late"),
        ([("m0", 33.5, "seal")], "wrong component"),
        ([("m0", 32.5, "seal")], "below threshold"),  # its alarm was closed long before
        ([], "below threshold"),
    ],
)
def test_what_became_of_a_failure(high: Times, cause: str) -> None:
    assert fates(small.data([("m0", 34.05, "pump")], high=high)) == [cause]


def test_an_alarm_that_opened_before_the_horizon_and_stays_open_was_too_early() -> None:
    high: Times = [("m0", 33.0 + n / 8, "pump") for n in range(8)]
    assert fates(small.data([("m0", 34.05, "pump")], high=high)) == ["too early"]


def test_risk_like_that_of_healthy_parts_is_no_signal() -> None:
    whole = small.data([("m0", 34.05, "pump")])
    assert fates(whole, healthy=0.2) == ["no signal"]
    assert fates(whole, healthy=0.1) == ["below threshold"]


def test_missing_data_before_a_failure_are_a_gap() -> None:
    whole = small.data([("m0", 34.05, "pump")])
    assert fates(whole, gaps=13, healthy=0.2) == ["data gap"]
    assert fates(whole, gaps=11, healthy=0.2) == ["no signal"]


@pytest.mark.parametrize(("days", "cause"), [((33.3, 34.05), "data gap"), ((33.0, 34.05), "no decision")])
def test_without_an_opinion(days: tuple[float, float], cause: str) -> None:
    whole = small.data([("m0", 34.05, "pump")])
    age = (whole.decisions["time"] - START) / DAY
    silent = (whole.decisions["machine"] == "m0") & age.between(*days)
    assert fates(small.without(whole, silent.to_numpy())) == [cause]


def test_two_failures_of_a_component_have_a_line_each() -> None:
    failures: Times = [("m0", 34.05, "pump"), ("m0", 36.05, "pump")]
    assert fates(small.data(failures, high=[("m0", 35.5, "pump")])) == ["below threshold", "caught"]


@pytest.mark.parametrize(
    ("failures", "maintenance", "cause"),
    [
        ([("m0", 34.5, "pump")], [], "fails later"),
        ([("m0", 33.4, "seal")], [], "another component failed"),
        ([], [("m0", 32.5, "seal")], "after a repair"),
        ([("m0", 32.2, "seal")], [], "after a repair"),
        ([("m1", 33.4, "seal"), ("m0", 39.0, "pump")], [("m0", 31.9, "seal")], "noise"),
    ],
)
def test_what_is_nearest_to_a_false_alarm(failures: Times, maintenance: Times, cause: str) -> None:
    whole = small.data(failures, maintenance, high=[("m0", 33.0, "pump")])
    assert false_alarms(whole) == [cause]


def test_sensor_trouble() -> None:
    whole = small.data([], high=[("m0", 33.0, "pump")])
    assert false_alarms(whole, gaps=7) == ["sensor trouble"]
    whole.features[:, small.NAMES.index("volt.stuck")] = 2
    assert false_alarms(whole) == ["sensor trouble"]


def false_alarms(whole: Data, gaps: float = 0.0) -> list[str]:
    fold = small.judged(whole)["test"]
    known = causes.evidence(fold, np.full(len(whole.decisions), gaps * HOUR))
    return list(causes.false_alarm_causes(known, fold.alarms(LEVELS), LEVELS)["cause"])


def test_healthy_risk_is_that_of_decisions_before_no_failure() -> None:
    fold = small.judged(small.data([("m0", 25.0, "pump")], high=[("m0", 24.5, "pump")]))["validation"]
    assert causes.healthy_risk(fold) == pytest.approx({"pump": 0.1, "seal": 0.1})


def test_times_are_written_as_people_write_them_and_none_is_empty() -> None:
    whole = small.data([("m0", 34.0, "pump")])
    fold = small.judged(whole)["test"]
    table = causes.failure_causes(
        causes.evidence(fold, np.zeros(len(whole.decisions))), fold.alarms(LEVELS), LEVELS, LEVELS
    )
    found = with_stamps(table, whole.dataset.clock)
    assert found["time"].tolist() == ["2024-02-04T00:00:00"]
    assert found["alarm"].isna().all()
