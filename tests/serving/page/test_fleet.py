"""The fleet: in which order, what a search finds, and that no name, cursor or parameter breaks the page."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from forestall.serving.page import fleet
from forestall.serving.page.advice import waiting_cost
from forestall.serving.page.formats import Formats
from forestall.serving.store.machines import add_machines
from forestall.serving.store.opinions import OpinionFilter, ranked
from tests.serving.api.server import Running, opened, running
from tests.serving.page.html_page import Page
from tests.serving.page.services import (
    HOSTILE,
    NAMED,
    PERCENT,
    SILENT,
    SLASHED,
    STALE,
    UMLAUT,
    UNDERSCORE,
    get,
    said,
)


def listed(page: Page) -> list[tuple[str, str]]:
    """Machine and part of each row."""
    names = [one.text for one in page.all("bdi")]
    return list(zip(names[::2], names[1::2], strict=True))


def machines(page: Page) -> set[str]:
    return {machine for machine, _ in listed(page)}


def rows(api: Running, query: str = "") -> Page:
    return get(api, f"/fleet/rows?{query}")


def next_of(page: Page) -> str:
    """The cursor that the button below the list sends."""
    cursor: str = json.loads(page.one("button").attributes["hx-vals"])["cursor"]
    return cursor


@pytest.mark.parametrize("order", ["risk", "soon", "machine"])
def test_the_order_is_the_stores(told: Running, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with told.service.store.reading() as connection:
        wanted = ranked(connection, OpinionFilter(), order, 100)  # type: ignore[arg-type]
    expected = [(one.machine, one.component) for one in wanted.opinions]
    assert listed(rows(told, f"order={order}")) == expected and len(expected) == 28
    # In small pages, as by the button below the list.
    monkeypatch.setattr(fleet, "ROWS", 4)
    page = rows(told, f"order={order}")
    found = listed(page)
    while page.all("button"):
        page = rows(told, f"order={order}&cursor={next_of(page)}")
        found += listed(page)
    assert found == expected


def test_the_first_page_says_how_the_fleet_is(told: Running) -> None:
    page = get(told, "/")
    with told.service.store.reading() as connection:
        every = ranked(connection, OpinionFilter(), "risk", 100).opinions
    in_alarm = {one.machine for one in every if one.alarm}
    silent = {one.machine for one in every} - {one.machine for one in every if one.curve}
    tiles = [one.text for one in page.all("a", class_="tile")]
    assert tiles[0] == f"{len(in_alarm)} {said('tile_alarm', machines=14)}" and "m1" in in_alarm
    assert tiles[2] == f"{len(silent)} {said('tile_silent')}" and {SILENT, STALE} < silent
    assert page.one("script", data_for="load").text.count('"alarms":') == 8
    assert page.one("h1").text == said("nav_fleet") == page.one("a", aria_current="page").text


def test_a_row_says_how_sure_how_soon_and_what_waiting_costs(told: Running) -> None:
    with told.service.store.reading() as connection:
        first = ranked(connection, OpinionFilter(), "risk", 1).opinions[0]
    bundle = told.service.serving.bundle
    formats = Formats("en", bundle.reference)
    spans = bundle.reference.spans
    cost = waiting_cost(first, spans.horizons[0], spans, bundle.plant.dataset.costs)
    row = rows(told).rows()[0]
    assert first.risk is not None and row[2] == formats.share(first.risk)
    assert row[4] == formats.money(cost) and row[7] == "0 h"
    assert row[6] == first.reasons[0].in_language("en")


def test_what_has_no_risk_says_why(told: Running) -> None:
    absent = rows(told, "status=not+applicable")
    assert {part for _, part in listed(absent)} == {"seal"}
    silent = {row[0]: row for row in rows(told, "status=no+opinion").rows()}
    assert "no recent readings" in silent[f"{STALE} pump"][1] or "stale" in silent[f"{STALE} pump"][1]
    assert silent[f"{STALE} pump"][7] == "3 days" and silent[f"{STALE} pump"][2:6] == ["–"] * 4
    assert {name for name, _ in listed(rows(told, "status=no+opinion"))} >= {*NAMED, STALE}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("%", {PERCENT}),
        ("_", {UNDERSCORE}),
        ("100", {PERCENT, UNDERSCORE, "100xa"}),
        ("LINE 1/", {SLASHED}),
        ("Ölm", {UMLAUT}),
        ("<script>", {HOSTILE}),
        ("'1'", {HOSTILE}),
        ("\\", set()),
        ("';--", set()),
        ("🏭", set()),
        (SILENT, {SILENT}),
    ],
)
def test_a_search_takes_text_as_it_is(told: Running, text: str, found: set[str]) -> None:
    page = rows(told, f"search={quote(text)}&order=machine")
    assert machines(page) == found
    assert said("none_found") in page.text or found
    whole = get(told, f"/?search={quote(text)}")
    assert whole.value("search") == text


def test_filters_together(told: Running) -> None:
    page = rows(told, "component=seal&search=m&status=normal")
    assert listed(page) and {part for _, part in listed(page)} == {"seal"}
    assert page.rows()[0][1] == "normal"
    chosen = get(told, "/?component=seal&status=normal&order=soon")
    marked = [one.text for one in chosen.all("option") if "selected" in one.attributes]
    assert marked[:2] == ["normal", "seal"] and len(marked) == 3


def test_a_cursor_of_another_order_or_of_none_is_told(told: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "ROWS", 4)
    cursor = next_of(rows(told))
    assert listed(rows(told, f"cursor={cursor}"))
    for order, wrong in (("machine", cursor), ("risk", "none"), ("risk", "%F0%9F"), ("risk", "WyJyaXNrIl0")):
        for path in ("/", "/fleet/rows"):
            page = get(told, f"{path}?order={order}&cursor={wrong}", status=422)
            assert said("about_422") in page.text and "Traceback" not in page.text


@pytest.mark.parametrize("query", ["order=worst", "status=broken", "search=" + "a" * 201, "component=%00"])
def test_what_cannot_be_asked_for(told: Running, query: str) -> None:
    assert said("about_404") in get(told, f"/?{query}", status=404).text


def test_unknown_parameters_and_parts_are_no_error(told: Running) -> None:
    assert listed(get(told, "/?utm_source=mail&order=risk")) == listed(get(told, "/"))
    assert said("none_found") in get(told, "/?component=nothing").text


def test_a_hostile_name_is_text(told: Running) -> None:
    page = rows(told, f"search={quote('alert')}")
    assert listed(page)[0][0] == HOSTILE
    link = page.all("a")[0].attributes["href"]
    assert unquote(link.partition("#")[0]) == f"/machines/{HOSTILE}" and link.count("/") == 2
    for path in ("/", f"/?search={quote(HOSTILE)}", link):
        content = told.client.get(path).text
        assert HOSTILE not in content and html.escape(HOSTILE)[:9] in content
        Page(content)


@pytest.fixture
def empty(whole_bundle: Path, tmp_path: Path) -> Iterator[Running]:
    with running(opened(whole_bundle, tmp_path / "empty.sqlite")) as one:
        yield one


def test_a_store_without_opinions_says_what_comes_next(empty: Running) -> None:
    page = get(empty, "/")
    assert said("empty") in page.text and said("empty_do") in page.text
    assert said("no_alarms") in get(empty, "/alarms").text
    assert said("not_judged") in get(empty, "/machines/m0").text
    assert said("no_data") in get(empty, "/machines/m0/sensors").text
    assert said("no_card") in get(empty, "/machines/m0/card").text


def test_names_that_no_request_can_bring_are_text_too(empty: Running) -> None:
    """A table on disk has what it has: line ends, marks that turn the direction of writing round, quotes."""
    names = ["two\nlines", "\u202eright to left", "a'b\"c`d", "</bdi></script>", "{{ 7*7 }}", "&amp;", "?q#f"]
    serving = empty.service.serving
    with serving.store.writing() as connection:
        add_machines(connection, {name: {"model": "</dd><script>", "age": 1.0} for name in names})
    readings = [{"machine": "m0", "time": "2024-03-01T00:00:00Z", "volt": 170.0}]
    assert empty.send("/v1/readings", readings).status_code == 200
    serving.live.score_due()
    page = get(empty, "/?order=machine")
    assert {" ".join(name.split()) for name in names} <= machines(page)
    assert "49" not in page.text
    links = [one.attributes["href"].partition("#")[0] for one in page.all("a")]
    for link in {link for link in links if link.startswith("/machines/")}:
        name = unquote(link).removeprefix("/machines/")
        if name.isprintable():
            assert get(empty, link).one("h1").text == name
        else:
            get(empty, link, status=404)


def test_without_a_model_the_pages_say_so(tmp_path: Path, whole_bundle: Path) -> None:
    with running(opened(tmp_path / "no bundle", tmp_path / "none.sqlite")) as api:
        for path in ("/", "/fleet/rows", "/alarms", "/alarms/1", "/machines/m0", "/record", "/in-service"):
            page = get(api, path, status=503)
            assert said("about_503") in page.text and "There is no model" in page.text
        assert api.client.get("/").headers["retry-after"] == "5"
        get(api, "/sign-in")


def test_a_store_that_is_away_is_told_and_comes_back(whole_bundle: Path, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    folder.mkdir()
    with running(opened(whole_bundle, folder / "forestall.sqlite")) as api:
        get(api, "/")
        folder.rename(elsewhere)
        for path in ("/", "/fleet/rows", "/alarms", "/alarms/1", "/machines/m0", "/machines/m0/sensors"):
            page = get(api, path, status=503)
            assert said("about_503") in page.text and str(tmp_path) not in page.text
        elsewhere.rename(folder)
        get(api, "/")
