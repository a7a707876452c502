"""Drift as /metrics tells it: worked out when a week is over, and each hour, for data may come late."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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


class DriftState:
    """A collector of `state`.

    Args:
        folder: the bundle's; its reference is read once for each version that answers.
        now: a clock in seconds that only goes forward.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.monotonic) -> None:
        self.folder, self.now = folder, now
        self.version = ""
        self.reference: MonitoringReference | None = None
        self.week, self.read_at = -1, -SECONDS
        self.drift: Drift | None = None

    def __call__(self, serving: Serving, connection: Connection) -> Iterator[Sample]:
        """What was found last, brought up to date first if that is due."""
        if serving.version != self.version:
            self.reference = read_reference(self.folder, serving.bundle)
            self.version, self.week, self.drift = serving.version, -1, None
        if self.reference is not None:
            self._look(serving, connection, self.reference)
        if self.drift is not None:
            yield from samples(self.drift)

    def _look(self, serving: Serving, connection: Connection, reference: MonitoringReference) -> None:
        until = serving.live.time(connection)
        week = -1 if until is None else until // reference.length
        if week != self.week and serving.live.due_of(connection):
            return  # half of a week says nothing; what was found of the one before it stands meanwhile
        if until is not None and (week != self.week or self.now() - self.read_at >= SECONDS):
            self.drift = stored_drift(connection, serving.live, reference, until, THRESHOLDS)
            self.week, self.read_at = week, self.now()


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
