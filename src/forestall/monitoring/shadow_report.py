"""How a challenger compares with the champion, in words."""

from __future__ import annotations

from collections.abc import Mapping

from forestall.comparison.text import number, signed, verbatim
from forestall.features.reference import Reference
from forestall.monitoring.shadow import Comparison
from forestall.monitoring.shadow_alarms import Judged
from forestall.serving.times import time_of

# Of the figures of what became of alarms and failures.
FIGURES = {
    "right": "right",
    "false": "false",
    "undetermined": "undetermined: the part was replaced first",
    "pending_alarms": "the horizon is not over",
    "failures": "failures that could be foreseen",
    "caught": "of these caught",
    "machine_months": "machine-months",
    "cost_per_machine_month": "cost per machine-month",
}


def markdown(found: Comparison, champion: str, challenger: str, reference: Reference) -> str:
    """The report; champion and challenger are versions."""
    lines = [
        f"## Shadow: {'fit' if found.is_fit else 'NOT fit'} to be promoted",
        "",
        f"{challenger}, beside {champion}, {_span(found, reference)}.",
        "",
        "| | seen | wanted | |",
        "|---|---|---|---|",
        *(
            f"| {one.name} | {one.seen} | {one.wanted} | {'passed' if one.passed else '**not passed**'} |"
            for one in found.checks
        ),
        *_opinions(found),
        *_differences(found),
        *_alarms(found),
        *_work(found),
    ]
    return "\n".join(lines) + "\n"


def _span(found: Comparison, reference: Reference) -> str:
    if found.span is None:
        return (
            "with no decision to compare yet. The service scores both with `forestall serve --bundle "
            "<folder>/champion`, from the next decision on"
        )
    if reference.own_clocks:
        return "since each machine's first decision in shadow"
    return f"{time_of(found.span[0], reference)} to {time_of(found.span[1], reference)}"


def _opinions(found: Comparison) -> list[str]:
    return [
        "",
        f"Machines' decisions with an opinion of both: {found.both:,}; of the champion alone: "
        f"{_reasons(found.champion_alone)}; of the challenger alone: {_reasons(found.challenger_alone)}.",
    ]


def _reasons(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    said = ", ".join(f"{why} {count:,}" for why, count in sorted(counts.items()))
    return f"{total:,} (for the other one: {said})" if total else "0"


def _differences(found: Comparison) -> list[str]:
    if not found.differences:
        return []
    return [
        "",
        "| part | risks of both | mean difference | largest | on the same side of its own threshold |",
        "|---|---|---|---|---|",
        *(
            f"| {verbatim(name)} | {one.risks:,} | {signed(one.mean)} | {number(one.largest)} | "
            f"{100 * one.same_side:.2f} % |"
            for name, one in found.differences.items()
        ),
    ]


def _alarms(found: Comparison) -> list[str]:
    return [
        "",
        "| alarms that it would have raised | champion | challenger |",
        "|---|---|---|",
        f"| all | {found.champion.alarms:,} | {found.challenger.alarms:,} |",
        *(
            f"| {said} | {_figure(found.champion, name)} | {_figure(found.challenger, name)} |"
            for name, said in FIGURES.items()
        ),
    ]


def _figure(one: Judged, name: str) -> str:
    return number(one.figures.get(name))


def _work(found: Comparison) -> list[str]:
    work = found.work
    if not work.machines:
        return []
    ours, theirs = (1000 * seconds / work.machines for seconds in (work.seconds, work.champion_seconds))
    lines = ["", f"To score a machine took {ours:.2f} ms, the champion {theirs:.2f} ms."]
    return [*lines, f"The last failure: {verbatim(work.problem)}"] if work.problem else lines
