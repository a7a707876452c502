"""The pages of a plant whose machines count their own cycles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from forestall.serving.api.start import fill_if_empty, open_service
from forestall.serving.store.alarms import AlarmFilter, get_alarm, list_alarms
from tests import engines
from tests.serving.api.server import Running, running
from tests.serving.page.html_page import Page
from tests.serving.page.services import ROOT, get, post, said
from tests.serving.store.stores import Addresses

LAST = engines.last_cycles()
IN_ALARM, GONE = "5", "1"  # four cycles before its failure, and failed


@pytest.fixture(scope="module")
def garage(
    counting_folder: Path, addresses_of_a_kind: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    raw = tmp_path_factory.mktemp("raw")
    (raw / "test").mkdir()
    table = engines.table()
    some = table["engine"].astype(str).isin([*engines.LEFT, GONE, "2", "3"])
    table[some].to_csv(raw / "test" / "engines.csv", index=False)
    service = replace(open_service(addresses_of_a_kind.new(), counting_folder, "127.0.0.1"), record=ROOT)
    fill_if_empty(service, counting_folder, raw, lambda _: None)
    with running(service) as api:
        yield api


PATHS = [
    "/",
    "/fleet/rows?order=soon",
    "/alarms?show=all",
    "/alarms/1",
    "/machines/5",
    "/machines/5/advice?visit=300",
    "/machines/5/sensors",
    "/machines/5/similar?component=machine",
    "/machines/5/card",
    "/machines/5/card?component=machine",
    "/machines/1",
    "/machines/1/sensors",
    "/in-service",
]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("path", PATHS)
def test_no_page_speaks_of_days(garage: Running, path: str, language: str) -> None:
    text = get(garage, path, language).text
    assert "1970" not in text and not re.search(r"\d (h|days|Tagen?|min)\b", text)


def test_the_list_tells_cycles(garage: Running) -> None:
    rows = {row[0]: row for row in get(garage, "/fleet/rows").rows()}
    row = rows[f"{IN_ALARM} machine"]
    assert "alarm" in row[1] and "cycles" in row[3] and row[7] == "0 cycles"
    assert "history ended with its failure" in rows[f"{GONE} machine"][1]
    assert not get(garage, "/").all("script", data_for="load")  # there are no weeks


def test_the_machine_in_cycles(garage: Running) -> None:
    page = get(garage, f"/machines/{IN_ALARM}")
    for name in ("risks", "line"):
        spec = json.loads("".join(page.one("script", data_for=name).pieces))
        times = [row["time"] for row in spec["data"]["values"]]
        assert all(type(time) is int and 0 < time <= LAST[IN_ALARM] for time in times) and times
        assert '"temporal"' not in json.dumps(spec)
    assert page.one("input", id="visit").attributes["type"] == "number"
    assert said("visit_unknown") in page.text  # nothing is known of visits


def test_a_visit_is_a_cycle(garage: Running) -> None:
    later = LAST[IN_ALARM] + 40
    page = get(garage, f"/machines/{IN_ALARM}?visit={later}")
    assert page.value("visit") == str(later) and f"{later} cycles" in page.text
    for wrong in ("soon", "²", "1.5", "2024-01-01", "9" * 30):
        page = get(garage, f"/machines/{IN_ALARM}?visit={wrong}", status=422)
        assert said("about_422") in page.text


def test_the_sensors_by_cycle(garage: Running) -> None:
    page = get(garage, f"/machines/{IN_ALARM}/sensors")
    assert [one.text for one in page.all("figcaption")] == list(engines.SENSORS)
    values = json.loads("".join(page.one("script", data_for="sensor-1").pieces))["data"]["values"]
    assert values[-1]["time"] == LAST[IN_ALARM] and values[-1]["value"] is not None
    assert said("sensors_about", span="1 cycles") in page.text
    table = engines.table()
    sent = table.loc[table["engine"] == int(IN_ALARM), "s1"].tolist()
    assert values[-1]["value"] == pytest.approx(sent[-1], rel=1e-3)


def test_an_alarm_is_closed_with_a_cycle(garage: Running) -> None:
    with garage.service.store.reading() as connection:
        (alarm, *_) = list_alarms(connection, AlarmFilter(machine=IN_ALARM), 1).alarms
    page = get(garage, f"/alarms/{alarm.id}")
    assert page.one("input", id="found").attributes["type"] == "number"
    form = {name: page.value(name) for name in ("form_token", "version")}
    form |= {"act": "close", "finding": "confirmed"}
    for wrong in ("", "²", "1.5", "soon", str(alarm.opened), "9" * 30, "-5"):
        refused = post(garage, f"/alarms/{alarm.id}", form | {"found": wrong})
        shown = Page(refused.text)
        assert refused.status_code == 422 and said("refused_found") in shown.text
        assert shown.value("found") == wrong
    done = post(garage, f"/alarms/{alarm.id}", form | {"found": str(alarm.opened + 1)})
    assert done.status_code == 303
    with garage.service.store.reading() as connection:
        assert get_alarm(connection, alarm.id).finding == "confirmed"
    assert f"{alarm.opened + 1} cycles" in get(garage, f"/alarms/{alarm.id}").text
    row = f"{IN_ALARM},{alarm.opened + 1},machine,feedback"
    assert row in garage.client.get("/v1/export/failures").text.splitlines()


def test_the_record_tells_lead_times_in_the_plants_unit(garage: Running) -> None:
    for language in ("en", "de"):
        page = get(garage, "/record", language)
        (told,) = [one.text for one in page.all("th") if said("lead_time", language, unit="")[:8] in one.text]
        assert told == said("lead_time", language, unit="cycles") and "cycles" in told


def test_the_model_in_service_is_judged_by_all_that_the_machines_went_through(garage: Running) -> None:
    for language in ("en", "de"):
        page = get(garage, "/in-service", language)
        span = f"{engines.HORIZON} cycles"
        assert said("service_window_own", language, span=span) in page.text
        # Of estimates, and of the change of risk.
        assert page.text.count(said("service_unknown_own_clocks", language)) == 2
        failures, alarms = ([int(cell) for cell in row[1:5]] for row in page.rows() if row[0] == "machine")
        assert sum(failures) >= len([GONE, "2", "3"]) and alarms[0] > 0 and alarms[3] > 0
