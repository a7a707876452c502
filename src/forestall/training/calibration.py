"""Scores to probabilities by a continuous, rising map, fitted on the validation fold.

Beta calibration (Kull, Silva Filho, Flach 2017): p = 1 / (1 + exp(-(a ln s - b ln(1 - s) + c))), a, b >= 0.
Sigmoid calibration (Platt 1999, on the logit) is the same with a = b.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

Floats = npt.NDArray[np.float64]
CLIP = 1e-4  # scores of 0 and 1 have no logarithm
WEAK = 10.0  # inverse strength of a ridge that keeps the slope finite where a fold is separable


@dataclass(frozen=True)
class Calibration:
    """The map's three numbers."""

    a: float
    b: float
    c: float

    def __call__(self, score: Floats) -> Floats:
        """Probabilities of scores in [0, 1]."""
        s = np.clip(score, CLIP, 1 - CLIP)
        return 1 / (1 + np.exp(-(self.a * np.log(s) - self.b * np.log1p(-s) + self.c)))


def fit_calibration(
    score: Floats, label: npt.NDArray[np.int8], kind: Literal["sigmoid", "beta"]
) -> Calibration:
    """The calibration of scores [rows] against labels [rows] of 0 and 1.

    Without both labels nothing can be fitted: then the scores stay as they are.
    """
    if not label.size or label.min() == label.max():
        return Calibration(1.0, 1.0, 0.0)
    s = np.clip(score, CLIP, 1 - CLIP)
    log, log_rest = np.log(s), -np.log1p(-s)
    if kind == "sigmoid":
        slope, intercept = _logistic((log + log_rest)[:, None], label)
        a = max(float(slope[0]), 0.0)
        return Calibration(a, a, intercept if a > 0 else _logit(label.mean()))
    slope, intercept = _logistic(np.column_stack([log, log_rest]), label)
    if slope.min() < 0:
        kept = int(slope.argmax())
        only, intercept = _logistic(np.column_stack([log, log_rest])[:, [kept]], label)
        slope = np.where(np.arange(2) == kept, max(float(only[0]), 0.0), 0.0)
    if slope.max() <= 0:
        intercept = _logit(label.mean())
    return Calibration(float(slope[0]), float(slope[1]), intercept)


def _logistic(x: Floats, label: npt.NDArray[np.int8]) -> tuple[Floats, float]:
    model = LogisticRegression(C=WEAK, max_iter=1000, tol=1e-8).fit(x, label)
    return model.coef_[0], float(model.intercept_[0])


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))
