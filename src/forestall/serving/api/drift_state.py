"""Drift as /metrics tells it: worked out when a week is over, and each hour, for data may come late."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from forestall.monitoring.drift import Drift, Shift
from forestall.monitoring.reference import MonitoringReference, read_reference
from forestall.monitoring.stored_blocks import stored_drift
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.api import model_metric_names
from forestall.serving.api.service import Serving
from forestall.serving.api.state import Sample

SECONDS = 3600.0


@dataclass(frozen=True)
class KnownDrift:
    """What was found last, of one model.

    reference: None where its bundle has none. week: the number of the one that had begun, -1 before any; at: when that
    was, by the collector's clock.
    """

    version: str
    reference: MonitoringReference | None
    week: int = -1
    at: float = -SECONDS
    drift: Drift | None = None


class DriftState:
    """A collector of `state`. known: exchanged as a whole, for pages read it meanwhile.

    Args:
        folder: the bundle's; its reference is read once for each version that answers.
        now: a clock in seconds that only goes forward.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.now = folder, now
        self.known = KnownDrift("", None)

    def __call__(self, serving: Serving, connection: Connection) -> Iterator[Sample]:
        """What was found last, brought up to date first if that is due."""
        if serving.version != self.known.version:
            self.known = KnownDrift(serving.version, read_reference(self.folder, serving.bundle))
        if self.known.reference is not None:
            self._look(serving, connection, self.known.reference)
        if self.known.drift is not None:
            yield from samples(self.known.drift)

    def _look(self, serving: Serving, connection: Connection, reference: MonitoringReference) -> None:
        until = serving.live.time(connection)
        week = -1 if until is None else until // reference.length
        if week != self.known.week and serving.live.due_of(connection):
            return  # half of a week says nothing; what was found of the one before it stands meanwhile
        if until is not None and (week != self.known.week or self.now() - self.known.at >= SECONDS):
            found = stored_drift(connection, serving.live, reference, until, THRESHOLDS)
            self.known = KnownDrift(serving.version, reference, week, self.now(), found)


def samples(drift: Drift) -> Iterator[Sample]:
    """What there is to say of each component and quantity; nothing of one of which nothing was counted."""
    for one in drift.alarms:
        if one.change is not None:
            yield Sample(model_metric_names.ALARM_RATE_P, one.change.p, (one.component,))
            if one.change.ratio is not None:
                yield Sample(model_metric_names.ALARM_RATE, one.change.ratio, (one.component,))
        yield Sample(model_metric_names.ALARM_RATE_CHANGED, one.holds, (one.component,))
    for of, shifts in (("risk", drift.risks), ("input", drift.inputs), ("opinions", (drift.opinions,))):
        yield from (sample for one in shifts for sample in _of_shift(of, one))


def _of_shift(of: str, one: Shift) -> Iterator[Sample]:
    name = "" if of == "opinions" else one.name
    if one.psi is not None and one.threshold is not None:
        yield Sample(model_metric_names.DRIFT, one.psi, (of, name))
        yield Sample(model_metric_names.DRIFT_THRESHOLD, one.threshold, (of, name))
    yield Sample(model_metric_names.DRIFTED, one.holds, (of, name))
