"""What the service itself tells of the plant's state: its machines, its alarms, how far scoring has come."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from sqlalchemy import Connection

from forestall.data.clock import is_counter
from forestall.serving.api import metric_names
from forestall.serving.api.service import Serving
from forestall.serving.api.state import Sample
from forestall.serving.store.alarms import FINDINGS, STATES
from forestall.serving.store.summary import alarm_counts, machines_by_status, reach


def machine_samples(_: Serving, connection: Connection) -> Iterator[Sample]:
    """How many machines stand how."""
    count, in_alarm, normal, stale = machines_by_status(connection)
    by_status = {"alarm": in_alarm, "normal": normal, "no opinion": count - in_alarm - normal}
    for status, number in by_status.items():
        yield Sample(metric_names.MACHINES, number, (status,))
    yield Sample(metric_names.MACHINES_STALE, stale)


def alarm_samples(serving: Serving, connection: Connection) -> Iterator[Sample]:
    """How many alarms were raised, are not closed, and were closed with which finding."""
    components = serving.bundle.components
    waiting = dict.fromkeys(product(components, STATES[:-1]), 0)
    raised, findings = dict.fromkeys(components, 0), dict.fromkeys(FINDINGS, 0)
    for (component, state, finding), count in alarm_counts(connection).items():
        raised[component] = raised.get(component, 0) + count
        if finding is not None:
            findings[finding] += count
        if state != "closed":
            waiting[component, state] = waiting.get((component, state), 0) + count
    yield from (Sample(metric_names.ALARMS_OPEN, count, labels) for labels, count in waiting.items())
    yield from (Sample(metric_names.ALARMS_RAISED, count, (name,)) for name, count in raised.items())
    yield from (Sample(metric_names.FEEDBACK, count, (name,)) for name, count in findings.items())


def time_samples(serving: Serving, connection: Connection) -> Iterator[Sample]:
    """How far readings and scoring have come; a counter's counts are no seconds, and are left out."""
    yield Sample(metric_names.SCORING_DUE, len(serving.live.due_of(connection)))
    if is_counter(serving.bundle.reference.unit):
        return
    for metric, time in zip(
        (metric_names.LATEST_READING, metric_names.SCORED), reach(connection), strict=True
    ):
        if time is not None:
            yield Sample(metric, time)
