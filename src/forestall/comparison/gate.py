"""The gate: may a change go in? Each rule with its verdict and the reason, on one fold alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from forestall.comparison.paired import Difference, Verdict
from forestall.evaluation.tables import COST


@dataclass(frozen=True)
class Limits:
    """What is asked: the least event_recall and alarm_precision, the least recall of a slice, by what share cost may
    rise where the rise is beyond chance, the largest calibration error, and whether the rule must be beaten.
    """

    event_recall: float
    alarm_precision: float
    slice_recall: float
    margin: float
    calibration_error: float
    beats_rule: bool


@dataclass(frozen=True)
class Evidence:
    """What the gate goes by: head's figures, its slices' recalls, the one-line rule's cost, and the difference in cost.

    slices is None where they are not known. cost and verdict are None where the revisions cannot be compared; why_not
    says why, or is empty if base has no model. stale: why head's outputs are not what its files make, or empty.
    """

    figures: Mapping[str, float]
    slices: Mapping[str, float] | None
    rule_cost: float | None
    cost: Difference | None
    verdict: Verdict | None
    why_not: str
    stale: str = ""


@dataclass(frozen=True)
class Ruling:
    """One rule of the gate: whether it holds, and why."""

    rule: str
    passed: bool
    reason: str


def rulings(known: Evidence, limits: Limits) -> list[Ruling]:
    """Every rule's verdict; a change passes if all do."""
    return [
        Ruling("outputs are current", not known.stale, known.stale or "they are those of its files"),
        *_floors(known, limits),
        _slices(known, limits),
        _calibration(known, limits),
        *_rule(known, limits),
        _base(known, limits),
    ]


def _floors(known: Evidence, limits: Limits) -> Iterator[Ruling]:
    for name in ("event_recall", "alarm_precision"):
        value, floor = known.figures.get(name), getattr(limits, name)
        if value is None:
            yield Ruling(f"{name} floor", not floor, f"{name} is not defined: the metrics count why")
        else:
            yield Ruling(f"{name} floor", value >= floor, f"{value:.3g}, at least {floor:g} is asked")


def _slices(known: Evidence, limits: Limits) -> Ruling:
    name, floor = "slice floor", limits.slice_recall
    if known.slices is None:
        return Ruling(name, not floor, "the slices' figures are not known: run `dvc repro`")
    if not known.slices:
        return Ruling(name, True, "no slice has failures enough to be judged")
    below = [f"{one} {value:.3g}" for one, value in known.slices.items() if value < floor]
    every = f"all {len(known.slices)} at {floor:g} or above"
    return Ruling(name, not below, f"below {floor:g}: {'; '.join(below)}" if below else every)


def _calibration(known: Evidence, limits: Limits) -> Ruling:
    value, most = known.figures.get("calibration_error"), limits.calibration_error
    if value is None:
        return Ruling("calibration", False, "calibration_error is not defined")
    return Ruling("calibration", value <= most, f"calibration error {value:.3g}, at most {most:g} is allowed")


def _rule(known: Evidence, limits: Limits) -> Iterator[Ruling]:
    if not limits.beats_rule:
        return
    own = known.figures.get(COST)
    if own is None or known.rule_cost is None:
        yield Ruling("one-line rule", False, "a cost is not known: run `dvc repro`")
    else:
        yield Ruling(
            "one-line rule",
            own < known.rule_cost,
            f"the model costs {own:,.0f}, the rule {known.rule_cost:,.0f}",
        )


def _base(known: Evidence, limits: Limits) -> Ruling:
    name, cost, found = "not worse than base", known.cost, known.verdict
    if cost is None or found is None:
        return Ruling(name, not known.why_not, known.why_not or "base has no model to compare with")
    if cost.base is None or cost.difference is None:
        return Ruling(name, False, "the cost is not defined on these decisions, so nothing could be compared")
    share = _share(cost.difference, cost.base)
    allowed = f"{limits.margin:.0%} is allowed"
    if found.low is None or found.high is None:
        reason = f"cost {share:+.1%}, with too few machines to tell it from chance; {allowed}"
        return Ruling(name, share <= limits.margin, reason)
    span = f"{found.low:+,.0f} to {found.high:+,.0f}"
    reason = f"cost {share:+.1%} ({span}): {found.word}; {allowed}"
    return Ruling(name, not (found.word == "worse" and share > limits.margin), reason)


def _share(difference: float, base: float) -> float:
    if base:
        return difference / abs(base)
    return math.copysign(math.inf, difference) if difference else 0.0
