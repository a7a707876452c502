"""What does the model say, and is the plant still what it was?"""

from __future__ import annotations

from forestall.monitoring.dashboard.panel import YES_NO, Panel, Query, Row, bad_from, good_from
from forestall.monitoring.dashboard.queries import increase, value
from forestall.monitoring.dashboard.shadow_panels import shadow_panels
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.api import metric_names
from forestall.serving.api import model_metric_names as names

WEEKS = "4w"  # what changes by the week is looked at over some
DAY = "1d"


def model_rows() -> tuple[Row, ...]:
    """In the order in which they are asked."""
    return (
        Row("Alarms and predictions", (*_alarms(), *_predictions())),
        Row("Machines without an opinion", _no_opinions()),
        Row("The alarm rate against the reference weeks", _alarm_rate()),
        Row("Drift against the reference weeks", (*_drift(), _inputs())),
        Row("The model", (*_model(), *shadow_panels())),
    )


def _alarms() -> tuple[Panel, ...]:
    return (
        Panel(
            "Alarms that nobody has closed",
            "By component and state. If they pile up, nobody says what was found, and nothing is learnt "
            "from them.",
            (Query(value(metric_names.ALARMS_OPEN, "component", "state"), "{{component}} {{state}}"),),
        ),
        Panel(
            "Alarms raised in a day",
            "In the 24 hours before, whatever became of them.",
            (Query(increase(metric_names.ALARMS_RAISED, "component", over=DAY), "{{component}}"),),
        ),
        Panel(
            "Alarms closed, by finding",
            "Ever. Many without a fault: compare the precision below, and the threshold's costs.",
            (Query(value(metric_names.FEEDBACK, "finding"), "{{finding}}"),),
        ),
    )


def _predictions() -> tuple[Panel, ...]:
    bands = ("component", "band")
    given = metric_names.PREDICTIONS
    alarm = increase(given, "component", over=DAY, source="live", band="alarm")
    every = increase(given, "component", over=DAY, source="live")
    return (
        Panel(
            "Risks given to the plant's machines in a day",
            "`low`: below half of the component's threshold; `raised`: below the threshold; `alarm`: from "
            "it on. None: nothing was scored.",
            (Query(increase(given, *bands, over=DAY, source="live"), "{{component}} {{band}}"),),
        ),
        Panel(
            "Share of risks from the threshold on",
            "Of the risks given to the plant's machines in a day. A jump without failures: look at drift, "
            "and at the version.",
            (Query(f"{alarm} / {every}", "{{component}}"),),
            "percentunit",
        ),
        Panel(
            "Risks given to those who asked, in a day",
            "What `/predict` and `/v2` answered, which may be about anything.",
            (Query(increase(given, *bands, over=DAY, source="request"), "{{component}} {{band}}"),),
        ),
    )


def _no_opinions() -> tuple[Panel, ...]:
    return tuple(
        Panel(
            title,
            about,
            (Query(increase(metric_names.NO_OPINIONS, "reason", over=DAY, source=source), "{{reason}}"),),
            width=12,
        )
        for title, source, about in (
            (
                "No opinion of the plant's machines, by reason, in a day",
                "live",
                "Machines' components, each time that no risk was given. Not judged is not healthy: bring "
                "readings back, send attributes of new machines, wait for a new machine's history.",
            ),
            (
                "No opinion on request, by reason, in a day",
                "request",
                "What `/predict` had no risk for: who asks sends too short a history, or readings that are "
                "too old.",
            ),
        )
    )


def _alarm_rate() -> tuple[Panel, ...]:
    alert = ("ForestallAlarmRateChanged",)
    return (
        Panel(
            "Alarm rate, over the reference's",
            f"Alarms for each machine-time of the last {THRESHOLDS.alarm_rate_weeks} whole weeks. 1: as in "
            "the reference weeks. Above: is the plant worse, or the model? The outcomes below tell.",
            (Query(value(names.ALARM_RATE, "component"), "{{component}}"),),
            "none",
            alerts=alert,
            since=WEEKS,
        ),
        Panel(
            "How likely that is by chance",
            "p-value, two-sided. At or below the line it is beyond chance.",
            (Query(value(names.ALARM_RATE_P, "component"), "{{component}}"),),
            "none",
            alerts=alert,
            steps=good_from(THRESHOLDS.alarm_rate_level),
            since=WEEKS,
            log=True,
        ),
        Panel(
            "The alarm rate has changed",
            f"1: beyond chance in the latest window and in {THRESHOLDS.k} of the last {THRESHOLDS.n}.",
            (Query(value(names.ALARM_RATE_CHANGED, "component"), "{{component}}"),),
            "none",
            look="stat",
            alerts=alert,
            steps=YES_NO,
        ),
    )


def _drift() -> tuple[Panel, ...]:
    index = "Population stability index of the last whole week. Dashed: what the reference's own weeks hardly exceed."
    return (
        Panel(
            "Drift of risks",
            f"{index} Beyond it: which input moved, below? Were machines added? If the plant has changed, "
            "train again.",
            (
                Query(value(names.DRIFT, "name", of="risk"), "{{name}}"),
                Query(value(names.DRIFT_THRESHOLD, "name", of="risk"), "{{name}}: threshold", limit=True),
            ),
            "none",
            alerts=("ForestallRiskDrift",),
            since=WEEKS,
        ),
        Panel(
            "Drift of opinions",
            f"{index} Of whether machines are judged, and why not.",
            (
                Query(value(names.DRIFT, of="opinions"), "opinions"),
                Query(value(names.DRIFT_THRESHOLD, of="opinions"), "threshold", limit=True),
            ),
            "none",
            alerts=("ForestallOpinionsDrift",),
            since=WEEKS,
        ),
        Panel(
            "How many have drifted",
            f"Beyond the threshold in the latest week and in {THRESHOLDS.k} of the last {THRESHOLDS.n}. "
            "Inputs explain others and have no alert; a season is drift, too.",
            (Query(f"sum by (of) ({value(names.DRIFTED, 'of', 'name')})", "{{of}}"),),
            alerts=("ForestallRiskDrift", "ForestallOpinionsDrift"),
            since=WEEKS,
        ),
    )


def _inputs() -> Panel:
    """Too many for curves."""
    return Panel(
        "Drift of inputs",
        "Each source of features beside its threshold. It explains other changes, and asks nobody to do "
        "anything by itself: check a sensor that moved, first.",
        (
            Query(value(names.DRIFT, "name", of="input"), "index", unit="none"),
            Query(value(names.DRIFT_THRESHOLD, "name", of="input"), "threshold", unit="none"),
            Query(value(names.DRIFTED, "name", of="input"), "drifted", yes=True),
        ),
        look="table",
        width=24,
    )


def _model() -> tuple[Panel, ...]:
    labels = metric_names.MODEL.labels
    return (
        Panel(
            "The model that answers",
            "By version, how many processes answer with it. Two versions for longer than a moment: a "
            "process did not take the new bundle.",
            (Query(value(metric_names.MODEL, *labels), "processes"),),
            look="table",
            width=12,
        ),
        Panel(
            "A bundle was refused",
            "1: what was offered last was not taken, and the model before it answers on. The log says why.",
            (Query(value(metric_names.BUNDLE_REFUSED, "instance"), "{{instance}}"),),
            "none",
            look="stat",
            width=6,
            alerts=("ForestallBundleRefused",),
            steps=bad_from(1),
        ),
        Panel(
            "When the model was taken",
            "By process; also at its start. If they differ for long, one did not take the new bundle.",
            (Query(f"{value(metric_names.BUNDLE_ACCEPTED, 'instance')} * 1000", "{{instance}}"),),
            "dateTimeFromNow",
            look="stat",
            width=6,
        ),
    )
