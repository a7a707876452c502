"""Whatever the pages can say has words in both languages, and no words are left over."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from forestall.evaluation import causes
from forestall.monitoring.explain import FACTORS
from forestall.serving import page
from forestall.serving.page import (
    alarms,
    fleet,
    machine_charts,
    record,
    record_tables,
    render,
    service_view,
    static_files,
)
from forestall.serving.page.words import own_texts, say
from forestall.serving.store.alarm_changes import EDITABLE, LONGEST
from forestall.serving.store.alarms import FINDINGS
from forestall.serving.texts import LANGUAGES
from tests.serving.api.server import Running
from tests.serving.page.html_page import Page
from tests.serving.page.services import HOSTILE, PERCENT, SILENT, STALE, UMLAUT, get

FOLDER = Path(page.__file__).parent
SOURCES = [*FOLDER.glob("*.py"), *FOLDER.glob("templates/*.html")]
WRITTEN = re.compile(r"""["']page\.([^"'{%]*)""")
SPANS = {"min", "h", "days"}
ORDERS = get_args(fleet.FleetQuery.model_fields["order"].annotation)
CAUSES = {causes.TOO_LATE, causes.TOO_EARLY, causes.WRONG, causes.NO_DECISION}
CAUSES |= {causes.GAP, causes.NO_SIGNAL, causes.BELOW}
WITHHELD = set(service_view.WITHHELD.values()) - {""}
FOUND = {"more_alarms", "fewer_alarms", "more_failures", "fewer_failures", "risks", "opinions"}
UNKNOWN = {"working", "failed", "away", "no_readings", "no_reference", "no_week", "no_span", "own_clocks"}
UNKNOWN |= {"too_young", "no_risks"}
# What the code puts behind the beginning of a key.
ENDINGS: dict[str, set[str]] = {
    "": {
        *record_tables.POLICIES,
        *record.OUTCOMES,
        *("value", "low", "high", "month", "policy", "outcome", "count"),
    },
    "about_": {*map(str, render.TOLD), "other", *FINDINGS},
    "cause_": CAUSES,
    "change_": {*EDITABLE, "found", "failed", "replaced"},
    "error_": {"403", "404", "422", "429", "503", "409", "412"},
    "lane_": set(machine_charts.LANES),
    "load_": {"alarms", "week"},
    "nav_": {"fleet", "alarms", "record", "service"},
    "order_": set(ORDERS),
    "refused_": {*LONGEST, "finding", "found", "replaced", "state"},
    "service_": {"factor", "points"},
    "service_about_": {"alarms", "psi"},
    "service_alarms_": WITHHELD,
    "service_do_": FOUND,
    "service_factor_": set(FACTORS),
    "service_found_": FOUND,
    "service_kept_": {"busy", "away"},
    "service_kind_": {"risk", "opinions", "sensor", "code", "codes", "age"},
    "service_means_": set(FACTORS),
    "service_state_": {"holds", "beyond", "usual", "none"},
    "service_unknown_": UNKNOWN,
    "service_withheld_": WITHHELD,
    "show_": set(alarms.LISTS),
    "unit_": SPANS,
    "within_unit_": SPANS,
}
# Words of English that no German text has.
ENGLISH = re.compile(r"\b(the|of|is|not|and|there|this|what|with|within|no|days|failed|risk|since)\b", re.I)


def written() -> set[str]:
    """The keys in the code and the templates, and the beginnings of keys."""
    found = {one[1] for file in SOURCES for one in WRITTEN.finditer(file.read_text(encoding="utf-8"))}
    return found - {name.removeprefix("page.") for name in static_files.OWN}


def test_every_text_that_is_asked_for_is_there_and_no_other() -> None:
    beginnings = {key for key in written() if key == "" or key.endswith("_")}
    assert beginnings == set(ENDINGS)
    asked = written() - beginnings
    asked |= {beginning + end for beginning in beginnings for end in ENDINGS[beginning]}
    assert sorted(own_texts()) == sorted(asked)


@pytest.mark.parametrize("key", own_texts())
def test_a_text_is_in_both_languages_and_takes_the_same_words(key: str) -> None:
    texts = own_texts()[key]
    assert set(texts) == set(LANGUAGES) and all(text.strip() == text != "" for text in texts.values())
    taken = [
        {name for _, name, _, _ in Formatter().parse(text) if name is not None} for text in texts.values()
    ]
    assert taken[0] == taken[1]
    words = dict.fromkeys(taken[0], "3 Tage")
    for language in LANGUAGES:
        assert "{" not in say(f"page.{key}", words, language)


def test_no_key_is_given_twice_and_they_are_in_order() -> None:
    given = json.loads(
        (FOLDER / "texts.json").read_text(encoding="utf-8"),
        object_pairs_hook=lambda pairs: [key for key, _ in pairs],
    )
    assert given == sorted(set(given))


def test_what_is_unknown_is_refused() -> None:
    for key, language in (("nothing", "en"), ("back", "fr"), ("alarm_number", "de")):
        with pytest.raises(KeyError):
            say(f"page.{key}", {}, language)


PAGES = [
    "/",
    "/?status=no+opinion",
    "/?search=nowhere",
    "/fleet/rows?order=machine",
    "/alarms",
    "/alarms?show=all",
    "/alarms/1",
    "/machines/m0",
    "/machines/m0/sensors",
    "/machines/m0/similar?component=pump",
    "/machines/m0/card",
    "/machines/m0/card?component=pump",
    "/machines/m0/advice?visit=2024-03-15",
    "/machines/m1",
    "/machines/m5",
    f"/machines/{SILENT}",
    f"/machines/{STALE}",
    "/machines/nobody",
    "/record",
    "/in-service",
    "/sign-in",
    "/alarms/77",
    "/?cursor=none",
]


def told_texts(found: Page, language: str) -> list[str]:
    """What is said in the page's own language, without the plant's own names."""
    names = (HOSTILE, UMLAUT, PERCENT)
    return [text for text, marked in found.said if marked in ("", language) and text not in names]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_in_one_language(told: Running, path: str) -> None:
    found = {}
    for language in LANGUAGES:
        response = told.client.get(path, headers={"accept-language": language})
        assert response.headers["content-type"].startswith("text/html")
        found[language] = Page(response.text)
    for text in told_texts(found["de"], "de"):
        assert not ENGLISH.search(text), text
    english = set(told_texts(found["en"], "en"))
    for texts in own_texts().values():
        if texts["de"] != texts["en"] and "{" not in texts["de"]:
            assert texts["de"] not in english


def test_the_language_is_the_browsers_until_another_is_chosen(told: Running) -> None:
    for accepted, language in (
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr,en;q=0.5,de;q=0.4", "en"),
        ("fr", "en"),
        (";,=", "en"),
    ):
        assert get(told, "/sign-in", accepted).one("html").attributes["lang"] == language
    chosen = {"cookie": "forestall_language=de"}
    assert get(told, "/sign-in", "en", headers=chosen).one("html").attributes["lang"] == "de"
    assert (
        get(told, "/sign-in", "de", headers={"cookie": "forestall_language=xx"})
        .one("html")
        .attributes["lang"]
        == "de"
    )
