"""What monitoring finds of a plant that was in service for two weeks, as /metrics tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from forestall.monitoring.estimate import FEWER, MORE, TOO_FEW, Check, Estimate, Estimated
from forestall.monitoring.outcomes import Realised
from forestall.monitoring.service import Window
from forestall.monitoring.service_figures import COUNTED
from forestall.monitoring.stored_outcomes import stored_outcomes
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.api.outcome_state import OutcomeState, estimate_samples, outcome_samples
from tests import plant
from tests.serving.api.conftest import END
from tests.serving.api.process import until
from tests.serving.api.replay import send
from tests.serving.api.scraping import Said, scraped, series, value
from tests.serving.api.server import Running, opened, running
from tests.serving.feeding import stamp

DAYS = 14
NO_HORIZON = Check(0, 0.0, 0.0, 0, 0, 1.0, TOO_FEW)


@pytest.fixture(scope="module")
def served(whole_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Twenty days of readings, and then two weeks that come by the day."""
    store = tmp_path_factory.mktemp("watch") / "store.sqlite"
    with running(opened(whole_bundle, f"sqlite:///{store}")) as api:
        begin = END - DAYS * plant.DAY
        times = [begin - 20 * plant.DAY, *range(begin, END + 1, plant.DAY)]
        for low, high in pairwise(times):
            send(api, low, high)
            api.service.serving.live.score_due()
        yield api


@pytest.fixture(scope="module")
def said(served: Running) -> Said:
    until(lambda: bool(series(scraped(served), "forestall_outcomes")))
    return scraped(served)


def realised(served: Running) -> Realised:
    bundle = served.service.serving.bundle
    window = Window(END - THRESHOLDS.outcome_horizons * bundle.reference.spans.horizon, END)
    with served.service.serving.store.reading() as connection:
        return stored_outcomes(connection, bundle, window)


def test_outcomes_are_those_of_the_store(served: Running, said: Said) -> None:
    found = realised(served)
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


def test_factors_add_up_to_the_change_of_mean_risk(said: Said) -> None:
    before, after = (value(said, "forestall_mean_risk_ratio", period=one) for one in ("before", "after"))
    shares = [
        value(said, "forestall_risk_change_ratio", factor=one) for one in ("mix", "ages", "data", "model")
    ]
    assert 0 < before < 1 and 0 < after < 1 and before != after
    assert sum(shares) == pytest.approx(after - before)


def confirm(served: Running, machine: str, component: str, opened_at: int) -> None:
    """Somebody says of an alarm that there was a fault."""
    asked = {"machine": machine, "component": component}
    alarms = served.client.get("/v1/alarms", params=asked).json()["alarms"]
    (number,) = [one["id"] for one in alarms if one["opened"] == stamp(opened_at)]
    said = {"state": "closed", "finding": "confirmed", "found": stamp(opened_at + plant.HOUR)}
    response = served.client.patch(f"/v1/alarms/{number}", json=said, headers={"If-Match": "*"})
    assert response.status_code == 200, response.text


def test_what_people_find_is_told_within_the_hour(served: Running, said: Said) -> None:
    clock, serving = [0.0], served.service.serving
    state = OutcomeState(lambda: clock[0])

    def right() -> float:
        with serving.store.reading() as connection:
            list(state(serving, connection))
        assert state.realised is not None
        return state.realised.fleet["right"]

    before = right()
    alarms = realised(served).alarms
    wrong = alarms[alarms["outcome"] == "false"].iloc[0]
    confirm(served, wrong["machine"], wrong["component"], int(wrong["opened"]))
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
