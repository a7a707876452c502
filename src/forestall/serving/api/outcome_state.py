"""Outcomes and estimates as /metrics tells them: worked out each hour, for failures and findings come late."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from forestall.data.clock import is_counter
from forestall.monitoring.estimate import Estimate, Estimated
from forestall.monitoring.outcomes import Realised
from forestall.monitoring.service_figures import COUNTED, Figures
from forestall.monitoring.stored_estimates import stored_estimates
from forestall.monitoring.stored_outcomes import outcome_window, stored_outcomes, until_of
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.api import model_metric_names
from forestall.serving.api.metric import Metric
from forestall.serving.api.service import Serving
from forestall.serving.api.state import Sample

SECONDS, HOUR = 3600.0, 3600.0
BOUNDS = {
    "settled": "",
    "at_least": "_at_least",
    "at_most": "_at_most",
}  # bound: the ending of the figure's name
RATIOS = {
    model_metric_names.RECALL: "event_recall",
    model_metric_names.PRECISION: "alarm_precision",
    model_metric_names.FALSE_ALARMS: "false_alarms_per_machine_month",
}
COST = "cost_per_machine_month"
QUANTILES = {"0.5": "lead_time_median_h", "0.1": "lead_time_p10_h"}


@dataclass(frozen=True)
class KnownOutcomes:
    """What was found last, of one model. at: when, by the collector's clock. realised: None without readings."""

    version: str
    at: float
    realised: Realised | None
    estimates: Mapping[str, Estimated]


class OutcomeState:
    """A collector of `state`. known: exchanged as a whole, for pages read it meanwhile.

    Args:
        now: a clock in seconds that only goes forward.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.known = KnownOutcomes("", -SECONDS, None, {})

    def __call__(self, serving: Serving, connection: Connection) -> Iterator[Sample]:
        """What was found last, brought up to date first if that is due."""
        if serving.version != self.known.version or self.now() - self.known.at >= SECONDS:
            found = _found(serving, connection)
            self.known = KnownOutcomes(serving.version, self.now(), *found)
        known = self.known
        if known.realised is not None:
            for component, figures in known.realised.components.items():
                yield from outcome_samples(component, figures, is_counter(serving.bundle.reference.unit))
        for component, one in known.estimates.items():
            yield from estimate_samples(component, one)


def _found(serving: Serving, connection: Connection) -> tuple[Realised | None, Mapping[str, Estimated]]:
    live, bundle, limits = serving.live, serving.bundle, THRESHOLDS
    until = until_of(live, connection)
    if until is None:
        return None, {}
    found = stored_outcomes(connection, bundle, outcome_window(bundle, until))
    level, least = limits.calibration_level, limits.calibration_failures
    return found, stored_estimates(connection, bundle, live.model, found, level, least)


def outcome_samples(component: str, figures: Figures, counts: bool) -> Iterator[Sample]:
    """What is defined of a component's outcomes. counts: the plant's clock is a counter, without seconds."""
    for metric, name in RATIOS.items():
        for bound, ending in BOUNDS.items():
            if name + ending in figures:
                yield Sample(metric, figures[name + ending], (component, bound))
    for quantile, name in QUANTILES.items():
        if name in figures and not counts:
            yield Sample(model_metric_names.LEAD_TIME, figures[name] * HOUR, (component, quantile))
    if COST in figures:
        yield Sample(model_metric_names.COST, figures[COST], (component,))
    for outcome in COUNTED:
        yield Sample(model_metric_names.OUTCOMES, figures[outcome], (component, outcome))


def estimate_samples(component: str, one: Estimated) -> Iterator[Sample]:
    """Its checks, and what they do not withhold."""
    for of, check in (("decisions", one.decisions), ("alarms", one.alarms)):
        yield Sample(model_metric_names.CALIBRATION_P, check.p_value, (component, of))
    yield Sample(model_metric_names.CALIBRATION_REFUTED, one.refuted, (component,))
    estimates: dict[Metric, Estimate | None] = {
        model_metric_names.EXPECTED_FAILURES: one.coming,
        model_metric_names.ESTIMATED_RECALL: one.event_recall,
        model_metric_names.ESTIMATED_PRECISION: one.alarm_precision,
    }
    for metric, estimate in estimates.items():
        if estimate is not None:
            yield Sample(metric, estimate.value, (component,))
