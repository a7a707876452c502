"""`drawPlot` in a real browser, under a content policy that allows its scripts and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from forestall import drawing
from tests.comparison.reports import HOSTILE

STYLE = """
:root { --back: #ffffff; --text: #111111; --soft: #555555; --line: #dddddd; }
@media (prefers-color-scheme: dark) { :root { --back: #111111; --text: #eeeeee; } }
"""
BARS: dict[str, Any] = {
    "data": {"values": [{"part": HOSTILE, "risk": 0.5}]},
    "width": "container",
    "height": 60,  # Vega-Lite warns where a discrete one is found beside a container's width
    "mark": {"type": "bar", "tooltip": True},
    "encoding": {"x": {"field": "risk", "type": "quantitative"}, "y": {"field": "part"}},
}


def test_the_scripts_can_stand_in_a_page() -> None:
    """A script ends at its closing tag, whatever it means there; a comment's beginning changes how it is read."""
    assert list(drawing.scripts())[-1] == "draw.js"
    assert not any(
        mark in text.lower() for text in drawing.scripts().values() for mark in ("</script", "<!--")
    )


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page with `drawPlot` and a place for a plot; whatever its console says is an error."""
    file, said = tmp_path / "page.html", list[str]()
    file.write_text(_page(), encoding="utf-8", newline="\n")
    context = browser.new_context(offline=True, viewport={"width": 500, "height": 400}, color_scheme="light")
    shown = context.new_page()
    shown.on("console", lambda one: said.append(one.text))
    shown.on("pageerror", lambda one: said.append(str(one)))
    shown.goto(file.as_uri())
    yield shown
    context.close()
    assert not said


def _page() -> str:
    texts = drawing.scripts().values()
    scripts = "".join(f"<script>{text}</script>" for text in texts)
    policy = f"default-src 'none'; script-src {' '.join(map(_allowed, texts))}; style-src {_allowed(STYLE)}"
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{STYLE}</style>'
    return f'<!doctype html><meta charset="utf-8">{head}<div id="place" aria-label="Risks"></div>{scripts}'


def _allowed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _draw(shown: Page, specification: dict[str, Any]) -> None:
    shown.evaluate(f"drawPlot(document.getElementById('place'), {json.dumps(specification)})")


@pytest.mark.slow
def test_it_is_as_wide_as_its_place_and_named_as_that_is(shown: Page) -> None:
    _draw(shown, {**BARS, "description": "not the page's name"})
    place = shown.locator("#place")
    assert place.get_attribute("aria-label") == "Risks"
    assert place.locator("svg").bounding_box()["width"] == place.bounding_box()["width"]  # type: ignore[index]


@pytest.mark.slow
def test_drawn_again_it_is_there_once(shown: Page) -> None:
    _draw(shown, BARS)
    _draw(shown, {**BARS, "mark": "point"})
    assert shown.locator("svg").count() == 1
    assert shown.locator(".mark-symbol").count() == 1 and shown.locator(".mark-rect.role-mark").count() == 0


@pytest.mark.slow
def test_what_cannot_be_drawn_is_said_in_its_place(shown: Page) -> None:
    _draw(shown, {"mark": "no such mark"})
    assert shown.locator("#place").inner_text().startswith("This plot cannot be drawn: ")


@pytest.mark.slow
def test_it_follows_the_pages_colours_without_being_drawn_again(shown: Page) -> None:
    _draw(shown, BARS)
    label = shown.locator("svg text").first
    assert label.evaluate("text => getComputedStyle(text).fill") == "rgb(17, 17, 17)"
    shown.emulate_media(color_scheme="dark")
    assert label.evaluate("text => getComputedStyle(text).fill") == "rgb(238, 238, 238)"


@pytest.mark.slow
def test_values_under_the_pointer_are_told_as_text_until_escape(shown: Page) -> None:
    _draw(shown, BARS)
    shown.locator(".mark-rect.role-mark path").hover()
    told = shown.get_by_role("tooltip")
    assert told.inner_text().splitlines() == ["risk: 0.5", f"part: {HOSTILE}"]
    box = told.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 500
    shown.keyboard.press("Escape")
    assert told.count() == 0
