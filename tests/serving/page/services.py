"""Services whose pages are looked at: one with a whole history behind it, one with alarms to act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from forestall.serving.api.service import Service
from forestall.serving.page.words import say
from forestall.serving.store.alarms import Alarm, raise_alarm
from forestall.serving.store.machines import add_machines, known_numbers
from tests import plant
from tests.serving.api.conftest import END, EVENTS, TELEMETRY
from tests.serving.api.replay import events, send
from tests.serving.api.server import Running, opened, running
from tests.serving.feeding import between, stamp
from tests.serving.page.html_page import Page
from tests.serving.store.stores import Addresses
from tests.serving.test_similar import past_of

HOSTILE = "<script>alert('1')</script>"
SLASHED, PERCENT, UNDERSCORE, UMLAUT = "line 1/pump", "100% a", "100_a", "Ölmühle"
SILENT, STALE = "silent", "m6"  # without any readings, and without recent ones
NAMED = (HOSTILE, SLASHED, PERCENT, UNDERSCORE, UMLAUT, "100xa")
FAILURE = int(EVENTS.failures.query("machine == 'm1' and component == 'pump'")["time"].max())
NOW = (FAILURE - 2 * plant.HOUR) // plant.HOUR * plant.HOUR  # in alarm, and not failed yet
BEFORE = NOW - 20 * plant.DAY
FUTURE = NOW + 13 * plant.HOUR  # beyond what may be known a little before its readings
ROOT = Path(__file__).parents[3]
NONE: Mapping[str, str] = MappingProxyType({})
Form = dict[str, str]


@pytest.fixture(scope="session")
def told(whole_bundle: Path, addresses_of_a_kind: Addresses) -> Iterator[Running]:
    """A recording until two hours before a failure, whose tables of events go on; some machines have trying names."""
    service = replace(opened(whole_bundle, addresses_of_a_kind.new()), record=ROOT)
    past = past_of(between(TELEMETRY, 0, BEFORE), EVENTS, plant.dataset(), service.serving.bundle, BEFORE)
    service.champion.serving = replace(service.serving, past=past)
    with running(service) as api:
        with service.store.writing() as connection:
            add_machines(
                connection, {name: {"model": "large", "age": 3.5} for name in (*NAMED, STALE, SILENT)}
            )
        send(api, 0, BEFORE)
        service.serving.live.score_due()
        send(api, BEFORE, NOW)
        row = {"running": True, "volt": 170.0, "spin": 450.0}
        few = [{"machine": name, "time": stamp(NOW - plant.HOUR), **row} for name in NAMED]
        few += [{"machine": STALE, "time": stamp(NOW - (72 + k) * plant.HOUR), **row} for k in range(60)]
        assert api.send("/v1/readings", few).status_code == 200
        assert api.send("/v1/events", [*events(FUTURE, END + plant.DAY), *stops()]).status_code == 200
        service.serving.live.score_due()
        yield api


def stops() -> list[dict[str, Any]]:
    """Of m2: one that is over, one that goes on, one that ends later; of m3 one that is to come."""
    day = plant.DAY
    spans = [(NOW - 3 * day, NOW - 2 * day), (NOW - day, None), (NOW - 2 * day, FUTURE)]
    found: list[dict[str, Any]] = [
        {
            "kind": "downtime",
            "machine": "m2",
            "start": stamp(start),
            "end": None if end is None else stamp(end),
        }
        for start, end in spans
    ]
    return [*found, {"kind": "downtime", "machine": "m3", "start": stamp(FUTURE), "end": stamp(FUTURE + day)}]


@pytest.fixture(scope="module")
def desk(whole_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service on this computer without readings, to raise alarms on."""
    with running(opened(whole_bundle, tmp_path_factory.mktemp("desk") / "forestall.sqlite")) as one:
        yield one


def get(
    api: Running, path: str, language: str = "en", status: int = 200, headers: Mapping[str, str] = NONE
) -> Page:
    """A page, in English if nothing else is asked for."""
    response = api.client.get(path, headers={"accept-language": language, **headers})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return Page(response.text)


def post(api: Running, path: str, form: Form, **headers: str) -> httpx.Response:
    """A form as a browser sends it."""
    return api.client.post(path, data=form, headers=headers)


def raised(service: Service, machine: str = "m0", opened_at: int = plant.START) -> Alarm:
    """A new alarm of a machine's pump."""
    with service.store.writing() as connection:
        number = known_numbers(connection, [machine])[machine]
        return raise_alarm(connection, number, "pump", opened_at, 0.5, 0.1, 1000)


def said(key: str, language: str = "en", **words: Any) -> str:
    """A text of the pages."""
    return say(f"page.{key}", words, language)
