"""Alarms over HTTP: how they are changed, paged and written; the history behind them is that of `test_machines`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from forestall.serving.api.etags import versions_of
from forestall.serving.api.problems import Problem
from forestall.serving.store.alarms import Alarm, end_alarm, raise_alarm
from forestall.serving.store.database import Store
from forestall.serving.store.machines import known_numbers
from tests import plant
from tests.serving.api.server import Running, fields, opened, running

T = plant.START + 10 * plant.DAY
RISK = float(np.float32(0.4613))
STAMP = np.datetime64(T + 60, "s").item().strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def api(whole_bundle: Path, tmp_path: Path) -> Iterator[Running]:
    """A service of its own, with seven alarms."""
    with running(opened(whole_bundle, tmp_path / "forestall.sqlite")) as one:
        for number in range(7):
            raised(store_of(one), f"m{number % 3}", T + number)
        yield one


def store_of(api: Running) -> Store:
    assert api.service.champion.serving is not None
    return api.service.champion.serving.store


def raised(store: Store, machine: str, opened: int) -> Alarm:
    with store.writing() as connection:
        number = known_numbers(connection, [machine])[machine]
        return raise_alarm(connection, number, "pump", opened, RISK, 0.1, 1000)


def change(
    api: Running, body: Any, match: str | None = '"1"', number: int = 1, kind: str = ""
) -> httpx.Response:
    headers = {"Content-Type": kind or "application/json"} | ({} if match is None else {"If-Match": match})
    return api.client.patch(f"/v1/alarms/{number}", content=json.dumps(body), headers=headers)


def test_a_merge_patch_is_what_it_says(api: Running) -> None:
    kind = "application/merge-patch+json"
    taken = change(api, {"assignee": "Jo", "note": "hums"}, kind=kind)
    assert (taken.status_code, taken.json()["assignee"], taken.json()["note"]) == (200, "Jo", "hums")
    left = change(api, {"assignee": None, "state": None}, '"2"', kind=kind)
    assert (left.status_code, left.json()["assignee"], left.json()["note"]) == (200, "", "hums")
    assert change(api, {"note": None}, '"3"').json()["note"] == ""
    refused = change(api, {}, kind="text/plain")
    assert (refused.status_code, refused.headers["accept-patch"]) == (415, f"application/json, {kind}")


@pytest.mark.parametrize(
    ("match", "status"),
    [
        ("*", 200),
        ('"1"', 200),
        ('"7", "1"', 200),
        ('"7",,"1",', 200),
        ('"x", "1"', 200),
        ('W/"1", "1"', 200),
        ('"2"', 412),
        ('"x"', 412),
        ('""', 412),
        ('W/"1"', 412),
        ('W/"1", "2"', 412),
        ("1", 400),
        ("", 400),
        ('"1" "2"', 400),
        ('"1', 400),
        ("*, *", 400),
        (None, 428),
    ],
)
def test_if_match_is_taken_as_the_rfc_has_it(api: Running, match: str | None, status: int) -> None:
    response = change(api, {"assignee": "Jo"}, match)
    assert response.status_code == status, response.text
    if status != 200:
        fields(response)
        assert api.client.get("/v1/alarms/1").json()["assignee"] == ""


def test_any_version_of_an_alarm_that_is_none_is_none(api: Running) -> None:
    assert change(api, {}, "*", 99).status_code == 404


def test_several_lines_of_if_match_are_one_list() -> None:
    assert versions_of(['"1"', '"2", "x"']) == frozenset({1, 2})
    assert versions_of(["*"]) is None
    with pytest.raises(Problem) as caught:
        versions_of(["*", '"1"'])
    assert caught.value.status == 400


def test_alarms_are_paged_like_every_list(api: Running) -> None:
    whole = api.client.get("/v1/alarms").json()
    assert [one["id"] for one in whole["alarms"]] == [7, 6, 5, 4, 3, 2, 1] and whole["next"] is None
    first = api.client.get("/v1/alarms?limit=3").json()
    raised(store_of(api), "m0", T + 99)
    later = api.client.get("/v1/alarms", params={"limit": 9, "cursor": first["next"]}).json()
    assert first["alarms"] + later["alarms"] == whole["alarms"] and later["next"] is None
    for cursor in ("17", "WyJyaXNrIl0", "WyJhbGFybSIsIngiXQ"):
        assert fields(api.client.get("/v1/alarms", params={"cursor": cursor})) == ["cursor"]
    assert fields(api.client.get("/v1/alarms?after=3")) == ["after"]


def test_changes_are_paged_like_every_list(api: Running) -> None:
    for version in range(1, 6):
        assert change(api, {"note": f"n{version}"}, f'"{version}"').status_code == 200
    whole = api.client.get("/v1/alarms/1/audit").json()
    assert len(whole["changes"]) == 5 and whole["next"] is None
    first = api.client.get("/v1/alarms/1/audit?limit=2").json()
    rest = api.client.get("/v1/alarms/1/audit", params={"cursor": first["next"]}).json()
    assert first["changes"] + rest["changes"] == whole["changes"] and len(first["changes"]) == 2


@pytest.mark.parametrize(("query", "field"), [("machine=NOPE", "machine"), ("component=pmup", "component")])
def test_alarms_of_what_is_not_known(api: Running, query: str, field: str) -> None:
    response = api.client.get(f"/v1/alarms?{query}")
    assert (response.status_code, fields(response)) == (422, [field])
    assert "pump, seal" in response.text or field == "machine"
    assert api.client.get("/v1/alarms?machine=m5").json() == {"alarms": [], "next": None}
    assert api.client.get("/v1/alarms?component=seal").json() == {"alarms": [], "next": None}


def test_a_risk_is_as_short_as_a_float32(api: Running) -> None:
    text = api.client.get("/v1/alarms/1").text
    (said,) = re.findall(r'"risk":([0-9.e-]+)', text)
    assert (said, np.float32(float(said))) == ("0.4613", np.float32(RISK))


def test_nothing_found_in_a_part_that_failed_needs_a_note(api: Running) -> None:
    failure = {"kind": "failures", "machine": "m0", "time": STAMP, "component": "pump"}
    assert api.send("/v1/events", [failure]).status_code == 200
    with store_of(api).writing() as connection:
        end_alarm(connection, 1, T + 60, "failed")
    closing = {"state": "closed", "finding": "no fault found"}
    response = change(api, closing)
    assert (response.status_code, fields(response)) == (409, ["finding"])
    assert STAMP in response.json()["detail"] and "'confirmed'" in response.json()["detail"]
    assert change(api, closing | {"note": "the fuse, not the pump"}).json()["finding"] == "no fault found"
    (entry,) = api.client.get("/v1/alarms/1/audit").json()["changes"]
    assert (entry["after"]["failed"], entry["note"]) == (STAMP, "the fuse, not the pump")
