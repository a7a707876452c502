"""Why a fleet's mean risk changed, in words and for machines."""

from __future__ import annotations

from typing import Any

from forestall.features.columns import span_name
from forestall.features.reference import Reference
from forestall.monitoring.live_change import LiveChange
from forestall.serving.times import time_of

SIDES = ("before", "after")
MEANING = {
    "mix": "other models of machines, or more of some",
    "ages": "older or younger parts, by wear and by what the plant replaces",
    "data": "other readings and errors of like parts",
    "model": "another model: what it makes of the same data",
}


def markdown(found: LiveChange, reference: Reference) -> str:
    """The report: both means, the factors by size, and why ages may have changed."""
    one, span = found.change, span_name(reference.spans.horizon, reference.unit)
    before, after = (_span(times, reference) for times in (found.periods.before, found.periods.after))
    lines = [
        f"## Mean risk {_percent(one.before)} -> {_percent(one.after)} ({_points(one.after - one.before)})",
        "",
        f"Within {span}, of the components of {found.machines[0]:,} machines ({before}) and of "
        f"{found.machines[1]:,} ({after}).",
        "",
        "| factor | moved it by | what it is |",
        "|---|---|---|",
        *(f"| {name} | {_points(share)} | {MEANING[name]} |" for name, share in _by_size(found)),
        "",
        f"- Replaced as planned, for each part in a period: {_pair(found.planned)}; failed: {_pair(found.failed)}.",
    ]
    if found.is_rescored:
        lines.append("- The risks were worked out again from the readings that the store keeps.")
    return "\n".join(lines) + "\n"


def as_json(found: LiveChange, reference: Reference) -> dict[str, Any]:
    """The same for machines: times as the service writes them, shares of the mean risk, not of its change."""
    spans = {
        name: [time_of(times[0], reference), time_of(times[-1], reference)]
        for name, times in (("before", found.periods.before), ("after", found.periods.after))
    }
    return {
        "periods": spans,
        "mean_risk": {"before": found.change.before, "after": found.change.after},
        "shares": dict(found.change.shares),
        "machines": dict(zip(SIDES, found.machines, strict=True)),
        "rescored": found.is_rescored,
        "planned_per_part": dict(zip(SIDES, found.planned, strict=True)),
        "failed_per_part": dict(zip(SIDES, found.failed, strict=True)),
    }


def _by_size(found: LiveChange) -> list[tuple[str, float]]:
    return sorted(found.change.shares.items(), key=lambda one: -abs(one[1]))


def _span(times: tuple[int, ...], reference: Reference) -> str:
    return f"{time_of(times[0], reference)} to {time_of(times[-1], reference)}"


def _percent(risk: float) -> str:
    return f"{100 * risk:.2f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.2f} points"


def _pair(values: tuple[float, float]) -> str:
    return f"{values[0]:.3f} -> {values[1]:.3f}"
