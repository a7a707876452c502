"""What monitoring finds of a plant that was in service for two weeks, as /metrics tells it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from forestall.monitoring.estimate import FEWER, MORE, TOO_FEW, Check, Estimate, Estimated
from forestall.monitoring.service_figures import COUNTED
from forestall.monitoring.stored_outcomes import EVER, outcome_window, until_of
from forestall.serving.api.change_state import end_of_later
from forestall.serving.api.outcome_state import (
    OutcomeState,
    estimate_samples,
    outcome_samples,
)
from forestall.serving.bundle import load_bundle
from forestall.serving.live import Live
from forestall.serving.store.database import open_store
from tests import plant
from tests.serving.api.in_service import realised_in
from tests.serving.api.process import until
from tests.serving.api.scraping import Said, scraped, series, value
from tests.serving.api.server import Running
from tests.serving.feeding import stamp

NO_HORIZON = Check(0, 0.0, 0.0, 0, 0, 1.0, TOO_FEW)


@pytest.fixture(scope="module")
def said(in_service: Running) -> Said:
    until(lambda: bool(series(scraped(in_service), "forestall_outcomes")))
    return scraped(in_service)


def test_outcomes_are_those_of_the_store(in_service: Running, said: Said) -> None:
    found = realised_in(in_service)
    assert sum(found.fleet[kind] for kind in ("right", "false", "undetermined")) > 2
    assert found.fleet["caught"] + found.fleet["missed"] > 2
    for component, figures in found.components.items():
        for outcome in COUNTED:
            assert value(said, "forestall_outcomes", component=component, outcome=outcome) == figures[outcome]
        assert value(said, "forestall_cost_per_machine_month", component=component) == pytest.approx(
            figures["cost_per_machine_month"]
        )
        if "event_recall" in figures:
            for bound, ending in (("settled", ""), ("at_least", "_at_least"), ("at_most", "_at_most")):
                exported = value(said, "forestall_event_recall_ratio", component=component, bound=bound)
                assert exported == pytest.approx(figures["event_recall" + ending])
    assert series(said, "forestall_alarm_precision_ratio") and series(said, "forestall_lead_time_seconds")
    assert value(said, "forestall_state_errors_total") == 0


def test_drift_of_the_whole_weeks_is_told(said: Said) -> None:
    names = {dict(labels)["name"] for labels in series(said, "forestall_drift_psi") if "name" in dict(labels)}
    assert {"pump", "seal", "volt", "spin"} <= names
    assert {dict(labels)["component"] for labels in series(said, "forestall_alarm_rate_p_value")} == {
        "pump",
        "seal",
    }


def test_factors_add_up_to_the_change_of_mean_risk(said: Said) -> None:
    before, after = (value(said, "forestall_mean_risk_ratio", period=one) for one in ("before", "after"))
    shares = [
        value(said, "forestall_risk_change_ratio", factor=one) for one in ("mix", "ages", "data", "model")
    ]
    assert 0 < before < 1 and 0 < after < 1 and before != after
    assert sum(shares) == pytest.approx(after - before)


def test_periods_end_where_the_fleet_is_scored_and_not_where_scoring_has_just_begun(
    in_service: Running,
) -> None:
    spans = in_service.service.serving.bundle.reference.spans
    times = range(plant.START, plant.START + 3 * spans.horizon, plant.HOUR)
    late = [time - end_of_later(time, spans) for time in times]
    assert min(late) >= spans.every
    assert max(late) < 2 * spans.every + max(spans.every, spans.horizon // 7)


def confirm(in_service: Running, machine: str, component: str, opened_at: int) -> None:
    """Somebody says of an alarm that there was a fault."""
    asked = {"machine": machine, "component": component}
    alarms = in_service.client.get("/v1/alarms", params=asked).json()["alarms"]
    (number,) = [one["id"] for one in alarms if one["opened"] == stamp(opened_at)]
    said = {"state": "closed", "finding": "confirmed", "found": stamp(opened_at + plant.HOUR)}
    response = in_service.client.patch(f"/v1/alarms/{number}", json=said, headers={"If-Match": "*"})
    assert response.status_code == 200, response.text


def test_what_people_find_is_told_within_the_hour(in_service: Running, said: Said) -> None:
    clock, serving = [0.0], in_service.service.serving
    state = OutcomeState(lambda: clock[0])

    def right() -> float:
        with serving.store.reading() as connection:
            list(state(serving, connection))
        assert state.known.realised is not None
        return state.known.realised.fleet["right"]

    before = right()
    alarms = realised_in(in_service).alarms
    wrong = alarms[alarms["outcome"] == "false"].iloc[0]
    confirm(in_service, wrong["machine"], wrong["component"], int(wrong["opened"]))
    clock[0] = 3599.0
    assert right() == before
    clock[0] = 3600.0
    assert right() > before


def test_what_is_not_defined_is_left_out() -> None:
    nothing = dict.fromkeys(COUNTED, 0.0)
    assert {one.metric.name for one in outcome_samples("pump", nothing, False)} == {"forestall_outcomes"}
    lead = {"lead_time_median_h": 2.0, "lead_time_p10_h": 1.0}
    times = {one.labels: one.value for one in outcome_samples("pump", nothing | lead, False) if one.value}
    assert times == {("pump", "0.5"): 7200.0, ("pump", "0.1"): 3600.0}
    assert not any(one.value for one in outcome_samples("engine", nothing | lead, True))


@pytest.mark.parametrize(("withheld", "refuted"), [("", 0), (TOO_FEW, 0), (MORE, 1), (FEWER, 1)])
def test_estimates_are_told_where_calibration_holds(withheld: str, refuted: int) -> None:
    check = replace(NO_HORIZON, withheld=withheld, p_value=0.25)
    coming = None if withheld else Estimate(3.0, 1.0)
    found = Estimated(check, NO_HORIZON, coming, None, None, None)
    said = {(one.metric.name, *one.labels): one.value for one in estimate_samples("pump", found)}
    assert said.pop(("forestall_calibration_refuted", "pump")) == refuted
    assert said.pop(("forestall_calibration_p_value", "pump", "decisions")) == 0.25
    assert said.pop(("forestall_calibration_p_value", "pump", "alarms")) == 1.0
    assert said == ({} if withheld else {("forestall_expected_failures", "pump"): 3.0})


def test_machines_with_clocks_of_their_own_are_judged_from_their_beginning(
    counting_folder: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(counting_folder)
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}", bundle)
    with store.reading() as connection:
        until_ = until_of(Live.over(store, bundle, None), connection)
    store.close()
    assert until_ is not None
    window = outcome_window(bundle, until_)
    assert window.after == EVER and window.until > 10**9
