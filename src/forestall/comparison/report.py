"""The comparison as a report, and the report in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from forestall.comparison.changes import Changes
from forestall.comparison.gate import Ruling
from forestall.comparison.paired import Difference, Verdict, cost_of
from forestall.comparison.text import called_verbatim, coded, number, signed, span, verbatim
from forestall.evaluation.tables import COST
from forestall.features.labels import VALIDATION

Table = list[dict[str, Any]]
BAR = "\\|"
NOT_JUDGED = "not compared"
SHOWN, LONGEST = 20, 100  # rows of a list, and characters of a value; the JSON has them all
WORDS = {"better": "better", "worse": "worse", "no evidence": "no evidence of a difference in cost"}


@dataclass(frozen=True)
class Report:
    """All that a comparison found; `asdict` makes it what JSON holds.

    base, head: name and commit. figures: by fold, the one that decides first. failures: by fold, newly caught and newly
    missed. rulings: the gate's. judged: whether both were judged on the same decisions; if not, the figures are those
    that both recorded, and the verdict says nothing. fold: the one that decides.
    """

    base: dict[str, str | None]
    head: dict[str, str | None]
    changes: Changes
    notes: list[str]
    figures: dict[str, list[Difference]]
    verdict: Verdict
    failures: dict[str, dict[str, Table]]
    alarms: dict[str, Table]
    slices: Table
    rulings: list[Ruling]
    judged: bool = True
    fold: str = VALIDATION

    @property
    def passed(self) -> bool:
        """Whether every rule of the gate holds."""
        return all(one.passed for one in self.rulings)


def markdown(report: Report, gated: bool) -> str:
    """The report for people; `gated`: with the gate's rulings."""
    parts = [
        *_head(report),
        *(_gate(report) if gated else ()),
        *_figures(report),
        *_what_changed(report.changes),
        *_failures(report),
        *_alarms(report.alarms),
        *_slices(report.slices, report.fold),
    ]
    return _visible("\n".join(parts).rstrip()) + "\n"


def _head(report: Report) -> Iterator[str]:
    base, head = (called_verbatim(one) for one in (report.base, report.head))
    yield f"## {head} against {base}: {WORDS[report.verdict.word] if report.judged else NOT_JUDGED}"
    yield ""
    low, high = report.verdict.low, report.verdict.high
    if low is None or high is None:
        yield without_interval(report)
        yield ""
    else:
        yield (
            f"Cost per machine-month on the {report.fold} fold, head less base: {low:+,.0f} to {high:+,.0f} "
            "(95 %, by machine, widened by the spread over seeds)."
        )
        yield ""
    for note in report.notes:
        yield f"> {_prose(note)}"
        yield ""


def without_interval(report: Report) -> str:
    """Why the verdict has no interval."""
    if not report.judged:
        return "Both could not be judged on the same decisions: see the notes."
    cost = f"The cost per machine-month on the {report.fold} fold"
    if cost_of(next(iter(report.figures.values()))).difference == 0:
        return f"{cost} is the same in both."
    return f"{cost} has no interval: it is not defined, or the machines are too few."


def _gate(report: Report) -> Iterator[str]:
    yield f"### Gate: {'passed' if report.passed else 'NOT passed'}"
    yield ""
    yield from _table(
        ["rule", "", "why"],
        [[one.rule, "passed" if one.passed else "**failed**", _prose(one.reason)] for one in report.rulings],
    )


def _figures(report: Report) -> Iterator[str]:
    for fold, rows in report.figures.items():
        decides = "decides" if fold == report.fold else "for reporting, decides nothing"
        yield f"### {fold.capitalize()} fold ({decides})"
        yield ""
        yield from _table(
            ["figure", "base", "head", "difference", "95 %"],
            [
                [
                    verbatim(one.metric),
                    number(one.base),
                    number(one.head),
                    signed(one.difference),
                    span(one.low, one.high),
                ]
                for one in rows
            ],
        )


def _what_changed(changes: Changes) -> Iterator[str]:
    yield "### What changed"
    yield ""
    for kind, pairs in changes.values.items():
        for name, (before, after) in list(pairs.items())[:SHOWN]:
            yield f"- {kind}: {coded(name)} {_value(before)} → {_value(after)}"
        if len(pairs) > SHOWN:
            yield f"- {kind}: {len(pairs) - SHOWN} more"
    if changes.code:
        yield f"- code: {_listed([coded(file) for file in changes.code])}"
    for stage, what in changes.stages.items():
        yield f"- stage {verbatim(stage)}: {', '.join(what)}"
    if not changes:
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


def _slices(slices: Table, fold: str) -> Iterator[str]:
    if slices:
        yield f"### Slices that got worse, {fold} fold"
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
                        for name in ("event_recall", COST)
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


def _value(value: Any) -> str:
    return "nothing" if value is None else coded(shorten(str(value), LONGEST, placeholder=" …"))


def _part(one: Mapping[str, Any]) -> str:
    return f"{verbatim(one['machine'])} {verbatim(one['component'])}"


def _listed(texts: list[str]) -> str:
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more
