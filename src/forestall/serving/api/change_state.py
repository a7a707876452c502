"""Why the mean risk changed, as /metrics tells it: worked out for each seventh of a horizon, and each model."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from forestall.features.history import Spans
from forestall.monitoring.live_change import LiveChange, live_change
from forestall.monitoring.periods import DECISIONS, periods_of
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.api import model_metric_names
from forestall.serving.api.service import Serving
from forestall.serving.api.state import Sample
from forestall.serving.times import decision_at


class ChangeState:
    """A collector of `state`."""

    def __init__(self) -> None:
        self.seen: tuple[str, int] | None = None
        self.change: LiveChange | None = None

    def __call__(self, serving: Serving, connection: Connection) -> Iterator[Sample]:
        """What was found last, brought up to date first if that is due."""
        until = serving.live.time(connection)
        if until is not None:
            self._look(serving, connection, until)
        if self.change is not None:
            yield from samples(self.change)

    def _look(self, serving: Serving, connection: Connection, until: int) -> None:
        spans = serving.bundle.reference.spans
        now = end_of_later(until, spans)
        if self.seen == (serving.version, now):
            return
        periods = periods_of(spans, now - THRESHOLDS.change_horizons * spans.horizon, now)
        self.change = live_change(connection, serving.live, periods, THRESHOLDS.change_machines)
        self.seen = serving.version, now


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
