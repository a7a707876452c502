"""Scores of rows, by which probabilities are judged. Names are those of docs/reference/metrics.md."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss

from forestall.training.series import Floats

ROW_SCORES = ("average_precision", "brier", "calibration_error")
BINS = 10
Labels = npt.NDArray[np.int8]


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
