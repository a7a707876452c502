"""Scores by rows, for readers who look for accuracy, precision, recall and F1: never the headline.

By rows one failure counts as often as there are decisions before it, and always-off is nearly always right.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import classification_report

LABELS = {0: "no failure", 1: "failure"}


def row_report(
    labels: npt.NDArray[np.int8], risk: npt.NDArray[np.floating], thresholds: dict[str, float]
) -> pd.DataFrame:
    """scikit-learn's classification report of each component.

    Args:
        labels: [N, C], -1 where the machine lacks the component. risk: [N, C].
        thresholds: by component, in the order of the columns.

    Returns:
        component, label, precision, recall, f1, accuracy, rows; undefined values are NaN.
    """
    tables = [
        _report(component, labels[:, column], risk[:, column].astype(np.float32) >= np.float32(threshold))
        for column, (component, threshold) in enumerate(thresholds.items())
    ]
    return pd.concat(tables, ignore_index=True)


def _report(component: str, label: npt.NDArray[np.int8], high: npt.NDArray[np.bool_]) -> pd.DataFrame:
    judged = label >= 0
    truth, said = label[judged] == 1, high[judged]
    accuracy = float((truth == said).mean()) if truth.size else np.nan
    found = classification_report(
        truth,
        said,
        labels=[False, True],
        target_names=list(LABELS.values()),
        output_dict=True,
        zero_division=np.nan,
    )
    rows = [
        {
            "component": component,
            "label": name,
            "precision": found[name]["precision"],
            "recall": found[name]["recall"],
            "f1": found[name]["f1-score"],
            "accuracy": accuracy,
            "rows": int(found[name]["support"]),
        }
        for name in LABELS.values()
    ]
    return pd.DataFrame(rows)
