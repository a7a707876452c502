"""What a person on duty asks first: does it answer, what fires, who asks, and how long do they wait?"""

from __future__ import annotations

from forestall.monitoring.alert_levels import Levels
from forestall.monitoring.alerts import WAITED_FOR
from forestall.monitoring.dashboard.panel import Panel, Query, Row, bad_from, good_from
from forestall.monitoring.dashboard.queries import JOB, UP, alerts, rate, value
from forestall.serving.api import metric_names as names

LEVELS = Levels()


def service_rows() -> tuple[Row, ...]:
    """In the order in which they are asked."""
    return (
        Row("Is it up, and what fires?", (*_processes(), *_firing())),
        Row("Requests", _requests()),
    )


def _processes() -> tuple[Panel, ...]:
    return (
        Panel(
            "Processes that answer",
            "Processes of the service that answer Prometheus. None: no readings are taken and no alarm is "
            "raised.",
            (Query(f"sum({UP})"),),
            look="stat",
            width=5,
            steps=good_from(1),
            alerts=("ForestallDown",),
        ),
        Panel(
            "Processes that do not",
            "Targets in prometheus.yml that do not answer. People notice nothing while another process does.",
            (Query(f"count({UP}) - sum({UP})"),),
            look="stat",
            width=5,
            steps=bad_from(1),
            alerts=("ForestallInstanceDown",),
        ),
        Panel(
            "Processes without a model",
            "They answer, and judge no machine: their bundle is missing, or was refused at the start.",
            (Query(f"sum({UP}) - ({value(names.MODEL)} or vector(0))"),),
            look="stat",
            width=4,
            steps=bad_from(1),
            alerts=("ForestallNoModel",),
        ),
    )


def _firing() -> tuple[Panel, ...]:
    counted = tuple(
        Panel(
            title,
            f"{about} 0 also where Prometheus has not loaded the rules.",
            (Query(f'count(ALERTS{{{JOB}, alertstate="firing", severity="{severity}"}}) or vector(0)'),),
            look="stat",
            width=5,
            steps=bad_from(1),
        )
        for title, severity, about in (
            ("Pages that fire", "page", "Alerts that cannot wait for the morning."),
            ("Tickets that fire", "ticket", "Alerts that can wait for the morning."),
        )
    )
    listed = Panel(
        "Alerts",
        "Alerts that fire, or wait for their time to be over. What to do of each: `docs/how-to/alerts.md`.",
        (Query(alerts("alertname", "severity", "alertstate", "component", "name")),),
        look="table",
        width=12,
        hidden=("Value",),
    )
    curves = Panel(
        "Alerts that fired",
        "When each alert fired, to lay beside the curves below.",
        (Query(alerts("alertname", more=', alertstate="firing"'), "{{alertname}}"),),
        width=12,
    )
    return (*counted, listed, curves)


def _requests() -> tuple[Panel, ...]:
    errors = {"status": "~5.."}
    return (
        Panel(
            "Requests by route",
            "Requests that were answered. `other` is what there is no route for. If `/v1/readings` stops, "
            "look at what sends the readings.",
            (Query(rate(names.REQUESTS, "route"), "{{route}}"),),
            "reqps",
        ),
        Panel(
            "Errors by route and status",
            "Answers of 5xx. 500 is a fault of the service, whose log has the traceback. 503: too many "
            "requests at once, or no database.",
            (Query(rate(names.REQUESTS, "route", "status", **errors), "{{route}} {{status}}"),),
            "reqps",
            alerts=("ForestallErrors",),
        ),
        Panel(
            "Share of errors",
            "Of all requests, those answered by 5xx. The alert asks for a least number of them, too.",
            (Query(f"{rate(names.REQUESTS, **errors)} / {rate(names.REQUESTS)}", "errors"),),
            "percentunit",
            alerts=("ForestallErrors",),
            steps=bad_from(LEVELS.error_share),
        ),
        *_latency(),
        *_load(),
    )


def _latency() -> tuple[Panel, ...]:
    waited = rate(names.DURATION, "le", part="_bucket", route=f"~{WAITED_FOR}")
    by_route = rate(names.DURATION, "route", "le", part="_bucket")
    return (
        Panel(
            "How long people and programs wait",
            "Predictions, machines and alarms: half of the answers, and 95 % of them, were as fast. If "
            "slow, look at the processors, the memory and the database.",
            (
                Query(f"histogram_quantile(0.95, {waited})", "95 %"),
                Query(f"histogram_quantile(0.5, {waited})", "half"),
            ),
            "s",
            alerts=("ForestallSlow",),
            steps=bad_from(LEVELS.slow_seconds),
        ),
        Panel(
            "95 % of the answers, by route",
            "Each route's own; an export takes as long as it is. Nothing of a route that nobody asked.",
            (Query(f"histogram_quantile(0.95, {by_route})", "{{route}}"),),
            "s",
        ),
    )


def _load() -> tuple[Panel, ...]:
    return (
        Panel(
            "In flight",
            "Requests that are being answered, by process. If it stays high, start another process, or find "
            "who asks.",
            (Query(value(names.IN_FLIGHT, "instance"), "{{instance}}"),),
            width=4,
        ),
        Panel(
            "Refused",
            "`concurrency`: too many at once (503). `rate`: too many of one client, or wrong keys (429).",
            (Query(rate(names.REFUSED, "limit"), "{{limit}}"),),
            "reqps",
            width=4,
        ),
    )
