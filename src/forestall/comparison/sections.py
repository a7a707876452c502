"""The report's parts as HTML: the gate, figures, what changed, failures, alarms and slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from forestall.comparison.changes import Changes
from forestall.comparison.html import Html, Part, breakable, joined, listed, section, table, tag
from forestall.comparison.intervals import interval_chart
from forestall.comparison.paired import Difference
from forestall.comparison.report import SHOWN, Report, Table
from forestall.comparison.text import number, signed, span
from forestall.evaluation.tables import COST

BOTH = ("base", "head")


def sections(report: Report) -> Iterator[Html]:
    """All of them that have something to say."""
    yield _gate(report)
    yield from (_figures(fold, rows, report.fold) for fold, rows in report.figures.items())
    yield _changes(report.changes)
    yield from _failures(report.failures)
    yield from _alarms(report.alarms)
    yield from _slices(report.slices, report.fold)


def _gate(report: Report) -> Html:
    rows = [
        (breakable(one.rule), _mark("passed" if one.passed else "failed"), one.reason)
        for one in report.rulings
    ]
    title = f"Gate: {'passed' if report.passed else 'not passed'}"
    return section(title, table(f"Each rule, on head's {report.fold} fold", ["rule", "", "why"], rows))


def _mark(word: str) -> Html:
    return tag("span", word, class_=f"mark {word}")


def _figures(fold: str, rows: list[Difference], deciding: str) -> Html:
    decides = "decides" if fold == deciding else "for reporting, decides nothing"
    names = ["figure", *BOTH, "difference", "95 %", "around zero"]
    return section(
        f"{fold.capitalize()} fold ({decides})",
        table(f"Figures of both on head's {fold} decisions", names, [_figure(one) for one in rows]),
    )


def _figure(one: Difference) -> list[Part]:
    name = breakable(one.metric)
    if one.metric == COST:
        name = tag("strong", name)
    drawn: Part = ""
    if one.difference is not None and one.low is not None and one.high is not None:
        drawn = interval_chart(one.metric, one.difference, one.low, one.high)
    interval = span(one.low, one.high)
    return [name, number(one.base), number(one.head), signed(one.difference), interval, drawn]


def _changes(changes: Changes) -> Html:
    parts: list[Html] = []
    for kind, pairs in changes.values.items():
        rows = [(breakable(name), _value(before), _value(after)) for name, (before, after) in pairs.items()]
        if rows:
            parts.append(table(kind.capitalize(), ["name", *BOTH], rows))
    if changes.code:
        files = listed([tag("code", file) for file in changes.code], SHOWN)
        parts.append(joined([tag("h3", f"Code: {len(changes.code)} files"), files]))
    stages = [(name, ", ".join(what)) for name, what in changes.stages.items()]
    if stages:
        parts.append(table("Stages", ["stage", "what differs"], stages))
    return section("What changed", *(parts or [tag("p", "Nothing.")]))


def _value(value: Any) -> Html:
    return tag("em", "nothing") if value is None else tag("code", str(value))


def _failures(folds: Mapping[str, Mapping[str, Table]]) -> Iterator[Html]:
    for fold, found in folds.items():
        for kind, rows in found.items():
            if rows:
                title = f"{kind.replace('_', ' ').capitalize()}, {fold} fold: {len(rows)}"
                yield section(title, listed([_event(one) for one in rows], SHOWN))


def _event(one: Mapping[str, Any]) -> Html:
    return joined([_part(one), " ", tag("small", str(one["time"]))])


def _part(one: Mapping[str, Any]) -> Html:
    return joined([tag("b", str(one["machine"])), " ", tag("bdi", str(one["component"]))])


def _alarms(alarms: Mapping[str, Table]) -> Iterator[Html]:
    titles = {"newly_alarmed": "Machines newly alarmed", "no_longer": "Machines no longer alarmed"}
    for kind, title in titles.items():
        rows = alarms.get(kind)
        if rows:
            names = [_part(one) for one in rows]
            yield section(f"{title}: {len(rows)}", listed(names, SHOWN))


def _slices(slices: Table, fold: str) -> Iterator[Html]:
    if not slices:
        return
    names = ["slice", "value", "failures", "caught, base", "caught, head", "cost, base", "cost, head"]
    figures = [f"{name}_{side}" for name in ("event_recall", COST) for side in BOTH]
    rows = [
        (str(one["slice"]), str(one["value"]), str(one["failures"]), *(number(one[name]) for name in figures))
        for one in slices
    ]
    yield section(f"Slices that got worse, {fold} fold", table("Slices", names, rows))
