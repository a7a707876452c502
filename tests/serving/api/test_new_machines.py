"""A machine that is new at the plant is made known, whatever it is called."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from forestall.serving.store.machines import machine_named
from tests.serving.api.server import Running, fields, key_for, opened, running

TIME = "2024-02-01T10:00:00Z"


@pytest.fixture
def api(whole_bundle: Path, tmp_path: Path) -> Iterator[Running]:
    with running(opened(whole_bundle, tmp_path / "forestall.sqlite")) as one:
        yield one


def put(api: Running, name: str, content: Any, **headers: str) -> httpx.Response:
    return api.client.put(f"/v1/machines/{quote(name, safe='')}", json=content, headers=headers)


def test_a_new_machine_can_send_readings(api: Running) -> None:
    reading = {"machine": "m9", "time": TIME, "volt": 170.0}
    refused = api.send("/v1/readings", [reading])
    assert (refused.status_code, fields(refused)) == (422, ["readings[0].machine"])
    assert "PUT /v1/machines/{machine}" in refused.json()["detail"]
    attributes = {"attributes": {"model": "large", "age": 3}}
    made = put(api, "m9", attributes)
    assert (made.status_code, made.json()) == (201, {"machine": "m9", **attributes})
    assert api.send("/v1/readings", [reading]).json()["new"] == 1
    about = api.client.get("/v1/machines/m9").json()
    assert about["attributes"] == attributes["attributes"]
    assert {one["component"] for one in about["components"]} == {"pump", "seal"}


def test_it_may_be_said_again_and_otherwise(api: Running, caplog: pytest.LogCaptureFixture) -> None:
    first = {"attributes": {"model": "large", "age": 3.0}}
    with caplog.at_level(logging.INFO, logger="forestall.serving"):
        answers = [
            put(api, "m9", first),
            put(api, "m9", first),
            put(api, "m9", {"attributes": {"age": None}}),
        ]
    assert [one.status_code for one in answers] == [201, 200, 200]
    assert answers[2].json()["attributes"] == {"model": None, "age": None}
    assert api.client.get("/v1/machines/m9").json()["attributes"] == {"model": None, "age": None}
    said = [
        vars(one)["fields"]
        for one in caplog.records
        if one.getMessage() in ("machine added", "machine changed")
    ]
    assert [(one["machine"], one["by"]) for one in said] == [("m9", "local")] * 2


def test_what_is_known_already_is_not_lost(api: Running) -> None:
    assert api.send("/v1/readings", [{"machine": "m5", "time": TIME, "volt": 1.0}]).status_code == 200
    assert put(api, "m5", {"attributes": {"model": "small", "age": 6}}).status_code == 200
    assert len(api.client.get("/v1/machines/m5/readings").json()["readings"]) == 1
    serving = api.service.champion.serving
    assert serving is not None
    with serving.store.reading() as connection:
        machine = machine_named(connection, "m5")
    assert machine is not None and machine.attributes["age"] == 6.0


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({}, "attributes"),
        ([], "body"),
        ({"attributes": {"colour": "red"}}, "attributes.colour"),
        ({"attributes": {"age": "old"}}, "attributes.age"),
        ({"attributes": {"age": True}}, "attributes.age"),
        ({"attributes": {"model": 7}}, "attributes.model"),
        ({"attributes": {"model": ""}}, "attributes.model"),
        ({"attributes": {}, "machine": "m9"}, "machine"),
    ],
)
def test_attributes_that_cannot_be(api: Running, content: Any, field: str) -> None:
    response = put(api, "m9", content)
    assert (response.status_code, fields(response)) == (422, [field])
    assert api.client.get("/v1/machines/m9").status_code == 404


NAMES = ["line 1/pump 3", "/x", "x/", "x/readings", "100%", "a%2Fb", "a%252Fb", "Pümpe #1?", "m" * 200, "💩"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_addressed(api: Running, name: str) -> None:
    assert put(api, name, {"attributes": {"age": 1}}).status_code == 201
    path = f"/v1/machines/{quote(name, safe='')}"
    assert api.client.get(path).json()["machine"] == name
    assert api.send("/v1/readings", [{"machine": name, "time": TIME, "volt": 170.0}]).status_code == 200
    readings = api.client.get(f"{path}/readings").json()["readings"]
    assert [one["machine"] for one in readings] == [name]
    assert api.client.get("/v1/alarms", params={"machine": name}).status_code == 200


def test_names_of_one_letter_more_are_others(api: Running) -> None:
    for name in ("a/b", "a%2Fb"):
        put(api, name, {"attributes": {}})
    assert api.client.get("/v1/machines/a%2fb").json()["machine"] == "a/b"
    assert api.client.get("/v1/machines/a%252Fb").json()["machine"] == "a%2Fb"
    assert api.client.get("/v1/machines/a/b").status_code == 404


@pytest.mark.parametrize("name", ["m\0", "m\n9", "m" * 201])
def test_a_name_that_is_none_is_refused(api: Running, name: str) -> None:
    response = put(api, name, {"attributes": {}})
    assert (response.status_code, fields(response)) == (422, ["machine"])


def test_only_who_may_all_makes_machines_known(api: Running) -> None:
    for role, status in (("read", 403), ("write", 403), ("admin", 201)):
        key = key_for(api.service, role)  # type: ignore[arg-type]
        assert put(api, "m9", {"attributes": {}}, **{"X-API-Key": key}).status_code == status


def test_a_machine_without_readings_has_no_opinion(api: Running) -> None:
    for hour in range(10):
        reading = {"machine": "m1", "time": f"2024-02-01T{hour:02}:00:00Z", "volt": 170.0}
        assert api.send("/v1/readings", [reading]).status_code == 200
    assert put(api, "m9", {"attributes": {"age": 1}}).status_code == 201
    for _ in range(2):
        about = api.client.get("/v1/machines/m9").json()
        assert (about["first_reading"], about["data_age"]) == (None, None)
        assert {one["status"] for one in about["components"]} == {"no opinion"}
        reading = {"machine": "m1", "time": "2024-02-02T10:00:00Z", "volt": 170.0}
        assert api.send("/v1/readings", [reading]).status_code == 200


def test_a_machine_whose_first_reading_comes_long_after_it_was_made_known(api: Running) -> None:
    def send(name: str, day: int) -> None:
        rows = [
            {"machine": name, "time": f"2024-02-{day:02}T{hour:02}:00:00Z", "volt": 170.0}
            for hour in range(20)
        ]
        assert api.send("/v1/readings", rows).status_code == 200

    send("m1", 1)
    assert put(api, "m9", {"attributes": {"age": 1}}).status_code == 201
    assert api.client.get("/v1/machines/m9").status_code == 200
    send("m9", 4)
    about = api.client.get("/v1/machines/m9")
    assert about.status_code == 200
    assert {one["time"] for one in about.json()["components"]} == {"2024-02-04T18:00:00Z"}
