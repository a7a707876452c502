"""Scores of events, by which alarms are judged.

A score that is not defined (precision without alarms, lead time without catches) is left out; the counts
`failures` and `alarms` say why. Names and units are those of docs/reference/metrics.md.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forestall.data.dataset import Costs
from forestall.evaluation.ledger import CAUGHT, MISSED, NAMED, WARNED, Counts, Spent, counts_by, ledger, spent
from forestall.evaluation.resampling import ratio
from forestall.training.alarms import FALSE, RIGHT, UNDETERMINED
from forestall.training.series import Floats, Rules, Series

LEADS = {"lead_time_median_h": 0.5, "lead_time_p10_h": 0.1}
EVENT_SCORES = (
    "event_recall",
    "alarm_precision",
    "false_alarms_per_machine_month",
    *LEADS,
    "right_component_rate",
    "cost_per_machine_month",
)
COUNTS = ("failures", "alarms", "undetermined")
HOUR = 3600


def score(
    series: Series,
    alarms: pd.DataFrame,
    rules: Rules,
    costs: Costs,
    machine_months: float,
    hour: float = HOUR,
) -> dict[str, float]:
    """Scores of a fold's alarms.

    Args:
        alarms: as `open_alarms` gives them.
        machine_months: what the fold covers.
        hour: ticks in the unit of lead times: an hour, or one unit of a counter.

    Returns:
        event_recall, alarm_precision, false_alarms_per_machine_month, lead_time_median_h, lead_time_p10_h,
        right_component_rate, cost_per_machine_month, failures, alarms, undetermined; without undefined ones.
    """
    return ledger_scores(ledger(series, alarms, rules), costs, machine_months, hour)


def ledger_scores(
    rows: pd.DataFrame, costs: Costs, machine_months: float, hour: float = HOUR
) -> dict[str, float]:
    """The scores of a ledger, as `score` gives them."""
    whole = np.zeros(len(rows), dtype=np.int64)
    found = event_scores(counts_by(rows, whole, 1), np.array([machine_months]), costs)
    lead = rows.loc[rows["kind"] == CAUGHT, "lead"].to_numpy(dtype=np.float64) / hour
    leads = {name: np.quantile(lead, [share]) for name, share in LEADS.items() if lead.size}
    figures = {name: (found | leads).get(name, np.array([np.nan]))[0] for name in EVENT_SCORES}
    counts = {name: int(found[name][0]) for name in COUNTS}
    return {name: float(value) for name, value in figures.items() if np.isfinite(value)} | counts


def event_scores(counts: Counts, months: Floats, costs: Costs) -> dict[str, Floats]:
    """Every figure that follows from counts and machine-months, of one shape; NaN where it is not defined."""
    failures = counts[CAUGHT] + counts[MISSED]
    judged = counts[RIGHT] + counts[FALSE]
    bill = spent(counts, costs.prevented)
    return {
        "event_recall": ratio(counts[CAUGHT], failures),
        "alarm_precision": ratio(counts[RIGHT], judged),
        "false_alarms_per_machine_month": ratio(counts[FALSE], months),
        "right_component_rate": ratio(counts[NAMED], counts[WARNED]),
        "failures": failures,
        "alarms": judged + counts[UNDETERMINED],
        "undetermined": counts[UNDETERMINED],
        **bill_scores(bill, months, costs),
    }


def bill_scores(bill: Spent, months: Floats, costs: Costs) -> dict[str, Floats]:
    """What is paid for, and its cost, by machine-month."""
    return {
        "cost_per_machine_month": ratio(bill.cost(costs), months),
        "breakdowns_per_machine_month": ratio(bill.breakdowns, months),
        "replacements_per_machine_month": ratio(bill.replacements, months),
        "inspections_per_machine_month": ratio(bill.inspections, months),
    }
