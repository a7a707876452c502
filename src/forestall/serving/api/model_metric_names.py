"""What /metrics says of the model in service: drift, outcomes, estimates, and why risks changed."""

from __future__ import annotations

from forestall.serving.api.metric import Metric

ALARM_RATE = Metric(
    "forestall_alarm_rate_ratio",
    "gauge",
    "plant",
    "Alarms for each machine-time of the last 4 whole weeks, over those of the reference weeks.",
    ("component",),
)
ALARM_RATE_P = Metric(
    "forestall_alarm_rate_p_value",
    "gauge",
    "plant",
    "How likely so large a change of the alarm rate is by chance alone, two-sided.",
    ("component",),
)
ALARM_RATE_CHANGED = Metric(
    "forestall_alarm_rate_changed",
    "gauge",
    "plant",
    "Whether the alarm rate has changed beyond chance in the latest window and in most of the last ones.",
    ("component",),
)
DRIFT = Metric(
    "forestall_drift_psi",
    "gauge",
    "plant",
    "Population stability index of the last whole week against the reference weeks: of `risk` by component, of `input` "
    "by source, of `opinions`, whether there is one and why not.",
    ("of", "name"),
)
DRIFT_THRESHOLD = Metric(
    "forestall_drift_psi_threshold",
    "gauge",
    "plant",
    "What one in a hundred draws of the reference's own weeks exceeds; at least what a week of them differs from the "
    "others by, and what is worth a look.",
    ("of", "name"),
)
DRIFTED = Metric(
    "forestall_drifted",
    "gauge",
    "plant",
    "Whether the index is beyond its threshold in the latest week and in most of the last ones.",
    ("of", "name"),
)
RECALL = Metric(
    "forestall_event_recall_ratio",
    "gauge",
    "plant",
    "Share of the failures of the outcome window that an alarm foresaw in time. Bound `settled`: of what is known; "
    "`at_least`, `at_most`: whatever replacements after alarms hid.",
    ("component", "bound"),
)
PRECISION = Metric(
    "forestall_alarm_precision_ratio",
    "gauge",
    "plant",
    "Share of the alarms of the outcome window that were right; bounds as of the recall.",
    ("component", "bound"),
)
FALSE_ALARMS = Metric(
    "forestall_false_alarms_per_machine_month",
    "gauge",
    "plant",
    "False alarms of the outcome window for each machine-month; bounds `settled` and `at_most`.",
    ("component", "bound"),
)
LEAD_TIME = Metric(
    "forestall_lead_time_seconds",
    "gauge",
    "plant",
    "From the alarm to the failure that it foresaw: the quantile of the outcome window's.",
    ("component", "quantile"),
)
COST = Metric(
    "forestall_cost_per_machine_month",
    "gauge",
    "plant",
    "What the breakdowns, replacements and inspections of the outcome window cost, in the plant's own prices.",
    ("component",),
)
OUTCOMES = Metric(
    "forestall_outcomes",
    "gauge",
    "plant",
    "Of the outcome window: failures `caught`, `missed` or `unforeseen`; alarms `right`, `false`, `undetermined` or "
    "`withdrawn`; `pending_alarms` and `pending_failures`, too young to be judged; `not_judged_failures`.",
    ("component", "outcome"),
)
EXPECTED_FAILURES = Metric(
    "forestall_expected_failures",
    "gauge",
    "plant",
    "Estimate: failures within the longest horizon from now on. Left out where calibration does not hold.",
    ("component",),
)
ESTIMATED_RECALL = Metric(
    "forestall_estimated_event_recall_ratio",
    "gauge",
    "plant",
    "Estimate before labels come: share of the last horizon's failures that alarms foresaw. Left out where calibration "
    "does not hold.",
    ("component",),
)
ESTIMATED_PRECISION = Metric(
    "forestall_estimated_alarm_precision_ratio",
    "gauge",
    "plant",
    "Estimate before labels come: share of the pending alarms that will be right. Left out where calibration does not "
    "hold.",
    ("component",),
)
CALIBRATION_P = Metric(
    "forestall_calibration_p_value",
    "gauge",
    "plant",
    "How likely as many failures as came are, by the risks that were given; of `decisions` and of `alarms`.",
    ("component", "of"),
)
CALIBRATION_REFUTED = Metric(
    "forestall_calibration_refuted",
    "gauge",
    "plant",
    "Whether more or fewer failures came than the risks let expect, beyond chance.",
    ("component",),
)
MEAN_RISK = Metric(
    "forestall_mean_risk_ratio",
    "gauge",
    "plant",
    "Mean risk over the longest horizon of the machines' components: of the latest period of a horizon (`after`), and "
    "of the one four horizons earlier (`before`).",
    ("period",),
)
RISK_CHANGE = Metric(
    "forestall_risk_change_ratio",
    "gauge",
    "plant",
    "What moved the mean risk between the two, by factor: `mix` of machines, `ages` of parts, `model`, and `data`, the "
    "rest. They add up to the difference.",
    ("factor",),
)
METRICS: tuple[Metric, ...] = tuple(one for one in list(globals().values()) if isinstance(one, Metric))
