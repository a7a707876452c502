"""The alerts, each of which says that a person can do something. Their numbers are in `alert_levels`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from forestall.monitoring.alert_levels import Durations, Levels, duration

Severity = Literal["page", "ticket"]
RUNBOOKS = "docs/how-to/alerts.md"
JOB = "forestall"
# Answers that people and programs wait for; an export takes as long as it is.
WAITED_FOR = "/predict|/v2/.*|/v1/machines.*|/v1/alarms.*"


@dataclass(frozen=True)
class Alert:
    """An alert.

    wait: seconds that the expression has to hold.
    keep: seconds that it is said for after that, so that what it silences, a rate over as long, is not said after it.
    """

    name: str
    severity: Severity
    wait: float
    expr: str
    summary: str
    description: str
    keep: float = 0

    @property
    def rule(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": duration(self.wait),
            **({"keep_firing_for": duration(self.keep)} if self.keep else {}),
            "labels": {"severity": self.severity},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{RUNBOOKS}#{self.name.lower()}",
            },
        }


def service_alerts(times: Durations, levels: Levels) -> list[Alert]:
    """Of the service: `count` says of how many processes something is true."""
    return [*_of_processes(times), *_of_store(times), *_of_answers(times, levels)]


def _of_processes(times: Durations) -> list[Alert]:
    up = f'up{{job="{JOB}"}}'
    return [
        Alert(
            "ForestallDown",
            "page",
            times.soon,
            f"absent({up}) or max by (job) ({up}) == 0",
            "Forestall does not answer",
            "No process of the service answers Prometheus. No readings are taken, no alarms are raised.",
        ),
        Alert(
            "ForestallInstanceDown",
            "ticket",
            times.settled,
            f"count by (job) ({up} == 0)",
            "{{ $value }} of Forestall's processes do not answer",
            "Others answer, unless ForestallDown says otherwise; there is less to fall back on.",
        ),
        Alert(
            "ForestallNoModel",
            "page",
            times.soon,
            # Not absent(): of two processes one may be without.
            f"count by (job) ({up} == 1 unless on (job, instance) forestall_model_info)",
            "{{ $value }} of Forestall's processes have no model",
            "They answer, but judge nothing: their bundle is missing, or was refused at the start.",
            times.window,
        ),
    ]


def _of_store(times: Durations) -> list[Alert]:
    return [
        Alert(
            "ForestallStoreDown",
            "page",
            times.soon,
            "count by (job) (forestall_store_up == 0)",
            "The database does not answer {{ $value }} of Forestall's processes",
            "Readings are refused and nothing is scored. What is said of the plant is older.",
            times.window,
        ),
        Alert(
            "ForestallStoreFull",
            "page",
            times.soon,
            "count by (job) (forestall_store_full == 1)",
            "The database has no room",
            "Readings and changes of alarms are refused until there is room.",
            times.window,
        ),
    ]


def _of_answers(times: Durations, levels: Levels) -> list[Alert]:
    window = duration(times.window)
    asked = "forestall_http_requests_total"
    errors = f'{asked}{{status=~"5.."}}'
    waited = f'{{route=~"{WAITED_FOR}"}}[{window}]'
    took = "forestall_http_request_duration_seconds"
    return [
        Alert(
            "ForestallErrors",
            "page",
            times.window,
            f"sum by (job) (rate({errors}[{window}])) / sum by (job) (rate({asked}[{window}])) > {levels.error_share:g}"
            f" and sum by (job) (increase({errors}[{window}])) > {levels.errors:g}",
            "{{ $value | humanizePercentage }} of requests fail",
            "The service answers them by an error of its own (5xx), and not for want of a database alone.",
        ),
        Alert(
            "ForestallSlow",
            "ticket",
            times.settled,
            f"histogram_quantile(0.95, sum by (job, le) (rate({took}_bucket{waited}))) > {levels.slow_seconds:g}"
            f" and sum by (job) (increase({took}_count{waited})) > {levels.slow_requests:g}",
            "Answers are slow: one of twenty takes {{ $value | humanizeDuration }} or longer",
            "Of those that people and programs wait for: predictions, machines, alarms.",
        ),
        Alert(
            "ForestallStateUntold",
            "ticket",
            times.settled,
            f"sum by (job) (increase(forestall_state_errors_total[{window}])) > 0"
            " or max by (job) (forestall_state_timestamp_seconds - forestall_watch_timestamp_seconds)"
            f" > {times.behind:g}",
            "A part of the plant's state is missing from the metrics, or old",
            "By a fault of the service, or the database does not let it be worked out. Alerts on it do not work.",
        ),
    ]


def data_alerts(times: Durations, levels: Levels) -> list[Alert]:
    """Of the plant's data; of several processes the youngest age is right: another may have lost the database."""
    age = "min by (job) (forestall_data_age_seconds)"
    return [
        Alert(
            "ForestallIngestionStopped",
            "page",
            times.settled,
            f"{age} > {times.data_age:g}",
            "No machine has sent a reading for {{ $value | humanizeDuration }}",
            "The whole fleet is silent, so that it is not a machine that stands still. No alarm can be raised.",
        ),
        Alert(
            "ForestallDataOfFuture",
            "ticket",
            times.lasting,
            f"-{age} > {times.ahead:g}",
            "Readings are of the future, by {{ $value | humanizeDuration }}",
            "A clock or a time zone is wrong. That readings stop would be noticed later by as much.",
        ),
        Alert(
            "ForestallMachinesStale",
            "ticket",
            times.lasting,
            "max by (job) (forestall_machines_stale) / sum by (job) (max by (job, status) (forestall_machines))"
            f" > {levels.stale_share:g}",
            "{{ $value | humanizePercentage }} of machines send no readings",
            "Nothing is thought of them: that is not the same as being well.",
        ),
        Alert(
            "ForestallScoringBehind",
            "page",
            times.lasting,
            "max by (job) (forestall_scoring_due_machines) > 0",
            "Scoring is behind: {{ $value }} machines wait",
            "Something new is to be thought of them, and has been at every look. Alarms come late or not at all.",
        ),
    ]


def model_alerts(times: Durations, _: Levels) -> list[Alert]:
    """Of the model. Drift of inputs has no alert: it explains, and asks nobody to do anything."""
    return [
        Alert(
            "ForestallBundleRefused",
            "ticket",
            times.soon,
            "count by (job) (forestall_bundle_refused == 1)",
            "A new bundle was refused",
            "The model before it answers on, if there was one.",
        ),
        *_of_drift(times),
        Alert(
            "ForestallCalibrationRefuted",
            "ticket",
            times.lasting,
            "max by (job, component) (forestall_calibration_refuted) == 1",
            "Other failures of {{ $labels.component }} come than the risks let expect",
            "More or fewer, beyond chance, over the outcome window: the risks of this component cannot be trusted.",
        ),
    ]


def _of_drift(times: Durations) -> list[Alert]:
    return [
        Alert(
            "ForestallAlarmRateChanged",
            "ticket",
            times.lasting,
            "max by (job, component) (forestall_alarm_rate_changed) == 1",
            "Alarms of {{ $labels.component }} come at another rate than in the reference weeks",
            "Beyond chance, in the latest four weeks and in most of the windows before.",
        ),
        Alert(
            "ForestallRiskDrift",
            "ticket",
            times.lasting,
            'max by (job, name) (forestall_drifted{of="risk"}) == 1',
            "Risks of {{ $labels.name }} are spread otherwise than in the reference weeks",
            "By more than weeks of the reference differ from each other, and for more than one week.",
        ),
        Alert(
            "ForestallOpinionsDrift",
            "ticket",
            times.lasting,
            'max by (job) (forestall_drifted{of="opinions"}) == 1',
            "Machines are judged more or less often than in the reference weeks",
            "Which of them have no opinion, or why, has changed for more than one week.",
        ),
    ]
