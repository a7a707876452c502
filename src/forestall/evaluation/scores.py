"""Scores: of events, by which alarms are judged, and of rows, by which probabilities are.

A score that is not defined (precision without alarms, lead time without catches) is left out; the counts
`failures` and `alarms` say why. Names and units are those of docs/reference/metrics.md.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss

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
ROW_SCORES = ("average_precision", "brier", "calibration_error")
BINS = 10
HOUR = 3600
Labels = npt.NDArray[np.int8]


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


def row_scores(labels: Labels, risk: npt.NDArray[np.floating]) -> dict[str, float]:
    """Scores of probabilities, each averaged over the components for which it is defined.

    Args:
        labels, risk: [N, C]; rows whose label is -1 for a component are left out of it.

    Returns:
        average_precision (components with both labels), brier and calibration_error; without undefined ones.
    """
    found: dict[str, list[float]] = {name: [] for name in ROW_SCORES}
    for column in range(labels.shape[1]):
        rows = labels[:, column] >= 0
        label, chance = labels[rows, column] == 1, risk[rows, column].astype(np.float64)
        if label.any() and not label.all():
            found["average_precision"].append(float(average_precision_score(label, chance)))
        if label.size:
            found["brier"].append(float(brier_score_loss(label, chance)))
            found["calibration_error"].append(calibration_error(label, chance))
    return {name: float(np.mean(values)) for name, values in found.items() if values}


def calibration_error(label: npt.NDArray[np.bool_], risk: Floats, bins: int = BINS) -> float:
    """Expected calibration error of probabilities [N]: mean |observed - predicted| over equal-count bins.

    Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015;
    with bins of equal count as in Nguyen, O'Connor, "Posterior Calibration and Exploratory Analysis for
    Natural Language Processing Models", EMNLP 2015: most risks are small, and bins of equal width would hold
    nearly all of them in one. Equal risks stay together in one bin.
    """
    table = reliability(label, risk, bins)
    gap = (table["observed"] - table["predicted"]).abs()
    return float((gap * table["rows"]).sum() / table["rows"].sum())


def reliability(label: npt.NDArray[np.bool_], risk: Floats, bins: int = BINS) -> pd.DataFrame:
    """predicted (mean risk), observed (share that failed) and rows of each bin of equal count."""
    number = np.searchsorted(bin_edges(risk, bins), risk, side="right")
    frame = pd.DataFrame({"bin": number, "predicted": risk, "observed": label.astype(np.float64)})
    grouped = frame.groupby("bin", sort=True).agg(
        predicted=("predicted", "mean"), observed=("observed", "mean"), rows=("observed", "size")
    )
    return grouped.reset_index(drop=True)


def bin_edges(risk: Floats, bins: int = BINS) -> Floats:
    """Between which risks the bins of equal count lie; equal risks share one, and have it alone if they fill it."""
    ordered = np.sort(risk)
    cuts = ordered[[len(ordered) * number // bins for number in range(1, bins)]]
    edges, times = np.unique(cuts, return_counts=True)
    after = np.searchsorted(ordered, edges[times > 1], side="right")
    return np.unique(np.append(edges, ordered[after[after < len(ordered)]]))
