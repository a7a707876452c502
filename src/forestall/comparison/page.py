"""The comparison as one page that needs nothing else: no network, no server, no other file.

Its content policy names the page's own scripts by their hashes and allows no connection: whatever is written into
it, nothing else runs, and nothing is loaded.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from forestall import drawing
from forestall.comparison.html import Html, section, tag
from forestall.comparison.intervals import interval_chart
from forestall.comparison.paired import cost_of
from forestall.comparison.report import NOT_JUDGED, Report, without_interval
from forestall.comparison.sections import sections
from forestall.comparison.text import called
from forestall.evaluation.tables import COST


@dataclass(frozen=True)
class Plot:
    """A plot of both revisions: where its data are, a Vega-Lite specification, whether both have the same data."""

    file: str
    title: str
    specification: dict[str, Any]
    same: bool


def page(report: Report, plots: list[Plot]) -> str:
    """The page, with the scripts that draw its plots where it has any."""
    scripts = [*drawing.scripts().values(), _own("page.js")] if plots else []
    title = f"{_word(report)}: {report.head['name']} against {report.base['name']}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(scripts)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(_own("page.css"))),
    )
    main = tag("main", *_notes(report.notes), *sections(report), *_plots(plots))
    body = tag("body", _verdict(report), main, *(tag("script", Html(one)) for one in scripts))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _own(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _policy(scripts: list[str]) -> str:
    digests = [hashlib.sha256(one.encode()).digest() for one in scripts]
    allowed = [f"'sha256-{base64.b64encode(one).decode()}'" for one in digests] or ["'none'"]
    return (
        f"default-src 'none'; script-src {' '.join(allowed)}; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _verdict(report: Report) -> Html:
    low, high = report.verdict.low, report.verdict.high
    parts = [
        tag("p", tag("bdi", called(report.head)), " against ", tag("bdi", called(report.base))),
        tag("h1", _word(report)),
    ]
    if low is not None and high is not None:
        value = cost_of(next(iter(report.figures.values()))).difference
        assert value is not None  # the verdict's interval lies around it
        parts += [
            interval_chart(COST, value, low, high),
            tag(
                "p",
                tag("strong", f"{low:+,.0f} to {high:+,.0f}"),
                f" in cost per machine-month on the {report.fold} fold",
            ),
            tag("p", "head less base, 95 %, by machine, widened by the spread over seeds", class_="how"),
        ]
    else:
        parts.append(tag("p", without_interval(report)))
    return tag("header", *parts, class_=_word(report).replace(" ", "-"))


def _word(report: Report) -> str:
    return report.verdict.word if report.judged else NOT_JUDGED


def _notes(notes: list[str]) -> Iterator[Html]:
    if notes:
        yield section("Notes", tag("ul", *(tag("li", note) for note in notes)))


def _plots(plots: list[Plot]) -> Iterator[Html]:
    if not plots:
        return
    different = [_figure(one) for one in plots if not one.same]
    same = [_figure(one) for one in plots if one.same]
    parts = [tag("noscript", tag("p", "The plots need scripts; all else does not."))]
    parts += different or [tag("p", "No plot's data differ.")]
    if same:
        parts.append(tag("details", tag("summary", f"The same in both: {len(same)}"), *same))
    yield section("Plots", *parts)


def _figure(one: Plot) -> Html:
    caption = tag("figcaption", tag("strong", one.title), " ", tag("code", one.file))
    drawing = tag("div", class_="plot", tabindex="0", role="region", aria_label=one.title)
    return tag("figure", caption, drawing, _data(one.specification))


def _data(content: dict[str, Any]) -> Html:
    """JSON inside HTML: no `<` in it can end the element or begin another."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return tag("script", Html(text), type="application/json")
