"""Fitting: one classifier a component on the training fold, calibrated on the validation fold."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.features.labels import TRAIN, VALIDATION
from forestall.training.calibration import Calibration, fit_calibration
from forestall.training.families import Family, Settings, classifier, normalised

Matrix = npt.NDArray[np.float32]


@dataclass
class FittedModel:
    """A classifier, its calibration and its alarm threshold for each component, in the dataset file's order."""

    family: str
    features: list[str]
    estimators: dict[str, Any]
    calibrations: dict[str, Calibration]
    thresholds: dict[str, float] = field(default_factory=dict)

    def risk(self, features: Matrix) -> Matrix:
        """Calibrated probabilities [rows, components] of feature rows [rows, features]."""
        columns = [self.calibrations[c](score(self.estimators[c], features)) for c in self.estimators]
        return np.column_stack(columns).astype(np.float32)


def score(estimator: Any, features: Matrix) -> npt.NDArray[np.float64]:
    """The classifier's own probability of failure, [rows]."""
    result: npt.NDArray[np.float64] = estimator.predict_proba(features)[:, 1]
    return result


def fit_model(
    decisions: pd.DataFrame,
    features: Matrix,
    names: list[str],
    components: list[str],
    family: Family,
    settings: Settings,
    calibration: Literal["sigmoid", "beta"],
    negatives: int,
    min_failures: int,
    seed: int,
    progress: Callable[[str], None],
) -> FittedModel:
    """Fit and calibrate every component.

    Args:
        decisions: fold and label.<component>, one row for each row of `features`.
        negatives: how many training rows without a failure are drawn, at most.
        min_failures: with fewer positive validation rows a component shares the pooled calibration.
    """
    train, validation = (decisions["fold"].to_numpy() == fold for fold in (TRAIN, VALIDATION))
    estimators, scores, labels = {}, {}, {}
    for number, component in enumerate(components):
        progress(f"{component} ({number + 1} of {len(components)})")
        label = decisions[f"label.{component}"].to_numpy()
        rows = training_rows(label, train, negatives, seed + number)
        fitted = classifier(family, settings, seed).fit(features[rows], label[rows])
        estimators[component] = normalised(fitted)
        judged = np.flatnonzero(validation & (label >= 0))
        scores[component], labels[component] = score(fitted, features[judged]), label[judged]
    return FittedModel(family, names, estimators, _calibrations(scores, labels, calibration, min_failures))


def training_rows(
    label: npt.NDArray[np.int8], train: npt.NDArray[np.bool_], negatives: int, seed: int
) -> npt.NDArray[np.int64]:
    """All training rows with a failure and at most `negatives` drawn from those without, in order."""
    positive = np.flatnonzero(train & (label == 1))
    negative = np.flatnonzero(train & (label == 0))
    if len(negative) > negatives:
        negative = np.random.default_rng(seed).choice(negative, negatives, replace=False)
    return np.sort(np.concatenate([positive, negative]))


def _calibrations(
    scores: dict[str, Any], labels: dict[str, Any], kind: Literal["sigmoid", "beta"], min_positives: int
) -> dict[str, Calibration]:
    together = np.concatenate(list(scores.values())), np.concatenate(list(labels.values()))
    if together[1].size == 0:
        return {component: Calibration(1.0, 1.0, 0.0) for component in scores}
    pooled = fit_calibration(*together, kind)
    return {
        component: fit_calibration(scores[component], labels[component], kind)
        if (labels[component] == 1).sum() >= min_positives
        else pooled
        for component in scores
    }
