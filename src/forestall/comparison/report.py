"""The comparison as a report: plain mappings for machines, Markdown for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Table = list[dict[str, Any]]
PLAIN = re.compile(r"[^\W_]+(?:[_./-]+[^\W_]+)*")
BAR = "\\|"
SHOWN = 20  # rows of a list; the JSON has them all
WORDS = {"better": "better", "worse": "worse", "no evidence": "no evidence of a difference"}


@dataclass(frozen=True)
class Report:
    """All that a comparison found, as JSON holds it.

    figures: by fold, the validation fold first, rows of `paired.Difference`. failures: by fold, newly caught and
    newly missed. rulings: the gate's.
    """

    base: dict[str, str | None]
    head: dict[str, str | None]
    changes: dict[str, Any]
    notes: list[str]
    figures: dict[str, Table]
    verdict: dict[str, Any]
    failures: dict[str, dict[str, Table]]
    alarms: dict[str, Table]
    slices: Table
    rulings: Table

    @property
    def passed(self) -> bool:
        """Whether every rule of the gate holds."""
        return all(one["passed"] for one in self.rulings)


def markdown(report: Report, gated: bool) -> str:
    """The report for people; `gated`: with the gate's rulings."""
    parts = [
        *_head(report),
        *(_gate(report) if gated else ()),
        *_figures(report),
        *_what_changed(report.changes),
        *_failures(report),
        *_alarms(report.alarms),
        *_slices(report.slices),
    ]
    return _visible("\n".join(parts).rstrip()) + "\n"


def _head(report: Report) -> Iterator[str]:
    base, head = (_verbatim(one) for one in (report.base, report.head))
    yield f"## {head} against {base}: {WORDS[report.verdict['word']]}"
    yield ""
    low, high = report.verdict["low"], report.verdict["high"]
    if low is not None and high is not None:
        yield (
            f"Cost per machine-month on the validation fold, head less base: {low:+,.0f} to {high:+,.0f} "
            "(95 %, by machine, widened by the spread over seeds)."
        )
        yield ""
    for note in report.notes:
        yield f"> {_prose(note)}"
        yield ""


def _gate(report: Report) -> Iterator[str]:
    yield f"### Gate: {'passed' if report.passed else 'NOT passed'}"
    yield ""
    yield from _table(
        ["rule", "", "why"],
        [
            [one["rule"], "passed" if one["passed"] else "**failed**", _prose(one["reason"])]
            for one in report.rulings
        ],
    )


def _figures(report: Report) -> Iterator[str]:
    for fold, rows in report.figures.items():
        decides = "decides" if fold == "validation" else "for reporting, decides nothing"
        yield f"### {fold.capitalize()} fold ({decides})"
        yield ""
        yield from _table(
            ["figure", "base", "head", "difference", "95 %"],
            [
                [
                    verbatim(one["metric"]),
                    number(one["base"]),
                    number(one["head"]),
                    signed(one["difference"]),
                    span(one),
                ]
                for one in rows
            ],
        )


def _what_changed(changes: Mapping[str, Any]) -> Iterator[str]:
    yield "### What changed"
    yield ""
    some = False
    for kind in ("params", "data", "packages"):
        for name, (before, after) in changes[kind].items():
            some = True
            yield f"- {kind}: {coded(name)} {_value(before)} → {_value(after)}"
    if changes["code"]:
        some = True
        yield f"- code: {_listed([coded(file) for file in changes['code']])}"
    for stage, what in changes["stages"].items():
        some = True
        yield f"- stage {verbatim(stage)}: {', '.join(what)}"
    if not some:
        yield "Nothing."
    yield ""


def _failures(report: Report) -> Iterator[str]:
    for fold, found in report.failures.items():
        for kind, rows in found.items():
            if rows:
                yield f"### {kind.replace('_', ' ').capitalize()}, {fold} fold: {len(rows)}"
                yield ""
                yield _listed([f"{_part(one)} ({one['time']})" for one in rows])
                yield ""


def _alarms(alarms: Mapping[str, Table]) -> Iterator[str]:
    for kind, title in (
        ("newly_alarmed", "Machines newly alarmed"),
        ("no_longer", "Machines no longer alarmed"),
    ):
        if alarms.get(kind):
            yield f"### {title}: {len(alarms[kind])}"
            yield ""
            yield _listed([_part(one) for one in alarms[kind]])
            yield ""


def _slices(slices: Table) -> Iterator[str]:
    if slices:
        yield "### Slices that got worse, validation fold"
        yield ""
        yield from _table(
            ["slice", "value", "failures", "caught, base", "caught, head", "cost, base", "cost, head"],
            [
                [
                    verbatim(one["slice"]),
                    verbatim(one["value"]),
                    str(one["failures"]),
                    *(
                        number(one[f"{name}_{side}"])
                        for name in ("event_recall", "cost_per_machine_month")
                        for side in ("base", "head")
                    ),
                ]
                for one in slices
            ],
        )


def _table(names: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    # In a table a bar ends its cell, in code too; everywhere else it is a letter like others.
    yield from (f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |" for row in rows)
    yield ""


def _prose(text: str) -> str:
    """A sentence with names that people gave in it: one line, without links, images and HTML of theirs."""
    return " ".join(text.split()).replace("<", "&lt;").replace("[", "\\[")


def _visible(text: str) -> str:
    """What a terminal would obey or hide, by its number."""
    return "".join(one if one.isprintable() or one == "\n" else f"\\x{ord(one):02x}" for one in text)


def verbatim(text: Any) -> str:
    """A name or a value that people gave, so that Markdown shows it as it is: as code, unless it is plain words."""
    line = " ".join(str(text).split())
    return line if PLAIN.fullmatch(line) else coded(line)


def coded(text: Any) -> str:
    """As code, whatever backticks it holds, in one line."""
    line = " ".join(str(text).split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    room = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{room}{line}{room}{fence}"


def called(one: Mapping[str, str | None]) -> str:
    """A revision as it was named, and its commit."""
    return _with_commit(str(one["name"]), one)


def _verbatim(one: Mapping[str, str | None]) -> str:
    """As `called`, for Markdown."""
    return _with_commit(verbatim(one["name"]), one)


def _with_commit(text: str, one: Mapping[str, str | None]) -> str:
    short = (one["commit"] or "")[:7]
    return f"{text} ({short})" if short and not str(one["name"]).startswith(short) else text


def span(one: Mapping[str, Any]) -> str:
    """A 95 % interval; empty where there is none."""
    return "" if one["low"] is None else f"{signed(one['low'])} to {signed(one['high'])}"


def signed(value: float | None) -> str:
    """A difference to three digits, with its sign."""
    return "-" if value is None else f"{'+' if value > 0 else ''}{number(value)}"


def number(value: float | None) -> str:
    """A figure to three digits, or a dash where it is undefined."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"


def _value(value: Any) -> str:
    return "nothing" if value is None else coded(value)


def _part(one: Mapping[str, Any]) -> str:
    return f"{verbatim(one['machine'])} {verbatim(one['component'])}"


def _listed(texts: list[str]) -> str:
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more
