"""What became of alarms and failures, what may become of them, and why risks changed."""

from __future__ import annotations

from forestall.monitoring.dashboard.panel import YES_NO, Panel, Query, Row, good_from
from forestall.monitoring.dashboard.queries import value
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.api import model_metric_names as names

WEEKS = "4w"
WINDOW = f"Over the last {THRESHOLDS.outcome_horizons} longest horizons."
NONE_YET = "None in the outcome window yet"
WITHHELD = "Withheld: too few failures are known, or calibration does not hold"
BOUNDS = (
    f"{WINDOW} `settled`: of what is known. `at_least`, `at_most`: whatever replacements after alarms hid."
)


def outcome_rows() -> tuple[Row, ...]:
    """In the order in which they are asked."""
    return (
        Row("Outcomes since deployment", (*_right(), *_worth())),
        Row("Estimates before labels come: not outcomes", _estimates()),
        Row("Why the fleet's mean risk changed", _why()),
    )


def _right() -> tuple[Panel, ...]:
    return (
        Panel(
            "Event recall",
            f"Share of the failures that an alarm foresaw in time. {BOUNDS} If it falls: train again with "
            "the latest data.",
            (Query(value(names.RECALL, "component", "bound"), "{{component}} {{bound}}"),),
            "percentunit",
            since=WEEKS,
            none=NONE_YET,
        ),
        Panel(
            "Alarm precision",
            f"Share of the alarms that were right. {BOUNDS} If it falls, people find nothing: raise the "
            "threshold, or train again.",
            (Query(value(names.PRECISION, "component", "bound"), "{{component}} {{bound}}"),),
            "percentunit",
            since=WEEKS,
            none=NONE_YET,
        ),
        Panel(
            "False alarms for each machine-month",
            f"{WINDOW} What the fleet's people pay with; to compare with the budget that thresholds were "
            "chosen by.",
            (Query(value(names.FALSE_ALARMS, "component", "bound"), "{{component}} {{bound}}"),),
            "none",
            since=WEEKS,
            none=NONE_YET,
        ),
    )


def _worth() -> tuple[Panel, ...]:
    return (
        Panel(
            "Lead time",
            "From the alarm to the failure that it foresaw, by quantile. Shorter than a visit takes to plan "
            "is of no use.",
            (Query(value(names.LEAD_TIME, "component", "quantile"), "{{component}} {{quantile}}"),),
            "s",
            since=WEEKS,
            none=NONE_YET,
        ),
        Panel(
            "Cost for each machine-month",
            f"{WINDOW} Breakdowns, replacements and inspections, in the plant's own prices.",
            (Query(value(names.COST, "component"), "{{component}}"),),
            since=WEEKS,
            none=NONE_YET,
        ),
        Panel(
            "Outcomes, counted",
            "What the figures beside it are made of. `pending` ones are too young to be judged; few "
            "outcomes make loose figures.",
            (Query(value(names.OUTCOMES, "component", "outcome"), "count"),),
            look="table",
        ),
    )


def _estimates() -> tuple[Panel, ...]:
    kept = "An estimate from the model's own risks, not an outcome. Withheld where calibration does not hold."
    return (
        Panel(
            "Estimate: failures within the longest horizon",
            f"{kept} To plan parts and people with.",
            (Query(value(names.EXPECTED_FAILURES, "component"), "{{component}}"),),
            "none",
            since=WEEKS,
            none=WITHHELD,
        ),
        Panel(
            "Estimate: event recall",
            f"{kept} Of the failures of the last horizon, the share that alarms foresaw.",
            (Query(value(names.ESTIMATED_RECALL, "component"), "{{component}}"),),
            "percentunit",
            since=WEEKS,
            none=WITHHELD,
        ),
        Panel(
            "Estimate: alarm precision",
            f"{kept} Of the alarms whose outcome is pending, the share that will be right.",
            (Query(value(names.ESTIMATED_PRECISION, "component"), "{{component}}"),),
            "percentunit",
            since=WEEKS,
            none=WITHHELD,
        ),
        *_calibration(),
    )


def _calibration() -> tuple[Panel, ...]:
    alert = ("ForestallCalibrationRefuted",)
    return (
        Panel(
            "Whether estimates may be trusted",
            "How likely as many failures as came are, by the risks that were given: p-values of "
            "`decisions`, and of `alarms` at their opening. Below the line the risks are off.",
            (Query(value(names.CALIBRATION_P, "component", "of"), "{{component}}, {{of}}"),),
            "none",
            width=16,
            alerts=alert,
            steps=good_from(THRESHOLDS.calibration_level),
            since=WEEKS,
            log=True,
        ),
        Panel(
            "Calibration is refuted",
            "1: more or fewer failures came than the risks let expect, beyond chance. Estimates are "
            "withheld: look whether failures are reported at all, then train again.",
            (Query(value(names.CALIBRATION_REFUTED, "component"), "{{component}}"),),
            "none",
            look="stat",
            alerts=alert,
            steps=YES_NO,
        ),
    )


def _why() -> tuple[Panel, ...]:
    return (
        Panel(
            "Mean risk of the fleet",
            "Over the longest horizon: of the latest period of a horizon (`after`), and of the one "
            f"{THRESHOLDS.change_horizons} horizons earlier (`before`).",
            (Query(value(names.MEAN_RISK, "period"), "{{period}}"),),
            "percentunit",
            width=12,
            since=WEEKS,
        ),
        Panel(
            "What moved it",
            "`mix`: other machines. `ages`: parts grew older or were replaced. `model`: another version. "
            "`data`: what the readings say, the rest. They add up to the difference; "
            "`forestall explain-change --live` says more.",
            (Query(value(names.RISK_CHANGE, "factor"), "{{factor}}"),),
            "percentunit",
            width=12,
            since=WEEKS,
        ),
    )
