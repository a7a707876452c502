"""A plant's history is sent over HTTP; what is said of its machines is what the batch says."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import plant
from tests.serving.api.conftest import END, EVENTS, TELEMETRY
from tests.serving.api.replay import records, send
from tests.serving.api.server import ATTRIBUTES, Running, fields, opened, running
from tests.serving.feeding import batch_of, stamp
from tests.serving.store.stores import Addresses

LAST_DAYS = 2


Answers = dict[tuple[int, str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def replayed(whole_bundle: Path, addresses_of_a_kind: Addresses) -> Iterator[tuple[Running, Answers]]:
    """The history sent over HTTP, its last days in order of time; what was answered at each decision."""
    service = opened(whole_bundle, addresses_of_a_kind.new())
    first, step, answers = END - LAST_DAYS * plant.DAY, plant.dataset().ticks("3h"), Answers()
    with running(service) as api:
        send(api, 0, first)
        for decision in range(first + step, END + 1, step):
            send(api, decision - step, decision)
            for machine in sorted(ATTRIBUTES):
                said = api.client.get(f"/v1/machines/{machine}").json()
                answers[decision, machine] = said["components"]
        yield api, answers


@pytest.fixture
def filled(replayed: tuple[Running, Answers]) -> Running:
    """A service that was sent the whole history."""
    return replayed[0]


def test_a_replay_through_http_gives_the_batch_to_the_last_bit(replayed: tuple[Running, Answers]) -> None:
    api, answers = replayed
    serving = api.service.champion.serving
    assert serving is not None
    batch = batch_of(TELEMETRY, EVENTS, serving.bundle)
    compared = 0
    for decision in sorted({decision for decision, _ in answers}):
        (place,) = np.flatnonzero(batch.decisions == decision)
        for row, machine in enumerate(batch.machines):
            for one in answers[decision, machine]:
                assert one["time"] == stamp(decision)
                column = serving.bundle.components.index(one["component"])
                if one["risk"] is not None:
                    said = np.array(list(one["risk"].values()), dtype=np.float32)
                    assert (said == batch.curves[row, place, column]).all()
                    assert np.float32(one["trend"][-1]["risk"]) == said[-1]
                    compared += 1
    assert compared > 150


def test_the_ranking_is_paged_without_loss(filled: Running) -> None:
    whole = filled.client.get("/v1/machines").json()["machines"]
    assert len(whole) == 12
    risks = [list(one["risk"].values())[-1] for one in whole if one["risk"]]
    assert risks == sorted(risks, reverse=True) and len(risks) > 8
    for order in ("risk", "soon", "machine"):
        pages, cursor = [], None
        while True:
            query = {"order": order, "limit": 5} | ({"cursor": cursor} if cursor else {})
            page = filled.client.get("/v1/machines", params=query).json()
            pages += page["machines"]
            if (cursor := page["next"]) is None:
                break
        assert sorted(map(str, pages)) == sorted(map(str, whole))
    assert [one["machine"] for one in pages] == sorted(one["machine"] for one in pages)


@pytest.mark.parametrize("status", ["", "normal"])
def test_the_ranking_by_the_shortest_horizon(filled: Running, status: str) -> None:
    asked = {"status": status} if status else {}

    def listed(order: str) -> list[dict[str, Any]]:
        found = filled.client.get("/v1/machines", params={"order": order, **asked}).json()["machines"]
        return list(found)

    soon = listed("soon")
    risks = [next(iter(one["risk"].values())) for one in soon if one["risk"]]
    assert risks == sorted(risks, reverse=True) and len(risks) > 1
    assert all(one["risk"] is None for one in soon[len(risks) :])
    assert soon != listed("risk") and sorted(map(str, soon)) == sorted(map(str, listed("risk")))


def test_the_ranking_is_filtered(filled: Running) -> None:
    def names(**query: Any) -> list[str]:
        found = filled.client.get("/v1/machines", params=query).json()["machines"]
        return [f"{one['machine']} {one['component']}" for one in found]

    assert names(search="M5", order="machine") == ["m5 pump", "m5 seal"]
    assert names(status="not applicable") == ["m5 seal"]
    assert set(names(component="pump")) == {f"m{n} pump" for n in range(6)}
    every = filled.client.get("/v1/machines").json()["machines"]
    high = [one for one in every if one["risk"] and list(one["risk"].values())[-1] >= 0.2]
    assert len(names(min_risk=0.2)) == len(high)
    assert names(search="%") == names(search="nobody") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("min_risk=nan", "min_risk"),
        ("min_risk=2", "min_risk"),
        ("order=age", "order"),
        ("status=ill", "status"),
        ("search=%00", "search"),
        ("cursor=x", "cursor"),
        ("cursor=WyJyaXNrIl0", "cursor"),
        ("cursor=%FF", "cursor"),
        ("colour=red", "colour"),
    ],
)
def test_queries_that_cannot_be(api: Running, query: str, field: str) -> None:
    response = api.client.get(f"/v1/machines?{query}")
    assert (response.status_code, fields(response)) == (422, [field])


def test_one_machine_in_detail(filled: Running) -> None:
    answer = filled.client.get("/v1/machines/m5").json()
    assert answer["attributes"] == {"model": "small", "age": 5.0}
    assert (answer["last_reading"], answer["data_age"], answer["time_unit"]) == (stamp(END), 0.0, "h")
    assert answer["scoring_problem"] is None
    by_component = {one["component"]: one for one in answer["components"]}
    assert by_component["seal"]["status"] == "not applicable"
    replaced = EVENTS.maintenance.query("machine == 'm5' and component == 'pump'")["time"].max()
    assert by_component["pump"]["last_replacement"] == stamp(replaced)
    assert len(by_component["pump"]["trend"]) > 20
    for name in ("m99", "m1%00", "%F0%9F%92%A9", "m1%0A"):
        assert filled.client.get(f"/v1/machines/{name}").status_code == 404


def test_what_was_seen_is_written_in_six_digits(filled: Running) -> None:
    text = filled.client.get("/v1/machines", params={"limit": 500}).text
    numbers = re.findall(r'"(?:value|healthy)":([0-9.eE+-]+)', text)
    digits = [number.partition("e")[0].replace(".", "").strip("-").strip("0") for number in numbers]
    assert digits and max(map(len, digits)) == 6
    thresholds = {float(number) for number in re.findall(r'"threshold":([0-9.]+)', text)}
    assert thresholds == {0.1}


def test_readings_are_given_back_as_they_were_sent(filled: Running) -> None:
    day = END - 10 * plant.DAY
    query = {"after": stamp(day), "until": stamp(day + plant.DAY)}
    got = filled.client.get("/v1/machines/m2/readings", params=query).json()["readings"]
    sent = TELEMETRY[(TELEMETRY["machine"] == "m2") & TELEMETRY["time"].between(day + 1, day + plant.DAY)]
    assert got == records(sent)
    pages, cursor = [], None
    while True:
        page = filled.client.get(
            "/v1/machines/m2/readings", params=query | {"limit": 7} | ({"cursor": cursor} if cursor else {})
        ).json()
        pages.append(page["readings"])
        if (cursor := page["next"]) is None:
            break
    assert [row for page in pages for row in page] == got and len(pages[0]) == 7
    assert fields(filled.client.get("/v1/machines/m2/readings?cursor=x")) == ["cursor"]
    assert fields(filled.client.get("/v1/machines/m2/readings?after=yesterday")) == ["after"]


def alarm(filled: Running) -> dict[str, Any]:
    page = filled.client.get("/v1/alarms", params={"state": "open", "limit": 1}).json()
    assert page["alarms"], "the history raises alarms"
    found: dict[str, Any] = page["alarms"][0]
    return found


def change(filled: Running, number: int, version: Any, **body: Any) -> Any:
    return filled.client.patch(f"/v1/alarms/{number}", json=body, headers={"If-Match": f'"{version}"'})


def test_an_alarm_is_taken_on_and_closed_and_becomes_a_failure(filled: Running) -> None:
    one = alarm(filled)
    first = filled.client.get(f"/v1/alarms/{one['id']}")
    assert first.headers["etag"] == '"1"' and first.json() == one
    taken = change(filled, one["id"], 1, state="in work", assignee="Jo", note="Heard it\nmyself")
    assert (taken.status_code, taken.headers["etag"]) == (200, '"2"'), taken.text
    late = change(filled, one["id"], 1, state="acknowledged")
    assert (late.status_code, late.headers["etag"]) == (412, '"2"')
    back = change(filled, one["id"], 2, state="open")
    assert (back.status_code, fields(back)) == (422, ["state"])
    undated = change(filled, one["id"], 2, state="closed", finding="confirmed")
    assert (undated.status_code, fields(undated)) == (422, ["found"])
    found = pd.Timestamp(one["opened"]) + pd.Timedelta("90min")
    when = found.strftime("%Y-%m-%dT%H:%M:%SZ")
    closing = {"state": "closed", "finding": "confirmed", "found": when, "replaced": True}
    closed = change(filled, one["id"], 2, **closing)
    assert closed.json() | {"state": "closed", "finding": "confirmed", "version": 3} == closed.json()
    changes = filled.client.get(f"/v1/alarms/{one['id']}/audit").json()["changes"]
    assert [entry["after"].get("state") for entry in changes] == ["in work", "closed"]
    assert {entry["who"] for entry in changes} == {"local"}
    assert changes[1]["after"] == {"state": "closed", "finding": "confirmed", "found": when, "replaced": True}
    assert changes[1]["before"] == {"state": "in work", "finding": None, "found": None, "replaced": None}
    row = {"machine": one["machine"], "time": f"{found:%Y-%m-%d %H:%M:%S}", "component": one["component"]}
    for table in ("failures", "maintenance"):
        response = filled.client.get(f"/v1/export/{table}")
        assert response.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(response.text)))
        assert row | {"source": "feedback"} in rows
        assert sum(one["source"] == "plant" for one in rows) == len(getattr(EVENTS, table))


def test_changes_that_cannot_be(filled: Running) -> None:
    number = alarm(filled)["id"]
    path = f"/v1/alarms/{number}"
    assert filled.client.patch(path, json={}).status_code == 428
    changes: list[tuple[dict[str, Any], str]] = [
        ({"state": "done"}, "state"),
        ({"mood": 1}, "mood"),
        ({"assignee": 7}, "assignee"),
        ({"assignee": "a\0"}, "assignee"),
        ({"note": "x" * 4001}, "note"),
        ({"replaced": "yes"}, "replaced"),
        ({"state": "closed"}, "finding"),
        ({"finding": "confirmed"}, "finding"),
        ({"state": "closed", "finding": "confirmed", "found": "2124-01-01T00:00:00Z"}, "found"),
        ({"state": "closed", "finding": "confirmed", "found": "2020-01-01T00:00:00Z"}, "found"),
        ({"state": "closed", "finding": "confirmed", "found": "noon"}, "found"),
    ]
    for body, field in changes:
        response = change(filled, number, 1, **body)
        assert (response.status_code, fields(response)[:1]) == (422, [field]), body
    assert change(filled, 999_999, 1).status_code == 404
    assert filled.client.get("/v1/alarms/0").status_code == 422
    assert filled.client.get("/v1/alarms/99999999999").status_code == 422
    assert filled.client.get("/v1/alarms?state=sleeping").status_code == 422
    assert filled.client.get("/v1/export/machines").status_code == 422


def test_what_happened_after_the_decision_changes_what_to_do(filled: Running) -> None:
    after = {"kind": "maintenance", "machine": "m1", "time": stamp(END + 60), "component": "pump"}
    assert filled.send("/v1/events", [after]).status_code == 200
    (pump,) = [
        one for one in filled.client.get("/v1/machines/m1").json()["components"] if one["component"] == "pump"
    ]
    assert pump["since_decision"] == {"what": "replaced", "time": stamp(END + 60)}
    assert pump["recommended_action"].startswith("It was replaced at 2024-")
    rows = filled.client.get("/v1/machines", params={"search": "m1", "component": "pump"}).json()["machines"]
    assert [one["since_decision"] for one in rows] == [pump["since_decision"]]


def test_what_lies_past_a_recordings_end_is_not_known_yet(filled: Running) -> None:
    later = {"kind": "failures", "machine": "m2", "time": stamp(END + 9 * plant.DAY), "component": "pump"}
    replaced = {**later, "kind": "maintenance"}
    before = filled.client.get("/v1/machines/m2").json()
    assert filled.send("/v1/events", [later, replaced]).status_code == 200
    about = filled.client.get("/v1/machines/m2").json()
    for old, new in zip(before["components"], about["components"], strict=True):
        for key in ("since_decision", "recommended_action", "last_replacement"):
            assert new[key] == old[key]
    rows = filled.client.get("/v1/machines", params={"search": "m2"}).json()["machines"]
    assert all(one["since_decision"] is None for one in rows)


def test_a_component_that_is_none_is_named(filled: Running) -> None:
    assert fields(filled.client.get("/v1/machines", params={"component": "pmup"})) == ["component"]
