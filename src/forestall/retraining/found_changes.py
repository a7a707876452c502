"""What monitoring finds in the store that asks for another model: the conditions of the alerts on the model."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from forestall.monitoring.drift import Drift
from forestall.monitoring.estimate import Estimated
from forestall.monitoring.reference import MonitoringReference
from forestall.monitoring.stored_blocks import stored_drift
from forestall.monitoring.stored_estimates import stored_estimates
from forestall.monitoring.stored_outcomes import outcome_window, stored_outcomes
from forestall.monitoring.thresholds import THRESHOLDS, Thresholds
from forestall.serving.live import Live


def found_changes(
    connection: Connection,
    live: Live,
    reference: MonitoringReference | None,
    until: int,
    limits: Thresholds = THRESHOLDS,
) -> list[str]:
    """A sentence for each change of alarms, risks, opinions or failures beyond chance; none where nothing is known.

    Args:
        reference: of the bundle; without one only failures are compared with the risks. until: the time in ticks.
    """
    found = list[str]()
    if reference is not None:
        found += _drifted(stored_drift(connection, live, reference, until, limits))
    window = outcome_window(live.bundle, min(until, live.known_until(connection)))
    known = stored_outcomes(connection, live.bundle, window)
    level, least = limits.calibration_level, limits.calibration_failures
    return [*found, *_refuted(stored_estimates(connection, live.bundle, live.model, known, level, least))]


def _drifted(drift: Drift | None) -> Iterator[str]:
    if drift is None:
        return
    for alarm in drift.alarms:
        if alarm.holds:
            yield f"Alarms of {alarm.component} come at another rate than in the reference weeks."
    for risk in drift.risks:
        if risk.holds:
            yield f"Risks of {risk.name} are spread otherwise than in the reference weeks."
    if drift.opinions.holds:
        yield "Machines are judged more or less often than in the reference weeks."


def _refuted(estimates: dict[str, Estimated]) -> Iterator[str]:
    for component, one in estimates.items():
        if one.refuted:
            yield f"Of {component} there were {one.decisions.withheld}."
