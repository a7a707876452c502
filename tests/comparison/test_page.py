"""The page of a comparison: whole in itself, and nothing that is written into it can be more than text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

from forestall import drawing
from forestall.comparison.html import Html, tag
from forestall.comparison.intervals import interval_chart
from forestall.comparison.page import Plot, page
from tests.comparison.reports import HOSTILE, report

SPECIFICATION = {"data": {"values": [{"rev": f"</script>{HOSTILE}", "x": 1}]}, "title": "T"}
PLOT = Plot("metrics/a.csv", f"Title {HOSTILE}", SPECIFICATION, same=False)


class Reader(HTMLParser):
    """Elements with their attributes, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script" and not self.scripts[-1]:
            self.scripts[-1] = data

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for element, attributes in self.elements if element == name]


def test_hostile_names_stay_text() -> None:
    text = page(report(), [PLOT])
    assert HOSTILE not in text
    kinds = [attributes.get("type") for attributes in Reader(text).named("script")]
    assert kinds == ["application/json", *[None] * (len(drawing.scripts()) + 1)]


def test_the_policy_names_the_pages_scripts_and_allows_no_connection() -> None:
    read = Reader(page(report(), [PLOT]))
    policy = next(one["content"] for one in read.named("meta") if one.get("http-equiv")) or ""
    own = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in read.scripts[1:]]
    assert read.scripts[1:-1] == list(drawing.scripts().values())
    assert all(f"'sha256-{one}'" in policy for one in own)
    assert policy.startswith("default-src 'none'; ") and "connect-src" not in policy
    assert "unsafe-eval" not in policy


def test_nothing_is_loaded_from_elsewhere() -> None:
    for _, attributes in Reader(page(report(), [PLOT])).elements:
        assert not {"src", "href", "srcset", "action"} & set(attributes)


def test_the_verdict_comes_first_with_its_interval() -> None:
    text = page(report(hostile="mine"), [])
    assert re.search(r'<header class="better">.*?<h1>better</h1>.*?-30 to -10', text)
    assert text.index("<h1>") < text.index("Gate: not passed") < text.index("Validation fold (decides)")


def test_without_an_interval_the_notes_say_why() -> None:
    text = page(replace(report(None, None, "as recorded"), judged=False), [])
    assert "<h1>not compared</h1>" in text and "on the same decisions: see the notes." in text
    assert "<h1>no evidence</h1>" in page(report(None, None), [])
    assert "<li>as recorded</li>" in text


def test_a_page_without_plots_has_no_script() -> None:
    text = page(report(), [])
    assert "<script" not in text and "script-src &#x27;none&#x27;" in text


def test_what_can_be_moved_can_be_reached_with_the_keyboard() -> None:
    read = Reader(page(report(), [PLOT]))
    moved = [one for one in read.named("div") if one.get("class") in {"scroll", "plot"}]
    assert moved and all(one["tabindex"] == "0" and one["aria-label"] for one in moved)


def test_long_lists_are_folded() -> None:
    assert "<summary>all 25</summary>" in page(report(), [])


def test_a_chart_says_in_words_where_its_interval_lies() -> None:
    def said(metric: str, low: float, high: float) -> str:
        found = re.search('aria-label="([^"]*)"', interval_chart(metric, (low + high) / 2, low, high))
        assert found
        return found[1]

    assert said("brier", -2, -1) == "better than zero"
    assert said("event_recall", -2, -1) == "worse than zero"
    assert said("event_recall", -1, 1) == "zero is inside"
    assert said("alarms", 1, 2) == "apart from zero"
    assert said("brier", 0, 0) == "zero is inside"


def test_only_html_is_not_escaped() -> None:
    assert tag("p", "<b>", Html("<i></i>"), title='"') == '<p title="&quot;">&lt;b&gt;<i></i></p>'
