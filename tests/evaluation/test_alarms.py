"""Alarms: each rule worked by hand, and the fast count against the list of alarms."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forestall.training import alarms as engine
from forestall.training.alarms import foreseeable, open_alarms, outcomes_by_series
from forestall.training.series import Rules, Series, risk_matrix, series_of

from .fold import RULES, alarms, decisions, events, one_part, risk_of


def test_closes_after_quiet_decisions_below_and_is_false() -> None:
    assert alarms(one_part(40), [5, 7]) == [(5, 9, "false", -1)]


def test_closes_after_one_horizon_and_reopens_as_a_new_alarm() -> None:
    high = list(range(5, 20))
    assert alarms(one_part(40), high) == [(5, 15, "false", -1), (15, 21, "false", -1)]


def test_closes_when_the_part_fails_and_is_right() -> None:
    assert alarms(one_part(40, failures=[12]), list(range(5, 12))) == [(5, 12, "right", 7)]


def test_a_failure_at_the_opening_is_not_foreseen() -> None:
    assert alarms(one_part(40, failures=[5]), [5]) == [(5, 7, "false", -1)]


@pytest.mark.parametrize(("failure", "outcome"), [(15, "right"), (16, "false")])
def test_the_horizon_includes_its_end(failure: int, outcome: str) -> None:
    assert alarms(one_part(40, failures=[failure]), [5])[0][2] == outcome


def test_is_right_even_if_it_closed_quietly_before_the_failure() -> None:
    assert alarms(one_part(40, failures=[14]), [5]) == [(5, 7, "right", 9)]


def test_planned_replacement_makes_it_undetermined() -> None:
    series = one_part(40, failures=[14], replaced=[8])
    assert alarms(series, list(range(5, 8))) == [(5, 8, "undetermined", -1)]


def test_replacement_after_the_horizon_leaves_it_false() -> None:
    assert alarms(one_part(40, replaced=[16]), [5]) == [(5, 7, "false", -1)]


def test_repair_is_not_planned_work() -> None:
    series = one_part(40, failures=[12], replaced=[12, 30])
    assert series.replaced[0].tolist() == [30]
    assert alarms(series, [14, 15])[0][2] == "false"
    late = one_part(40, failures=[12], replaced=[14])
    assert late.replaced[0].tolist() == []
    assert alarms(late, [12, 13]) == [(12, 14, "false", -1)]


def test_data_that_end_before_the_horizon_leave_it_undetermined() -> None:
    assert alarms(one_part(20, end=20), list(range(12, 20))) == [(12, -1, "undetermined", -1)]
    assert alarms(one_part(20, failures=[18], end=20), [12]) == [(12, 14, "right", 6)]
    assert alarms(one_part(20, failures=[21], end=20), [12])[0][2] == "undetermined"


def test_data_may_end_by_machine() -> None:
    none = events()
    series = series_of(decisions(2, 20), ["pump"], set(), none, none, {"m1": 1000, "m2": 12})
    frame = open_alarms(series, np.tile(risk_of(series, [5]), (2, 1)), 0.5, RULES)
    assert frame["outcome"].tolist() == ["false", "undetermined"]


def test_decisions_without_an_opinion_change_nothing() -> None:
    frame = decisions(1, 40)
    frame = frame[~frame["time"].isin([7, 8])]
    more = pd.concat([frame, frame.assign(machine="m2"), decisions(1, 40).assign(machine="m3")])
    series = series_of(more, ["pump"], set(), events(), events(), 1000)
    found = open_alarms(series, np.tile(risk_of(series, [5, 7]), (3, 1)), 0.5, RULES)
    closed = dict(zip(found["machine"], found["closed"], strict=True))
    assert closed == {"m1": 9, "m2": 9, "m3": 9}
    without = series.present[0]
    assert not without[[7, 8]].any()


def test_components_do_not_mix() -> None:
    failures = events(("m1", 12, "seal"), ("m1", 12, "pump"), ("m2", 12, "pump"))
    series = series_of(decisions(2, 40), ["pump", "seal"], {("m2", "seal")}, failures, events(), 1000)
    assert list(zip(series.machine, series.component, strict=True)) == [
        ("m1", "pump"),
        ("m2", "pump"),
        ("m1", "seal"),
    ]
    found = open_alarms(series, np.tile(risk_of(series, [5]), (3, 1)), {"pump": 0.95, "seal": 0.5}, RULES)
    assert found[["machine", "component", "outcome"]].to_numpy().tolist() == [["m1", "seal", "right"]]


def test_failures_that_nobody_could_foresee_do_not_count() -> None:
    series = one_part(40, failures=[1, 2, 49, 50])
    assert [one.tolist() for one in foreseeable(series, RULES)] == [[False, True, True, False]]


def test_risk_is_laid_out_by_machine_time_and_component() -> None:
    frame = decisions(2, 3).sample(frac=1, random_state=0)
    series = series_of(frame, ["pump", "seal"], {("m1", "seal")}, events(), events(), 100)
    risk = np.column_stack([frame["time"], frame["time"] + 10 * (frame["machine"] == "m2")]).astype(
        np.float32
    )
    laid = risk_matrix(series, frame.iloc[1:], risk[1:])
    missing = frame.iloc[0]
    for row, (machine, component) in enumerate(zip(series.machine, series.component, strict=True)):
        wanted = np.arange(3.0) + (10 if (machine, component) == ("m2", "seal") else 0)
        if machine == missing["machine"]:
            wanted[missing["time"]] = np.nan
        np.testing.assert_array_equal(laid[row], wanted)


TIMES = st.lists(st.integers(-5, 70), max_size=5)


@st.composite
def folds(draw: st.DrawFn) -> tuple[Series, np.ndarray[tuple[int, int], np.dtype[np.float32]], Rules]:
    pairs = [(m, c) for m in ("m1", "m2") for c in ("pump", "seal")]
    failed, work = ([(m, t, c) for m, c in pairs for t in draw(TIMES)] for _ in range(2))
    steps = draw(st.integers(1, 40))
    frame = decisions(2, steps)
    kept = draw(st.lists(st.booleans(), min_size=2 * steps, max_size=2 * steps))
    frame = frame[np.array(kept) | (np.arange(len(frame)) == 0)]
    series = series_of(
        frame, ["pump", "seal"], set(), events(*failed), events(*work), draw(st.integers(39, 60)), 2
    )
    values = draw(st.lists(st.integers(0, 4), min_size=len(frame) * 2, max_size=len(frame) * 2))
    risk = risk_matrix(series, frame, np.array(values, dtype=np.float32).reshape(-1, 2) / 4)
    horizon = draw(st.integers(2, 12))
    return series, risk, Rules(horizon, draw(st.integers(0, horizon - 1)), draw(st.integers(1, 3)))


@settings(max_examples=150, deadline=None)
@given(folds())
def test_the_count_is_the_list_of_alarms_counted(
    fold: tuple[Series, np.ndarray[tuple[int, int], np.dtype[np.float32]], Rules],
) -> None:
    series, risk, rules = fold
    thresholds = np.array([0.1, 0.25, 0.5, 0.75, 1.0])
    total = outcomes_by_series(series, risk, thresholds, rules).over()
    for number, threshold in enumerate(thresholds):
        found = open_alarms(series, risk, float(threshold), rules)
        for outcome in engine.OUTCOMES:
            assert getattr(total, outcome)[number] == (found["outcome"] == outcome).sum()
        caught = found[(found["outcome"] == "right") & (found["lead"] >= rules.min_lead)]
        assert total.caught[number] == len(caught.drop_duplicates(["machine", "component", "failure"]))
        counted = sum(int(one.sum()) for one in foreseeable(series, rules))
        assert total.caught[number] <= total.failures[number] == counted


@settings(max_examples=100, deadline=None)
@given(folds())
def test_alarms_of_a_series_do_not_overlap_and_keep_the_rules(
    fold: tuple[Series, np.ndarray[tuple[int, int], np.dtype[np.float32]], Rules],
) -> None:
    series, risk, rules = fold
    found = open_alarms(series, risk, 0.5, rules)
    for (machine, component), own in found.groupby(["machine", "component"]):
        row = int(np.flatnonzero((series.machine == machine) & (series.component == component))[0])
        closed = np.where(own["closed"] < 0, own["opened"] + rules.horizon, own["closed"])
        assert (closed[:-1] <= own["opened"].to_numpy()[1:]).all()
        assert (closed <= own["opened"] + rules.horizon).all()
        for opened, until, outcome in zip(own["opened"], closed, own["outcome"], strict=True):
            assert not any(opened < event < until for event in series.renewed[row])
            limit = opened + rules.horizon
            failure = min((t for t in series.failures[row] if opened < t <= limit), default=None)
            planned = min((t for t in series.replaced[row] if opened < t <= limit), default=limit + 1)
            if failure is not None and failure <= planned:
                assert outcome == "right"
            else:
                unknown = planned <= limit or limit > series.end[row]
                assert outcome == ("undetermined" if unknown else "false")


def test_many_thresholds_are_counted_fast() -> None:
    random = np.random.default_rng(0)
    frame, parts = decisions(125, 400), ["a", "b", "c", "d"]
    failed = [
        (f"m{random.integers(1, 126)}", int(random.integers(0, 400)), str(random.choice(parts)))
        for _ in range(900)
    ]
    series = series_of(frame, parts, set(), events(*failed), events(), 400)
    risk = risk_matrix(series, frame, random.random((len(frame), 4)))
    start = time.process_time()  # whatever else the computer does
    outcomes_by_series(series, risk, np.linspace(0, 1, 50), RULES).over()
    assert time.process_time() - start < 1.5
