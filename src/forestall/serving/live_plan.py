"""Which machines are to be scored, and at which decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from forestall.features.history import Spans
from forestall.features.reference import Reference
from forestall.serving.store.machines import Machine
from forestall.serving.times import decision_at, decision_from

STEPS_AT_A_TIME = 64


@dataclass(frozen=True)
class Due:
    """Machines that are to be scored at the decisions from `first` to `until`; `last` is their latest decision."""

    machines: tuple[Machine, ...]
    first: int
    until: int
    last: int


@dataclass(frozen=True)
class Written:
    """What a model, by number, has scored and stored, and how many seconds the scoring took."""

    due: Due
    model: int
    seconds: float


def plan(machines: Iterable[Machine], now: int | None, reference: Reference, model: int) -> list[Due]:
    """The machines that are due, together where they have the same decisions before them.

    Args:
        now: the fleet's time in ticks; None if there is none yet. Machines with clocks of their own have theirs.
        model: the number of the model that scores.
    """
    spans, groups = reference.spans, dict[tuple[int, int], list[Machine]]()
    for machine in machines:
        time = machine.last if reference.own_clocks else now
        if time is None:
            continue
        scored = None if was_ahead(machine, time, spans) else machine.scored_until
        last = decision_at(time if scored is None else max(time, scored), spans)
        first = _first(replace(machine, scored_until=scored), last, spans, model)
        if first is not None:
            groups.setdefault((first, last), []).append(machine)
    piece = max((STEPS_AT_A_TIME - 1) * spans.every, spans.horizon)
    return [
        Due(tuple(group), first, min(last, first + piece), last) for (first, last), group in groups.items()
    ]


def was_ahead(machine: Machine, time: int, spans: Spans) -> bool:
    """Whether the clock was wrong when a machine was scored: ahead by more than bundles' decision times differ."""
    return machine.scored_until is not None and machine.scored_until - time > spans.every


def _first(machine: Machine, last: int, spans: Spans, model: int) -> int | None:
    """The first decision at which something is new of a machine, until `last`; None if nothing is."""
    first = _changed(machine, last, spans, model)
    begun = last if machine.first is None else min(decision_from(machine.first, spans), last)
    # There is nothing to think before its first reading, though a machine may be known, and was looked at, long before.
    return None if first is None else max(first, begun)


def _changed(machine: Machine, last: int, spans: Spans, model: int) -> int | None:
    # What is older than a horizon is past: no alarm stands on it any more.
    earliest = last - spans.horizon // spans.every * spans.every + spans.every
    if machine.scored_until is None:
        return min(earliest, last)
    # A bundle before this one may have decided at other times.
    following = decision_from(machine.scored_until + 1, spans)
    if machine.changed is not None and machine.changed <= last:
        return min(max(decision_from(machine.changed, spans), earliest), following, last)
    if following <= last:
        return following
    return last if machine.model_id != model else None
