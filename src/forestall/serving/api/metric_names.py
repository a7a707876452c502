"""All that /metrics says, each thing once: code, reference page, alerts and dashboard take their names from here."""

from __future__ import annotations

from collections.abc import Iterable

from forestall.serving.api import model_metric_names
from forestall.serving.api.metric import Metric

REQUESTS = Metric(
    "forestall_http_requests_total",
    "counter",
    "process",
    "Requests answered, by the route's template and HTTP status; `other` where there is no such route.",
    ("route", "method", "status"),
)
DURATION = Metric(
    "forestall_http_request_duration_seconds",
    "histogram",
    "process",
    "From a request's head to the end of its answer.",
    ("route",),
)
IN_FLIGHT = Metric(
    "forestall_http_requests_in_flight",
    "gauge",
    "process",
    "Requests that are being answered, other than for health, metrics and the page's files.",
)
REFUSED = Metric(
    "forestall_http_refused_total",
    "counter",
    "process",
    "Requests refused: `concurrency`, too many at once (503); `rate`, too many of one client, or wrong keys (429).",
    ("limit",),
)
PREDICTIONS = Metric(
    "forestall_predictions_total",
    "counter",
    "process",
    "Risks given, over the longest horizon: `low` below half of the component's threshold, `raised` below it, `alarm`. "
    "Source `live`: scoring of the store's machines; `request`: /predict and /v2.",
    ("component", "band", "source"),
)
NO_OPINIONS = Metric(
    "forestall_no_opinions_total",
    "counter",
    "process",
    "Machines' components that no risk was given of, by why.",
    ("reason", "source"),
)
STATE_ERRORS = Metric(
    "forestall_state_errors_total",
    "counter",
    "process",
    "Pieces of the plant's state, and what monitoring makes of it, that could not be told; the log says why.",
)
STORE_UP = Metric(
    "forestall_store_up",
    "gauge",
    "process",
    "Whether the database answered in time when last asked for the plant's state; if 0, that state is an older one.",
)
STORE_FULL = Metric(
    "forestall_store_full",
    "gauge",
    "process",
    "Whether the last one that wrote to the database found no room.",
)
STATE_TIME = Metric(
    "forestall_state_timestamp_seconds",
    "gauge",
    "process",
    "When the plant's state was last read from the database.",
)
WATCH_TIME = Metric(
    "forestall_watch_timestamp_seconds",
    "gauge",
    "process",
    "When drift, outcomes and the change of risk were last told; 0 before the first time.",
)
MODEL = Metric(
    "forestall_model_info",
    "info",
    "process",
    "The model that answers; a label is left out where the bundle's manifest does not say it.",
    ("version", "dataset", "data_hash", "revision"),
)
BUNDLE_REFUSED = Metric(
    "forestall_bundle_refused", "gauge", "process", "Whether the bundle that was offered last was refused."
)
BUNDLE_ACCEPTED = Metric(
    "forestall_bundle_accepted_timestamp_seconds",
    "gauge",
    "process",
    "When this process took the model that answers.",
)
SHADOW = Metric(
    "forestall_shadow_info",
    "info",
    "process",
    "The challenger that scores beside the model that answers; not there without one.",
    ("version", "dataset", "data_hash", "revision"),
)
SHADOW_REFUSED = Metric(
    "forestall_shadow_refused", "gauge", "process", "Whether the challenger that is offered was refused."
)
SHADOW_DECISIONS = Metric(
    "forestall_shadow_decisions_total",
    "counter",
    "process",
    "Machines that the champion scored and the challenger had to: `scored`, `failed`, or `dropped` untried, as too "
    "many waited.",
    ("outcome",),
)
SHADOW_REQUESTS = Metric(
    "forestall_shadow_requests_total",
    "counter",
    "process",
    "Requests to /predict that the challenger was asked, too: `agreed`, on the same side of each part's own threshold; "
    "`disagreed`; `unfit`, it takes other features or fields; `failed`; `dropped`.",
    ("outcome",),
)
SHADOW_SECONDS = Metric(
    "forestall_shadow_seconds_total",
    "counter",
    "process",
    "Time that the challenger took, for the store's machines (`live`) and for requests.",
    ("source",),
)
MACHINES = Metric(
    "forestall_machines",
    "gauge",
    "plant",
    "Machines: `alarm`, with a component in alarm now; `normal`, with one that is judged, none in alarm; `no opinion`.",
    ("status",),
)
MACHINES_STALE = Metric(
    "forestall_machines_stale",
    "gauge",
    "plant",
    "Machines without recent readings, of all; they have no opinion.",
)
ALARMS_OPEN = Metric(
    "forestall_alarms_open", "gauge", "plant", "Alarms that nobody has closed.", ("component", "state")
)
ALARMS_RAISED = Metric(
    "forestall_alarms_raised_total",
    "counter",
    "plant",
    "Alarms raised, ever, whatever became of them.",
    ("component",),
)
FEEDBACK = Metric(
    "forestall_feedback_total", "counter", "plant", "Alarms closed, ever, by what was found.", ("finding",)
)
LATEST_READING = Metric(
    "forestall_latest_reading_timestamp_seconds",
    "gauge",
    "plant",
    "Time of the fleet's latest reading, as its tables write it: a wall clock as if it were UTC.",
)
DATA_AGE = Metric(
    "forestall_data_age_seconds",
    "gauge",
    "plant",
    "Age of the fleet's latest reading; below 0 if it is of the future. A recording has none: its time stands still.",
)
SCORING_DUE = Metric(
    "forestall_scoring_due_machines", "gauge", "plant", "Machines of which something new is to be thought."
)
SCORED = Metric(
    "forestall_scored_timestamp_seconds",
    "gauge",
    "plant",
    "Time of the latest decision that any machine was scored at, as the plant's tables write it.",
)
PROCESS = tuple(
    Metric(name, "counter" if name.endswith("_total") else "gauge", "process", about)
    for name, about in {
        "process_start_time_seconds": "When the process started: counters of the process begin at 0 then.",
        "process_cpu_seconds_total": "Processor time.",
        "process_resident_memory_bytes": "Memory in use.",
        "process_virtual_memory_bytes": "Memory addressed.",
        "process_open_fds": "Open files and connections.",
        "process_max_fds": "How many there may be.",
    }.items()
)
METRICS: tuple[Metric, ...] = (
    *(one for one in list(globals().values()) if isinstance(one, Metric)),
    *model_metric_names.METRICS,
    *PROCESS,
)


def series_labels(metrics: Iterable[Metric] = METRICS) -> dict[str, tuple[str, ...]]:
    """The labels of every series that is exported, by its name: what rules and dashboards may ask for."""
    return {
        name: (*one.labels, "le") if name.endswith("_bucket") else one.labels
        for one in metrics
        for name in one.series
    }


INTRODUCTION = """\
# Metrics of the service

What `GET /metrics` says; [how to scrape it, and what to make of it](../how-to/monitor.md). Of a `process` metric each
process over a database has its own part: add them up. A `plant` metric is the same from each: take the `max`.

| metric | kind | of | labels | what it says |
|---|---|---|---|---|
"""


def reference_page() -> str:
    """docs/reference/monitoring.md."""
    rows = [
        f"| `{one.name}` | {one.kind} | {one.of} | {', '.join(f'`{label}`' for label in one.labels)} | {one.help} |\n"
        for one in METRICS
    ]
    return INTRODUCTION + "".join(rows)
