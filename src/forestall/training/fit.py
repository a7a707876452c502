"""Fitting: one classifier a component on the training fold, calibrated on the validation fold.

Its classes are the numbers of horizons within which the component fails (see `features.labels`), so that one fit
gives the risk over every horizon.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.features.labels import TRAIN, VALIDATION, within
from forestall.training.calibration import Calibration, fit_calibration
from forestall.training.families import Family, Settings, classifier, fitted, normalised

Matrix = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int8]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """How a model is fitted.

    settings: the family's own params. negatives: how many training rows without a failure are drawn, at most.
    min_failures: with fewer failures in the validation fold a component shares the pooled calibration.
    """

    family: Family
    settings: Settings
    calibration: Literal["sigmoid", "beta"]
    negatives: int
    min_failures: int
    seed: int


@dataclass
class FittedModel:
    """A classifier, its calibrations by horizon and its alarm threshold for each component, in the dataset's order."""

    family: str
    features: list[str]
    estimators: dict[str, Any]
    calibrations: dict[str, list[Calibration]]
    thresholds: dict[str, float] = field(default_factory=dict)

    def curves(self, features: Matrix) -> Matrix:
        """Calibrated probabilities [rows, components, horizons] of feature rows; they never fall with the horizon."""
        every = [self._curve(component, features) for component in self.estimators]
        return np.stack(every, axis=1).astype(np.float32)

    def risk(self, features: Matrix) -> Matrix:
        """Calibrated probabilities over the longest horizon, [rows, components]."""
        return self.curves(features)[:, :, -1]

    def _curve(self, component: str, features: Matrix) -> Scores:
        maps = self.calibrations[component]
        scores = horizon_scores(self.estimators[component], features, len(maps))
        columns = [calibration(scores[:, number]) for number, calibration in enumerate(maps)]
        return np.maximum.accumulate(np.column_stack(columns), axis=1)


def horizon_scores(estimator: Any, features: Matrix, horizons: int) -> Scores:
    """The classifier's own probabilities of failure within each horizon, the shortest first, [rows, horizons]."""
    return np.asarray(estimator.predict_proba(features) @ in_horizons(estimator.classes_, horizons))


def in_horizons(classes: npt.NDArray[np.integer[Any]], horizons: int) -> Scores:
    """Which classes mean a failure within which horizon, 0 or 1, [classes, horizons]."""
    least = np.arange(horizons, 0, -1)
    return (np.asarray(classes)[:, None] >= least[None]).astype(np.float64)


def fit_model(
    decisions: pd.DataFrame,
    features: Matrix,
    names: list[str],
    components: list[str],
    horizons: int,
    recipe: Recipe,
    progress: Callable[[str], None],
) -> FittedModel:
    """Fit and calibrate every component.

    Args:
        decisions: fold and label.<component>, one row for each row of `features`, which `names` names.
        horizons: how many there are.
    """
    train, validation = (decisions["fold"].to_numpy() == fold for fold in (TRAIN, VALIDATION))
    estimators, scores, labels, failures = {}, {}, {}, {}
    machine = decisions["machine"].to_numpy()
    for number, component in enumerate(components):
        progress(f"{component} ({number + 1} of {len(components)})")
        label = decisions[f"label.{component}"].to_numpy()
        rows = training_rows(label, train, recipe.negatives, recipe.seed + number)
        unfitted = classifier(recipe.family, recipe.settings, recipe.seed)
        estimators[component] = normalised(fitted(unfitted, features[rows], label[rows]))
        judged = np.flatnonzero(validation & (label >= 0))
        scores[component] = horizon_scores(estimators[component], features[judged], horizons)
        labels[component] = label[judged]
        failures[component] = failures_in(label[judged] > 0, machine[judged])
    enough = {component for component, count in failures.items() if count >= recipe.min_failures}
    calibrations = _calibrations(scores, labels, horizons, enough, recipe.calibration)
    return FittedModel(recipe.family, names, estimators, calibrations)


def training_rows(
    label: Labels, train: npt.NDArray[np.bool_], negatives: int, seed: int
) -> npt.NDArray[np.int64]:
    """All training rows with a failure and at most `negatives` drawn from those without, in order."""
    positive = np.flatnonzero(train & (label > 0))
    negative = np.flatnonzero(train & (label == 0))
    if len(negative) > negatives:
        negative = np.random.default_rng(seed).choice(negative, negatives, replace=False)
    return np.sort(np.concatenate([positive, negative]))


def failures_in(positive: npt.NDArray[np.bool_], machine: npt.NDArray[np.object_]) -> int:
    """How many failures decisions were followed by: runs of positive ones, machine by machine in order of time."""
    before = np.append(False, positive[:-1]) & np.append(False, machine[1:] == machine[:-1])
    return int((positive & ~before).sum())


def _calibrations(
    scores: dict[str, Scores],
    labels: dict[str, Labels],
    horizons: int,
    enough: set[str],
    kind: Literal["sigmoid", "beta"],
) -> dict[str, list[Calibration]]:
    """By component one for each horizon, the shortest first; those without `enough` failures share one."""
    found: dict[str, list[Calibration]] = {component: [] for component in scores}
    for number in range(horizons):
        judged = {c: (scores[c][:, number], within(labels[c], horizons - 1 - number)) for c in scores}
        scored, failed = (np.concatenate(parts) for parts in zip(*judged.values(), strict=True))
        pooled = fit_calibration(scored, failed, kind)
        for component, (score, label) in judged.items():
            found[component].append(fit_calibration(score, label, kind) if component in enough else pooled)
    return found
