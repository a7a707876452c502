"""One machine: every part of its page, without what a recording's tables say of its future."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest

from forestall.serving.api.machines import TREND
from forestall.serving.page.advice import advice, next_visit
from forestall.serving.page.formats import Formats
from forestall.serving.sensor_history import sensor_history
from forestall.serving.similar import similar_failures
from forestall.serving.store.alarms import AlarmFilter, list_alarms
from forestall.serving.store.machines import known_machines
from forestall.serving.store.opinions import opinions_about, trends
from tests import plant
from tests.serving.api.conftest import EVENTS
from tests.serving.api.server import Running
from tests.serving.feeding import stamp
from tests.serving.page.html_page import Page
from tests.serving.page.services import (
    FAILURE,
    HOSTILE,
    NAMED,
    NOW,
    SILENT,
    SLASHED,
    STALE,
    UMLAUT,
    get,
    said,
)

DAY = plant.DAY
SINCE = NOW - TREND * DAY
ENGLISH = Formats("en")


def path(machine: str, part: str = "") -> str:
    return f"/machines/{quote(machine, safe='')}{part}"


def plot(page: Page, name: str) -> dict[str, Any]:
    """A plot's specification."""
    spec: dict[str, Any] = json.loads("".join(page.one("script", data_for=name).pieces))
    return spec


def part(page: Page, name: str) -> str:
    return page.one("section", id=f"part-{name}").text


def test_what_is_thought_of_each_part(told: Running) -> None:
    page = get(told, path("m1"))
    assert page.one("h1").text == "m1" and said("data_is", age="0 h") in page.text
    with told.service.store.reading() as connection:
        opinions = {one.component: one for one in opinions_about(connection, "m1")}
        alarms = list_alarms(connection, AlarmFilter(machine="m1"), 100).alarms
    assert opinions["pump"].alarm and set(opinions) == {"pump", "seal"}
    for name, one in opinions.items():
        text = part(page, name)
        assert all(ENGLISH.share(risk) in text for risk in one.curve)
        assert all(reason.in_language("en") in text for reason in one.reasons)
        assert said("alarm_from", threshold="10%") in text
    (standing,) = [one for one in alarms if one.component == "pump" and one.ended is None]
    assert page.all("a", href=f"/alarms/{standing.id}")
    assert page.all("div", hx_get="/machines/m1/similar?component=pump", hx_trigger="load")
    pumps = EVENTS.failures.query("machine == 'm1' and component == 'pump' and time < @NOW")["time"]
    known = said("failed_on", count=len(pumps), time=ENGLISH.moment(int(pumps.max())))
    assert len(pumps) and known in part(page, "pump")


def test_a_part_that_the_machine_does_not_have(told: Running) -> None:
    (small,) = EVENTS.machines.loc[EVENTS.machines["model"] == "small", "machine"].head(1)
    text = part(get(told, path(small)), "seal")
    assert "not applicable" in text and said("work_card") not in text and "%" not in text


@pytest.mark.parametrize("name", [*NAMED, STALE, SILENT])
def test_a_machine_of_any_name_and_none_to_speak_of(told: Running, name: str) -> None:
    page = get(told, path(name))
    assert page.one("h1").text == name and "no opinion" in part(page, "pump")
    assert not page.all("form", class_="visit")
    assert (said("no_data") in page.text) is (name == SILENT)
    for piece in ("/sensors", "/similar?component=pump", "/advice", "/card", "/card?component=pump"):
        get(told, path(name, piece))
    links = {one.attributes["href"] for one in page.all("a")} | {
        one.attributes["hx-get"] for one in page.elements if "hx-get" in one.attributes
    }
    assert any(link.startswith(path(name)) for link in links) and not any("//" in link for link in links)


@pytest.mark.parametrize("name", ["nobody", "<b>", "a/b", "\u202e", "x" * 200])
def test_a_machine_that_is_none(told: Running, name: str) -> None:
    for piece in ("", "/sensors", "/similar?component=pump", "/advice", "/card"):
        page = get(told, path(name, piece), status=404)
        assert said("about_404") in page.text and not page.all("b")


def happened(page: Page) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = plot(page, "line")["data"]["values"]
    return rows


def moment(value: str) -> int:
    return int(datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def test_the_time_line_has_all_that_happened_lately(told: Running) -> None:
    page = get(told, path("m1"))
    rows = happened(page)
    events: list[tuple[str, int, str]] = []
    for lane, frame, what in (
        ("error", EVENTS.errors, "code"),
        ("visit", EVENTS.maintenance, "component"),
        ("failure", EVENTS.failures, "component"),
    ):
        some = frame[(frame["machine"] == "m1") & (frame["time"] > SINCE) & (frame["time"] <= NOW)]
        name = said(f"lane_{lane}")
        events += [(name, int(time), text) for time, text in zip(some["time"], some[what], strict=True)]
    with told.service.store.reading() as connection:
        alarms = list_alarms(connection, AlarmFilter(machine="m1"), 100).alarms
    recent = [one for one in alarms if one.ended is None or one.ended >= SINCE]
    events += [(said("lane_alarm"), max(one.opened, SINCE), one.component) for one in recent]
    assert sorted((row["lane"], moment(row["time"]), row["what"]) for row in rows) == sorted(events)
    # The same as a table, the latest first.
    table = [row for row in page.rows() if len(row) == 3 and row[1] in {name for name, _, _ in events}]
    shown = [(kind, what) for _, kind, what in table]
    assert shown == [
        (kind, what) for kind, time, what in sorted(events, key=lambda one: -one[1]) if time > SINCE
    ]


def test_a_recordings_future_is_not_told(told: Running) -> None:
    assert EVENTS.failures["time"].max() >= FAILURE > NOW
    days = [datetime.fromtimestamp(NOW, UTC) + timedelta(days=later) for later in range(1, 40)]
    later = re.compile(
        "|".join(f"{day:%Y-%m-%d}|{ENGLISH.moment(int(day.timestamp()))[:-7]}" for day in days)
    )
    for name in (f"m{number}" for number in range(6)):
        for piece in ("", "/card?component=pump"):
            page = get(told, path(name, piece))
            assert not later.search(page.text), (name, piece)
        for row in happened(get(told, path(name))):
            assert moment(row["time"]) <= NOW and moment(row.get("until", stamp(NOW))) <= NOW


def test_stops_are_shown_until_now(told: Running) -> None:
    page = get(told, path("m2"))
    stops = [row for row in happened(page) if row["lane"] == said("lane_stop")]
    spans = sorted((moment(row["time"]), moment(row["until"])) for row in stops)
    assert spans == [(NOW - 3 * DAY, NOW - 2 * DAY), (NOW - 2 * DAY, NOW), (NOW - DAY, NOW)]
    assert said("lane_stop") not in [row["lane"] for row in happened(get(told, path("m3")))]


def test_the_plot_of_the_risk_is_the_trend(told: Running) -> None:
    spec = plot(get(told, path("m1")), "risks")
    with told.service.store.reading() as connection:
        points = trends(connection, "m1", ["pump"], SINCE)["pump"]
    shown = [(row["time"], row["risk"]) for row in spec["data"]["values"] if row["part"] == "pump"]
    assert shown == [(stamp(one.time), round(one.curve[-1], 4)) for one in points if one.curve] != []


def past(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["machine"] == "m1") & (frame["time"] <= NOW)]


def test_the_advice_goes_by_the_expected_visit_or_the_one_that_is_said(told: Running) -> None:
    bundle = told.service.serving.bundle
    spans, costs = bundle.reference.spans, bundle.plant.dataset.costs
    with told.service.store.reading() as connection:
        pump = next(one for one in opinions_about(connection, "m1") if one.component == "pump")
    expected = next_visit(past(EVENTS.maintenance), past(EVENTS.failures), NOW, spans)
    assert expected is not None
    said_day = datetime.fromtimestamp(NOW + DAY, UTC).strftime("%Y-%m-%d")
    noon = int(datetime.fromisoformat(f"{said_day}T12:00:00+00:00").timestamp())
    for query, visit, hint in (("", expected, "visit_expected"), (f"?visit={said_day}", noon, "visit_said")):
        for piece in (path("m1", query), path("m1", f"/advice{query}")):
            page = get(told, piece)
            found = advice(pump, visit, spans, costs)
            key = "beyond_costs" if found.beyond else "compared"
            words = {"now": ENGLISH.money(found.now), "later": ENGLISH.money(found.later)}
            words |= {"before": ENGLISH.share(found.before), "day": ENGLISH.day(visit), "span": "24 h"}
            assert (
                said(key, **words) in part(page, "pump") and said(hint, day=ENGLISH.day(visit)) in page.text
            )
        assert get(told, path("m1", query)).value("visit") == ENGLISH.machine_day(visit)


@pytest.mark.parametrize(
    ("day", "ahead"), [("2024-01-01", False), ("1970-01-01", False), ("9999-12-31", True)]
)
def test_a_visit_long_ago_or_far_ahead(told: Running, day: str, ahead: bool) -> None:
    page = get(told, path("m1", f"?visit={day}"))
    assert page.value("visit") == day and said("act_now") in part(page, "pump")
    # With a visit that is over there is nothing to compare.
    compared = said("beyond_costs", now="|", later="", before="", day="", span="").partition("|")[0]
    assert (compared in part(page, "pump")) is ahead


@pytest.mark.parametrize(
    "day", ["soon", "2024-02-30", "²", "1969-12-31", "2024-03-01T10:00", "9" * 30, "a" * 41]
)
def test_a_visit_that_is_no_day(told: Running, day: str) -> None:
    for piece in ("", "/advice"):
        status = 404 if len(day) > 40 else 422
        assert (
            said(f"about_{status}")
            in get(told, path("m1", f"{piece}?visit={quote(day)}"), status=status).text
        )


def test_the_sensors_are_plotted_with_their_band(told: Running) -> None:
    page = get(told, path("m1", "/sensors"))
    assert [one.text for one in page.all("figcaption")] == ["volt", "spin"]
    serving = told.service.serving
    with told.service.store.reading() as connection:
        machine = known_machines(connection, ["m1"])["m1"]
        history = sensor_history(connection, serving.live, machine, NOW, TREND * DAY, 320)
    for number in (1, 2):
        rows = plot(page, f"sensor-{number}")["data"]["values"]
        assert [row["time"] for row in rows] == [stamp(time) for time in history.time]
        for name in ("value", "low", "high"):
            values = getattr(history, "values" if name == "value" else name)[:, number - 1]
            assert [row[name] for row in rows] == [
                None if value != value else float(f"{value:.4g}") for value in values
            ]
    assert said("sensors_about", span="1 h") in page.text


def test_similar_failures_are_listed(told: Running) -> None:
    serving = told.service.serving
    with told.service.store.reading() as connection:
        found = similar_failures(connection, serving.live, serving.past, "m1")["pump"]
    page = get(told, path("m1", "/similar?component=pump"))
    items = [one.text for one in page.all("li")]
    assert len(items) == len(found) > 0
    for item, one in zip(items, found, strict=True):
        assert item.startswith(f"{one.machine} {said('similar_failed', time=ENGLISH.moment(one.failed))}")
    assert said("similar_none") in get(told, path("m1", "/similar?component=nothing")).text
    assert said("about_404") in get(told, path("m1", "/similar"), status=404).text


def test_the_work_card_has_what_is_needed_at_the_machine(told: Running) -> None:
    page = get(told, path("m1", "/card"))
    (card,) = page.all("article")
    with told.service.store.reading() as connection:
        pump = next(one for one in opinions_about(connection, "m1") if one.component == "pump")
    for text in (
        "m1 · pump",
        said("to_fill"),
        said("fill_who"),
        *(one.in_language("en") for one in pump.reasons),
    ):
        assert text in card.text
    assert (ENGLISH.moment(NOW) in card.text and "large" in card.text) or "small" in card.text
    assert len(get(told, path("m1", "/card?component=seal")).all("article")) == 1
    for nothing in (path("m1", "/card?component=nothing"), path(STALE, "/card")):
        assert said("no_card") in get(told, nothing).text


def test_names_in_plots_cannot_end_them(told: Running) -> None:
    for piece in ("", "/sensors"):
        content = told.client.get(path(HOSTILE, piece)).text
        assert "<script>alert" not in content
        for one in Page(content).all("script", type="application/json"):
            json.loads("".join(one.pieces))


def test_slashes_and_umlauts_stay_in_links(told: Running) -> None:
    page = get(told, "/fleet/rows?order=machine&search=" + quote(SLASHED))
    assert page.all("a")[0].attributes["href"] == "/machines/line%201%2Fpump#part-pump"
    page = get(told, "/fleet/rows?order=machine&search=" + quote(UMLAUT))
    assert page.all("a")[0].attributes["href"] == f"/machines/{quote(UMLAUT)}#part-pump"


def test_the_language_is_chosen_for_the_page_one_is_on(told: Running) -> None:
    page = get(told, "/machines/line%201%2Fpump?visit=")
    assert page.value("next") == "/machines/line%201%2Fpump?visit="
