"""Rows of the page of the model in service, from what monitoring finds, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forestall.monitoring.drift import AlarmDrift, Drift, Shift
from forestall.monitoring.estimate import FEWER, MORE, TOO_FEW, Check, Estimate, Estimated
from forestall.monitoring.explain import FACTORS, Change
from forestall.monitoring.live_change import LiveChange
from forestall.monitoring.periods import Periods
from forestall.monitoring.rates import rate_change
from forestall.serving.page.charts import share_bars
from forestall.serving.page.drift_rows import Weeks
from forestall.serving.page.record_rows import Month
from forestall.serving.page.record_tables import MODEL, read_record
from forestall.serving.page.service_rows import KeptBack
from forestall.serving.page.service_view import (
    change_of,
    drift_of,
    estimate_row,
    findings,
    kept_back_by,
    month_of,
    outcome_row,
)
from tests.monitoring.in_service import told
from tests.plant import HOUR
from tests.serving.page.services import ROOT

WEEKS = Weeks(604800, None, None, None, 4, 2, 3)
QUIET = Shift("volt", 0.01, 0.1, False, False, ())
MOVED = replace(QUIET, psi=0.5, beyond=True, holds=True)
HELD = Check(40, 12.0, 3.0, 11, 12, 0.8, "")


def rate(alarms: int, holds: bool, beyond: bool = True) -> AlarmDrift:
    """Where the reference lets expect ten alarms."""
    return AlarmDrift("pump", rate_change(alarms, 1.0, 100, 10.0), 0.001, beyond, holds, (("m1", 3.0),))


def found(
    alarms: tuple[AlarmDrift, ...] = (), risk: Shift = QUIET, value: Shift = QUIET, opinions: Shift = QUIET
) -> Drift:
    return Drift(alarms, (replace(risk, name="pump"),), (value,), replace(opinions, name="opinions"))


def kinds(drift: Drift | None, estimates: dict[str, Estimated] | None = None) -> list[str]:
    """What deserves a look."""
    return [one.kind for one in findings(drift, estimates or {}) if one.parts]


def estimated(withheld: str, alarms: str = "") -> Estimated:
    three = None if withheld else Estimate(3.0, 1.0)
    half = None if alarms else Estimate(0.5, 0.1)
    return Estimated(
        replace(HELD, withheld=withheld), replace(HELD, withheld=alarms), three, three, half, None
    )


@pytest.mark.parametrize(("alarms", "kind"), [(40, "more_alarms"), (0, "fewer_alarms")])
def test_an_alarm_rate_that_changed(alarms: int, kind: str) -> None:
    (one,) = [one for one in findings(found((rate(alarms, True),)), {}) if one.parts]
    assert (one.kind, one.of, one.parts[0].now, one.parts[0].usual) == (kind, "alarms", alarms, 10.0)
    assert kinds(found((rate(alarms, False),))) == []


def test_what_deserves_a_look_is_what_holds() -> None:
    assert kinds(None) == kinds(found()) == []
    assert kinds(found(risk=MOVED)) == ["risks"] and kinds(found(opinions=MOVED)) == ["opinions"]
    assert kinds(found(risk=replace(MOVED, holds=False))) == []
    assert kinds(found(value=MOVED)) == [], "changed inputs explain, and are no alarm"


@pytest.mark.parametrize(
    ("withheld", "kind"), [(MORE, ["more_failures"]), (FEWER, ["fewer_failures"]), (TOO_FEW, [])]
)
def test_a_calibration_that_is_refuted(withheld: str, kind: list[str]) -> None:
    assert kinds(None, {"pump": estimated(withheld)}) == kind
    assert kinds(None, {"pump": estimated("", withheld)}) == [], "of alarms alone it is told at the estimates"


def test_components_of_one_finding_stand_together() -> None:
    refuted = {"pump": estimated(MORE), "seal": estimated(MORE), "fan": estimated("")}
    (one,) = [one for one in findings(None, refuted) if one.parts]
    assert [part.name for part in one.parts] == ["pump", "seal"]


def test_the_state_of_a_row() -> None:
    none = AlarmDrift("seal", None, 0.001, False, False, ())
    rows = drift_of(found((rate(40, True), rate(40, False), rate(10, False, False), none)), WEEKS)
    assert [one.state for one in rows.rates] == ["holds", "beyond", "usual", "none"]
    assert rows.rates[0].ratio == pytest.approx(4.0) and rows.rates[0].machines == (("m1", 3.0),)
    assert rows.rates[3].alarms is None and rows.rates[3].p_value is None


def test_inputs_are_named_and_the_furthest_comes_first() -> None:
    names = {"volt": ("sensor", "volt"), "error E06": ("code", "E06"), "errors": ("codes", "")}
    names |= {"age of pump": ("age", "pump")}
    shifts = tuple(replace(QUIET, name=name, psi=0.01 * (at + 1)) for at, name in enumerate(names))
    rows = drift_of(replace(found(), inputs=(*shifts, replace(QUIET, psi=None, threshold=None))), WEEKS)
    assert [(one.kind, one.name) for one in rows.inputs[:4]] == list(reversed(names.values()))
    assert rows.inputs[4].state == "none" and rows.moved == []
    assert [one.name for one in drift_of(found(value=MOVED), WEEKS).moved] == ["volt"]


def test_outcomes_of_a_component() -> None:
    alarms = [("m0", "pump", 4.0), ("m1", "pump", 10.0), ("m0", "pump", 20.0), ("m0", "pump", 39.9)]
    service = told(alarms, [("m0", 4.5, "pump"), ("m1", 25.0, "pump")], [("m0", 20.5, "pump")])
    row = outcome_row("pump", service.components["pump"], HOUR, None)
    assert (row.caught, row.missed, row.unforeseen) == (1, 1, 0)
    assert (row.right, row.false, row.undetermined, row.pending) == (1, 1, 1, 1)
    assert row.recall.value == 0.5 and row.recall.at_most == pytest.approx(2 / 3)
    assert row.precision.at_least == pytest.approx(1 / 3) and row.precision.at_most == pytest.approx(2 / 3)
    assert row.precision.low is not None and 0 < row.precision.low < 0.5 < (row.precision.high or 0)
    assert row.lead == 12 * HOUR and row.tested is None
    (january, february) = [month_of(name, one) for name, one in service.months.items()]
    assert january == Month("2024-01", MODEL, 1, 1, 1) and february.caught == 0


def test_what_is_not_defined_is_none() -> None:
    row = outcome_row("seal", told().components["seal"], HOUR, None)
    assert row.recall.value is None and row.recall.low is None and row.lead is None
    assert row.false_rate == 0.0 and row.cost is not None


def test_the_test_fold_s_figures_stand_beside() -> None:
    record = read_record(ROOT)
    assert record is not None
    tested, fleet = kept_back_by(record, HOUR), record.policy(MODEL)
    assert fleet is not None and fleet.lead_time is not None
    assert set(tested) == {"", *record.components}
    assert tested[""] == KeptBack(
        fleet.recall, fleet.precision, fleet.false_alarms, fleet.cost, fleet.lead_time * HOUR
    )
    assert tested["motor"].recall is not None and tested["motor"].lead is None


def test_estimates_and_why_they_are_withheld() -> None:
    row = estimate_row("pump", estimated("", MORE))
    assert row.coming is not None and (row.coming.value, row.coming.sd) == (3.0, 1.0)
    assert (row.withheld, row.alarms_withheld, row.precision) == ("", "more", None)
    assert (row.expected.value, row.came, row.p_value) == (12.0, 11, 0.8)
    assert (
        estimate_row("pump", estimated(TOO_FEW)).withheld,
        estimate_row("pump", estimated(FEWER)).withheld,
    ) == (
        "few",
        "fewer",
    )


def test_the_change_of_risk() -> None:
    shares = dict(zip(FACTORS, (0.01, -0.02, 0.0, 0.005), strict=True))
    change = LiveChange(
        Periods((1, 2, 3), (10, 11)), Change(0.05, 0.045, shares), (6, 5), True, (0.1, 0.2), (0.3, 0.4)
    )
    row = change_of(change)
    assert (row.earlier, row.later, row.before, row.after) == ((1, 3), (10, 11), 0.05, 0.045)
    assert (row.planned, row.failed, row.machines, row.is_rescored) == ((0.1, 0.2), (0.3, 0.4), (6, 5), True)
    bars = share_bars(row.shares, "de")["data"]["values"]
    assert [one["points"] for one in bars] == pytest.approx([1.0, -2.0, 0.0, 0.5])
    assert [one["up"] for one in bars] == [True, False, False, True]
