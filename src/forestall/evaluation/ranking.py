"""Ranking of features and of yes-or-no signals by rows, to pick the few that are worth judging by events."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forestall.training.series import Bools

Matrix = npt.NDArray[np.float32]
ROWS = 10_000


def leading_features(features: Matrix, labels: Bools, count: int) -> list[list[tuple[int, int]]]:
    """For each label the features that rank it best: (column, 1 if high values do, -1 if low ones).

    Args:
        features: [rows, features]. labels: [rows, C].
    """
    rows = _sample(labels)
    labels = labels[rows]
    worth = np.zeros((labels.shape[1], 2, features.shape[1]))
    for column in range(features.shape[1]):
        values = features[rows, column]
        order = np.argsort(values, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(values[order])), len(order) - 1)
        below = np.cumsum(labels[order], axis=0)[ends]
        worth[:, 1, column] = _average_precision(below, ends + 1)
        above, size = (
            below[-1] - np.vstack([0 * below[:1], below[:-1]]),
            len(order) - np.append(0, ends[:-1] + 1),
        )
        worth[:, 0, column] = _average_precision(above[::-1], size[::-1])
    best = worth.max(axis=1)
    leading = np.argsort(-best, axis=1, kind="stable")[:, :count]
    return [
        [(int(column), 1 if worth[c, 0, column] >= worth[c, 1, column] else -1) for column in columns]
        for c, columns in enumerate(leading)
    ]


def f1(fired: Bools, label: Bools) -> float:
    """F1 of a yes-or-no signal by rows; 0 where it is not defined."""
    both = int((fired & label).sum())
    return 2 * both / max(int(fired.sum()) + int(label.sum()), 1)


def _sample(labels: Bools) -> npt.NDArray[np.int64]:
    """Rows with any label, and evenly spaced others, about `ROWS` of them."""
    positive = labels.any(axis=1)
    others = np.flatnonzero(~positive)
    step = max(len(others) // ROWS, 1)
    return np.sort(np.concatenate([np.flatnonzero(positive), others[::step]]))


def _average_precision(hits: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Average precision [C] of hits [cuts, C] in the first `sizes` rows: sum of precision x gain."""
    gain = np.diff(hits, axis=0, prepend=0)
    total = np.maximum(hits[-1], 1)
    result: npt.NDArray[np.float64] = (gain / total * (hits / sizes[:, None])).sum(axis=0)
    return result
