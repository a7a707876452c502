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
from forestall.training.alarms import FALSE, RIGHT, UNDETERMINED, foreseeable
from forestall.training.costs import event_cost, per_machine_month
from forestall.training.series import Floats, Rules, Series

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
    failures = counted_failures(series, rules)
    first = caught_failures(alarms, rules)
    kinds = {kind: int((alarms["outcome"] == kind).sum()) for kind in (RIGHT, FALSE, UNDETERMINED)}
    lead = first["lead"].to_numpy(dtype=np.float64) / hour
    inspections = float(kinds[FALSE] + kinds[UNDETERMINED])
    cost = event_cost(float(len(first)), float(len(failures) - len(first)), inspections, costs)
    return {
        **_ratio("event_recall", len(first), len(failures)),
        **_ratio("alarm_precision", kinds[RIGHT], kinds[RIGHT] + kinds[FALSE]),
        **_ratio("false_alarms_per_machine_month", kinds[FALSE], machine_months),
        **({"lead_time_median_h": float(np.median(lead))} if lead.size else {}),
        **({"lead_time_p10_h": float(np.quantile(lead, 0.1))} if lead.size else {}),
        **right_component_rate(failures, alarms, rules),
        **({"cost_per_machine_month": per_machine_month(cost, machine_months)} if machine_months else {}),
        "failures": len(failures),
        "alarms": len(alarms),
        "undetermined": kinds[UNDETERMINED],
    }


def counted_failures(series: Series, rules: Rules) -> pd.DataFrame:
    """machine, component, time of every failure that could have been foreseen."""
    counted = foreseeable(series, rules)
    times = [failures[counts] for failures, counts in zip(series.failures, counted, strict=True)]
    lengths = [len(one) for one in times]
    return pd.DataFrame(
        {
            "machine": np.repeat(series.machine, lengths),
            "component": np.repeat(series.component, lengths),
            "time": np.concatenate([np.empty(0, np.int64), *times]),
        }
    )


def caught_failures(alarms: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """One row a caught failure: the first right alarm that opened in time, with its lead."""
    right = alarms[(alarms["outcome"] == RIGHT) & (alarms["lead"] >= rules.min_lead)]
    ordered = right.sort_values(["machine", "component", "failure", "opened"], kind="stable")
    return ordered.drop_duplicates(["machine", "component", "failure"])


def right_component_rate(failures: pd.DataFrame, alarms: pd.DataFrame, rules: Rules) -> dict[str, float]:
    """Of the failures before which the machine had an alarm, the share in which one named the failed part.

    An alarm counts that opened in [failure - horizon, failure - min_lead] for any component of the machine
    and had not closed before failure - min_lead; one that is right for this failure counts even if it had.
    """
    pairs = failures.merge(alarms, on="machine", suffixes=("", "_alarm"))
    early = pairs["time"] - pairs["opened"]
    latest = pairs["time"] - rules.min_lead
    in_time = (early <= rules.horizon) & (pairs["opened"] <= latest)
    right = (pairs["component"] == pairs["component_alarm"]) & (pairs["failure"] == pairs["time"])
    still_open = (pairs["closed"] < 0) | (pairs["closed"] >= latest)
    warned = pairs[in_time & (right | still_open)].assign(right=right)
    by_failure = warned.groupby(["machine", "component", "time"], sort=True)["right"].any()
    return _ratio("right_component_rate", int(by_failure.sum()), len(by_failure))


def row_scores(
    labels: Labels, risk: npt.NDArray[np.floating], applicable: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """Scores of probabilities, each averaged over the components for which it is defined.

    Args:
        labels, risk, applicable: [N, C]; rows that are not applicable to a component are left out of it.

    Returns:
        average_precision (components with both labels), brier and calibration_error; without undefined ones.
    """
    found: dict[str, list[float]] = {"average_precision": [], "brier": [], "calibration_error": []}
    for column in range(labels.shape[1]):
        rows = applicable[:, column]
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
    ordered = np.sort(risk)
    edges = np.unique(ordered[[len(ordered) * number // bins for number in range(1, bins)]])
    number = np.searchsorted(edges, risk, side="right")
    frame = pd.DataFrame({"bin": number, "predicted": risk, "observed": label.astype(np.float64)})
    grouped = frame.groupby("bin", sort=True).agg(
        predicted=("predicted", "mean"), observed=("observed", "mean"), rows=("observed", "size")
    )
    return grouped.reset_index(drop=True)


def _ratio(name: str, part: float, whole: float) -> dict[str, float]:
    return {name: part / whole} if whole else {}
