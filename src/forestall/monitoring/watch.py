"""What monitoring says of a plant in service now: drift, what became of alarms and failures, and estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from forestall.monitoring.drift import Drift, drift
from forestall.monitoring.estimate import Estimated
from forestall.monitoring.outcomes import Realised
from forestall.monitoring.reference import MonitoringReference
from forestall.monitoring.service import Window
from forestall.monitoring.stored_blocks import stored_blocks
from forestall.monitoring.stored_estimates import stored_estimates
from forestall.monitoring.stored_outcomes import stored_outcomes, until_of
from forestall.monitoring.thresholds import Thresholds
from forestall.monitoring.watched import watched_inputs
from forestall.serving.live import Live


@dataclass(frozen=True)
class Watched:
    """As of a time in ticks. drift: None where the bundle has no reference, or none of its weeks is whole."""

    until: int
    drift: Drift | None
    outcomes: Realised
    estimates: Mapping[str, Estimated]


def watch(
    connection: Connection, live: Live, reference: MonitoringReference | None, thresholds: Thresholds
) -> Watched | None:
    """What there is to say; None of a plant without readings."""
    until, bundle = until_of(live, connection), live.bundle
    if until is None:
        return None
    length = thresholds.outcome_horizons * bundle.reference.spans.horizon
    found = stored_outcomes(connection, bundle, Window(until - length, until))
    level, least = thresholds.calibration_level, thresholds.calibration_failures
    estimates = stored_estimates(connection, bundle, live.model, found, level, least)
    return Watched(until, _drift(connection, live, reference, until, thresholds), found, estimates)


def _drift(
    connection: Connection,
    live: Live,
    reference: MonitoringReference | None,
    until: int,
    thresholds: Thresholds,
) -> Drift | None:
    inputs = watched_inputs(live.bundle, reference)
    if reference is None or inputs is None:
        return None
    weeks = thresholds.n + thresholds.alarm_rate_weeks - 1
    blocks, ago = stored_blocks(connection, live.bundle, live.model, (reference, inputs), until, weeks)
    return drift(reference, blocks, ago, thresholds) if len(blocks) else None
