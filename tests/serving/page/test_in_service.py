"""The model in service: what monitoring found last is told as it is, and what is not known yet with the reason."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forestall.errors import ForestallError
from forestall.monitoring.reference import read_reference
from forestall.serving.api import state
from forestall.serving.page.drift_rows import Finding, Found, ShiftRow
from forestall.serving.page.formats import Formats
from forestall.serving.page.service_rows import ServiceView
from forestall.serving.page.service_view import service_view
from forestall.serving.texts import LANGUAGES
from tests.serving.api.in_service import realised_in
from tests.serving.api.process import until
from tests.serving.api.scraping import scraped, value
from tests.serving.api.server import Running, opened, running
from tests.serving.page.html_page import Page
from tests.serving.page.services import HOSTILE, SLASHED, get, said
from tests.serving.page.test_texts import ENGLISH

PATH = "/in-service"
REFERENCE = "forestall.serving.api.drift_state.read_reference"


def whole(api: Running, language: str = "en") -> Page:
    """The page, when all of it is worked out."""
    until(lambda: said("service_unknown_working", language) not in get(api, PATH, language).text)
    return get(api, PATH, language)


def table(page: Page, label: str) -> list[list[str]]:
    """The rows of the table in a region."""
    labels = [(one.attributes.get("role"), one.attributes.get("aria-label")) for one in page.elements]
    place = labels.index(("region", label))
    rows: list[list[str]] = []
    for one in page.elements[place + 1 :]:
        if one.name == "table" and rows:
            break
        if one.name == "tr":
            rows.append([])
        elif one.name in ("td", "th") and one.attributes.get("scope") != "col":
            rows[-1].append(one.text)
    return [row for row in rows if row]


def spec(page: Page, name: str) -> list[dict[str, object]]:
    """What a plot shows."""
    found: list[dict[str, object]] = json.loads("".join(page.one("script", data_for=name).pieces))["data"][
        "values"
    ]
    return found


def test_what_became_of_alarms_and_failures(in_service: Running) -> None:
    page, found, formats = whole(in_service), realised_in(in_service), Formats("en")
    failures, alarms = table(page, said("service_failures")), table(page, said("nav_alarms"))
    assert [row[0] for row in failures] == [*found.components, said("service_all")]
    for row, figures in zip(failures, (*found.components.values(), found.fleet), strict=True):
        counts = ("caught", "missed", "unforeseen", "pending_failures")
        assert row[1:5] == [formats.number(figures[name]) for name in counts]
        assert row[5].startswith(formats.share(figures["event_recall"]))
        low, high = (formats.share(figures[f"event_recall_{end}"]) for end in ("low", "high"))
        assert f"({low}–{high})" in row[5]
        bounds = [formats.share(figures[f"event_recall_{end}"]) for end in ("at_least", "at_most")]
        assert row[6] == " – ".join(dict.fromkeys(bounds))
        assert row[8] == formats.money(figures["cost_per_machine_month"])
    for row, figures in zip(alarms, (*found.components.values(), found.fleet), strict=True):
        counts = ("right", "false", "undetermined", "pending_alarms")
        assert row[1:5] == [formats.number(figures[name]) for name in counts]
        assert row[7] == formats.number(figures["false_alarms_per_machine_month"], 3)
    assert said("service_tested_about") not in page.text  # there is no record of this model


def test_the_months_are_those_of_the_window(in_service: Running) -> None:
    found, months = realised_in(in_service), spec(whole(in_service), "months")
    told = {(one["month"], one["outcome"]): one["count"] for one in months}
    for month, figures in found.months.items():
        for outcome in ("caught", "missed", "false"):
            assert told[Formats("en").month(month), said(outcome)] == figures[outcome]


def test_the_change_of_risk_adds_up(in_service: Running) -> None:
    page, metrics = whole(in_service), scraped(in_service)
    before, after = (value(metrics, "forestall_mean_risk_ratio", period=one) for one in ("before", "after"))
    rows = table(page, said("service_factor"))
    shares = [float(row[1].replace("−", "-")) for row in rows]
    assert sum(shares) == pytest.approx(100 * (after - before), abs=0.03)
    assert [round(float(str(one["points"])), 2) for one in spec(page, "shares")] == shares
    formats = Formats("en")
    assert table(page, said("service_mean_risk"))[0][1:] == [formats.precise(before), formats.precise(after)]


def test_drift_is_told_beside_its_threshold(in_service: Running) -> None:
    page, metrics = whole(in_service), scraped(in_service)
    for of, name, label in (("risk", "pump", "pump risk"), ("input", "volt", "volt sensor")):
        (row,) = [row for row in page.rows() if row[0] == label]
        for cell, metric in zip(row[1:3], ("psi", "psi_threshold"), strict=True):
            known = metrics[f"forestall_drift_{metric}", (("name", name), ("of", of))]
            assert float(cell) == pytest.approx(known, abs=6e-4)
    links = {one.attributes["href"] for one in page.all("a")}
    assert links & {f"/machines/m{number}" for number in range(6)}
    weeks = said("service_weeks", span="28 days", end="28 Feb 2024")
    (pump, _) = table(page, said("service_alarms", weeks=weeks))
    by_chance = value(metrics, "forestall_alarm_rate_p_value", component="pump")
    assert pump[4] == Formats("en").chance(by_chance)


def test_estimates_are_withheld_with_the_reason(in_service: Running) -> None:
    rows = table(whole(in_service), said("service_estimates"))
    assert [row[0] for row in rows] == ["pump", "seal"]
    assert all("±" in row[1] or said("service_withheld_few") == row[1] for row in rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_of_it_is_in_one_language(in_service: Running, language: str) -> None:
    page = whole(in_service, language)
    assert not [label for label in (said("service_unknown", language),) if label in page.text]
    for text, marked in page.said:
        assert marked == language or text in ("English", "Deutsch")
        assert language == "en" or not ENGLISH.search(text), text
    names = [one.attributes["aria-label"] for one in page.all("div", role="region")]
    assert len(names) == len(set(names)) > 6


def test_the_model_that_answers(in_service: Running) -> None:
    page, service = whole(in_service), in_service.service
    facts = [one.text for one in page.all("dd")]
    assert facts[:3] == [service.champion.version, "test", said("unknown")]
    assert facts[3] == f"{Formats('en').moment(int(service.champion.accepted_at))} UTC"


def reasons(page: Page) -> list[str]:
    """Why something is not known yet, in the order of the page."""
    return re.findall(re.escape(said("service_unknown")) + r"\n(.+)", page.text)


def test_without_readings_and_without_a_reference(desk: Running) -> None:
    page = whole(desk)
    nothing = said("service_unknown_no_readings")
    assert reasons(page) == [nothing, nothing, nothing, said("service_unknown_no_reference")]
    assert (
        said("service_nothing_so_far") in page.text and said("service_nothing") not in page.text.splitlines()
    )


@pytest.fixture
def young(watched_bundle: Path, tmp_path: Path) -> Iterator[Running]:
    """A service to which nothing was sent yet."""
    (tmp_path / "store").mkdir()
    with running(opened(watched_bundle, tmp_path / "store" / "forestall.sqlite")) as api:
        yield api


def test_a_plant_on_its_first_day(young: Running) -> None:
    row = {"running": True, "volt": 170.0, "spin": 450.0}
    day = [{"machine": "m0", "time": f"2024-03-01T{hour:02}:00:00Z", **row} for hour in range(24)]
    assert young.send("/v1/readings", day).status_code == 200
    young.service.serving.live.score_due()
    page = whole(young)
    old = said("service_unknown_too_young", span="24 h")
    assert reasons(page) == [old, old, said("service_unknown_no_risks"), said("service_unknown_no_week")]


def test_what_takes_long_is_not_waited_for(young: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "PATIENCE", 0.2)
    goes_on = threading.Event()
    monkeypatch.setattr(REFERENCE, lambda *given: goes_on.wait(30) and read_reference(*given))
    begun = time.monotonic()
    page = get(young, PATH)
    assert time.monotonic() - begun < 2
    assert reasons(page) == [said("service_unknown_working")] * 4
    goes_on.set()
    assert said("service_unknown_no_readings") in whole(young).text


def test_what_fails_is_told_and_the_rest_is_there(young: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ForestallError("other inputs")

    monkeypatch.setattr(REFERENCE, fails)
    found = reasons(whole(young))
    assert found == [said("service_unknown_no_readings")] * 3 + [said("service_unknown_failed")]


def test_while_the_store_is_away_what_was_found_stays(
    in_service: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    whole(in_service)
    store = Path(str(in_service.service.serving.store.engine.url.database))
    store.parent.rename(tmp_path / "elsewhere")
    try:
        page = get(in_service, PATH)
        assert said("service_kept_away") in page.text and len(table(page, said("service_failures"))) == 3
    finally:
        (tmp_path / "elsewhere").rename(store.parent)
    until(lambda: said("service_kept_away") not in get(in_service, PATH).text)


def test_names_are_text_whatever_is_in_them(in_service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    whole(in_service)

    def hostile(*given: Any) -> ServiceView:
        view = service_view(*given)
        assert view.drift is not None and view.outcomes is not None
        row = ShiftRow("sensor", HOSTILE, 1.0, 0.1, "holds", [(HOSTILE, 1.0), (SLASHED, 0.5)])
        parts = [replace(one, name=HOSTILE) for one in view.outcomes.components]
        return replace(
            view,
            findings=[Finding("risks", "psi", [Found(HOSTILE, 0.5, 0.25)])],
            drift=replace(view.drift, inputs=[row]),
            outcomes=replace(view.outcomes, components=parts),
            model=replace(view.model, dataset=HOSTILE),
        )

    monkeypatch.setattr("forestall.serving.page.in_service.service_view", hostile)
    page = get(in_service, PATH)
    assert page.text.count(HOSTILE) >= 6 and HOSTILE in [row[0] for row in page.rows()]
    links = {one.attributes["href"] for one in page.all("a")}
    assert {"/machines/line%201%2Fpump", "/machines/%3Cscript%3Ealert%28%271%27%29%3C%2Fscript%3E"} <= links
    assert said("service_found_risks") in page.text and said("service_do_risks") in page.text


def test_it_is_in_the_navigation(in_service: Running) -> None:
    (link,) = [one for one in get(in_service, "/").all("a", href=PATH) if one.text == said("nav_service")]
    assert "aria-current" not in link.attributes
    assert get(in_service, PATH).one("a", href=PATH).attributes["aria-current"] == "page"
