"""Two periods of a plant in service, whose mean risks are compared."""

from __future__ import annotations

from dataclasses import dataclass

from forestall.features.history import Spans
from forestall.serving.times import decision_at

DECISIONS = 7


@dataclass(frozen=True)
class Periods:
    """The decisions of the two, in ticks: of a longest horizon each, at most seven, evenly apart."""

    before: tuple[int, ...]
    after: tuple[int, ...]


def periods_of(spans: Spans, before: int, after: int) -> Periods:
    """The periods that end at two times, in ticks.

    Raises:
        ValueError: the one is not over before the other begins.
    """
    steps = max(1, spans.horizon // spans.every)
    apart, count = max(1, steps // DECISIONS) * spans.every, min(DECISIONS, steps)
    ends = [decision_at(time, spans) for time in (before, after)]
    one, other = (tuple(end - apart * back for back in reversed(range(count))) for end in ends)
    if one[-1] >= other[0]:
        raise ValueError("The period before has to be over when the other one begins.")
    return Periods(one, other)
