"""What each feature can do by itself, to find one that knows the answer.

A feature that ranks a component's rows nearly as the labels do did not get there by foresight: it was recorded after
the fact, or it is the calendar of a simulator.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score

from forestall.evaluation.signals import ranks_among
from forestall.features.reference import Matrix

# Beyond either, a single feature knows the answer. Nothing that was ever measured honestly here comes near.
MOST_AUC, MOST_PRECISION = 0.99, 0.8
HEALTHY_ROWS = 10_000


def single_features(
    features: Matrix, names: Sequence[str], labels: npt.NDArray[np.int8], components: Sequence[str]
) -> pd.DataFrame:
    """component, feature, auc, average_precision, knows_the_answer: each feature in its better direction, best first.

    Args:
        features: [rows, F]. labels: [rows, C], 1 before a failure, 0 if not, negative if not known. Of rows without a
            failure at most `HEALTHY_ROWS`, evenly spaced, are ranked; average precision is that of all rows.
    """
    parts = []
    for number, component in enumerate(components):
        ahead, healthy = (np.flatnonzero(labels[:, number] == one) for one in (1, 0))
        if not len(ahead) or not len(healthy):
            continue
        spaced = healthy[:: -(-len(healthy) // HEALTHY_ROWS)]
        auc = ranks_among(features[ahead], features[spaced]).mean(axis=0)
        weight = np.repeat([1.0, len(healthy) / len(spaced)], [len(ahead), len(spaced)])
        rows, truth = np.concatenate([ahead, spaced]), np.repeat([1, 0], [len(ahead), len(spaced)])
        sides = np.where(auc >= 0.5, 1, -1)
        precision = [
            average_precision_score(truth, sides[column] * features[rows, column], sample_weight=weight)
            for column in range(features.shape[1])
        ]
        columns = {"auc": np.maximum(auc, 1 - auc), "average_precision": precision}
        parts.append(pd.DataFrame({"component": component, "feature": list(names), **columns}))
    table = pd.concat(parts, ignore_index=True) if parts else _nothing()
    table["knows_the_answer"] = (table["auc"] > MOST_AUC) | (table["average_precision"] > MOST_PRECISION)
    return table.sort_values("average_precision", ascending=False, kind="stable", ignore_index=True)


def _nothing() -> pd.DataFrame:
    return pd.DataFrame({"component": [], "feature": [], "auc": [], "average_precision": []})
