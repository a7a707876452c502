"""Why the mean risk changed, as /metrics tells it: worked out for each seventh of a horizon, and each model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from forestall.features.history import Spans
from forestall.monitoring.live_change import LiveChange, live_change
from forestall.monitoring.periods import DECISIONS, periods_of
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.api import model_metric_names
from forestall.serving.api.service import Serving
from forestall.serving.api.state import Sample
from forestall.serving.times import decision_at


@dataclass(frozen=True)
class KnownChange:
    """What was found last, of one model. until: the later period's end, in ticks; None without readings."""

    version: str
    until: int | None
    change: LiveChange | None


class ChangeState:
    """A collector of `state`. known: exchanged as a whole, for pages read it meanwhile."""

    def __init__(self) -> None:
        self.known = KnownChange("", None, None)

    def __call__(self, serving: Serving, connection: Connection) -> Iterator[Sample]:
        """What was found last, brought up to date first if that is due."""
        until, spans = serving.live.time(connection), serving.bundle.reference.spans
        end = None if until is None else end_of_later(until, spans)
        if (self.known.version, self.known.until) != (serving.version, end):
            self.known = KnownChange(serving.version, end, _found(serving, connection, end))
        if self.known.change is not None:
            yield from samples(self.known.change)


def _found(serving: Serving, connection: Connection, end: int | None) -> LiveChange | None:
    if end is None:
        return None
    spans = serving.bundle.reference.spans
    periods = periods_of(spans, end - THRESHOLDS.change_horizons * spans.horizon, end)
    return live_change(connection, serving.live, periods, THRESHOLDS.change_machines)


def end_of_later(until: int, spans: Spans) -> int:
    """The decision that ends the later period at a time in ticks; another one each seventh of a horizon.

    A decision step late, when the fleet is scored there: what is found is told until the next one.
    """
    part = max(spans.every, spans.horizon // DECISIONS)
    return decision_at((until - spans.every) // part * part, spans)


def samples(found: LiveChange) -> Iterator[Sample]:
    """Both means, and what moved it."""
    for period, value in (("before", found.change.before), ("after", found.change.after)):
        yield Sample(model_metric_names.MEAN_RISK, value, (period,))
    for factor, share in found.change.shares.items():
        yield Sample(model_metric_names.RISK_CHANGE, share, (factor,))
