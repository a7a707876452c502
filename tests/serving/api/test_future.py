"""What is thought at a decision does not know what came after it, whatever is sent later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import plant
from tests.serving.api.conftest import END
from tests.serving.api.replay import send
from tests.serving.api.server import Running, fields, opened, running
from tests.serving.feeding import stamp
from tests.serving.predict_body import body
from tests.serving.store.stores import Addresses

DECISION = END - 2 * plant.DAY
WILD = {"volt": 399.0, "spin": 5000.0, "running": True}


@pytest.fixture
def told(whole_bundle: Path, addresses_of_a_kind: Addresses) -> Iterator[Running]:
    """A service that was sent all until a decision."""
    with running(opened(whole_bundle, addresses_of_a_kind.new())) as api:
        send(api, 0, DECISION)
        yield api


def thought(api: Running, machine: str, decision: int = DECISION) -> dict[str, Any]:
    """By component, the risk at a decision as the trend has it."""
    components = api.client.get(f"/v1/machines/{machine}").json()["components"]
    risks = {
        one["component"]: point["risk"]
        for one in components
        for point in one["trend"]
        if point["time"] == stamp(decision)
    }
    assert len(risks) == len(components) > 0
    return risks


def errors(sign: int) -> list[dict[str, Any]]:
    """Errors of the hour after the decision, or before it."""
    return [{"time": stamp(DECISION + sign * 60 * k), "code": f"e{1 + k % 3}"} for k in range(1, 60)]


def send_future(api: Running, machine: str) -> None:
    """Readings and events after the decision, as unlike those before it as can be."""
    rows = [{"machine": machine, "time": stamp(DECISION + k * 600), **WILD} for k in range(1, 60)]
    assert api.send("/v1/readings", rows).status_code == 200
    later = {"machine": machine, "time": stamp(DECISION + 60)}
    events: list[dict[str, Any]] = [{"kind": "errors", "machine": machine, **one} for one in errors(1)]
    events += [{"kind": "failures", **later, "component": "pump"}]
    events += [{"kind": "maintenance", **later, "component": "seal"}]
    events += [{"kind": "downtime", "machine": machine, "start": stamp(DECISION + 3600)}]
    assert api.send("/v1/events", events).status_code == 200


def test_what_is_sent_later_leaves_a_decision_as_it_was(told: Running) -> None:
    before = thought(told, "m0")
    assert all(risk is not None for risk in before.values())
    send_future(told, "m0")
    assert thought(told, "m0") == before
    now = thought(told, "m0", DECISION + plant.dataset().ticks("3h"))
    assert now != before, "what was sent is looked at at all"
    late = [{"machine": "m0", "time": stamp(DECISION - 60), **WILD}]
    assert told.send("/v1/readings", late).status_code == 200
    assert thought(told, "m0") != before, "what belongs before the decision alters it"


def test_a_machine_that_was_not_scored_yet_is_judged_without_its_future(
    told: Running, whole_bundle: Path, addresses_of_a_kind: Addresses
) -> None:
    with running(opened(whole_bundle, addresses_of_a_kind.new())) as other:
        send_future(other, "m1")
        send(other, 0, DECISION)
        assert thought(other, "m1") == thought(told, "m1")
        early = [{"kind": "errors", "machine": "m1", **one} for one in errors(-1)]
        assert other.send("/v1/events", early).status_code == 200
        assert thought(other, "m1") != thought(told, "m1"), "errors are looked at at all"


def until_decision() -> dict[str, Any]:
    """A machine's history until the decision."""
    history = body("m1", DECISION - 4 * plant.DAY, DECISION)
    for table in ("errors", "maintenance", "failures"):
        history[table] = [row for row in history[table] if row["time"] <= stamp(DECISION)]
    return history


def asked(api: Running, history: dict[str, Any]) -> list[Any]:
    said = api.send("/predict", history)
    assert said.status_code == 200, said.text
    found: list[Any] = said.json()["components"]
    return found


def test_a_history_is_judged_without_what_lies_after_the_time_of_asking(api: Running) -> None:
    history = until_decision() | {"at": stamp(DECISION)}
    before = asked(api, history)
    assert all(one["risk"] for one in before)
    later = json.loads(json.dumps(history))
    later["readings"] += [{"time": stamp(DECISION + k * 600), **WILD} for k in range(1, 60)]
    later["errors"] += errors(1)
    for table, component in (("failures", "pump"), ("maintenance", "seal"), ("maintenance", "pump")):
        later[table] += [{"time": stamp(DECISION + 60), "component": component}]
    later["downtime"] = [{"start": stamp(DECISION + 3600), "end": None}]
    assert asked(api, later) == before
    del later["at"]
    assert asked(api, later) != before


def test_without_a_time_of_asking_events_after_the_last_reading_do_not_matter(api: Running) -> None:
    history = until_decision()
    before = asked(api, history)
    assert all(one["risk"] for one in before)
    known, history["errors"] = history["errors"], history["errors"] + errors(1)
    history["failures"] += [{"time": stamp(DECISION + 60), "component": "pump"}]
    history["maintenance"] += [{"time": stamp(DECISION + 60), "component": "seal"}]
    assert asked(api, history) == before
    assert asked(api, history | {"errors": known + errors(-1)}) != before, "errors are looked at at all"


def test_a_wrong_clock_does_not_move_the_time_of_a_recording(told: Running) -> None:
    ranked = told.client.get("/v1/machines").json()
    wrong = {"machine": "m0", "time": stamp(DECISION + 31 * plant.DAY), "volt": 170.0}
    right = {"machine": "m1", "time": stamp(DECISION + 60), "volt": 170.0}
    said = told.send("/v1/readings", [right, wrong])
    assert (said.status_code, fields(said)) == (422, ["readings[1].time"])
    assert "30 days after the fleet's latest reading" in said.text and stamp(DECISION + 60) in said.text
    assert told.client.get("/v1/machines").json() == ranked
    between = [{**wrong, "time": stamp(DECISION + day * plant.DAY)} for day in (55, 29)]
    assert told.send("/v1/readings", between).status_code == 200


def test_without_a_recording_only_the_clock_of_the_wall_counts(whole_bundle: Path, tmp_path: Path) -> None:
    with running(opened(whole_bundle, tmp_path / "forestall.sqlite", recorded=False)) as api:
        for day in (60, 0, 200):
            row = {"machine": "m0", "time": stamp(END + day * plant.DAY), "volt": 170.0}
            assert api.send("/v1/readings", [row]).status_code == 200
