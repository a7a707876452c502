"""Trials: a model fitted, its thresholds chosen and its events judged, in memory, for studies that compare many."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forestall.evaluation.judge import Data, labels_of
from forestall.evaluation.row_scores import row_scores
from forestall.evaluation.scores import score
from forestall.features.columns import Feature
from forestall.features.labels import TRAIN, VALIDATION
from forestall.features.reference import Matrix
from forestall.training.alarms import open_alarms
from forestall.training.fit import Recipe, fit_model
from forestall.training.judging import machine_months, most_alarms
from forestall.training.series import risk_matrix
from forestall.training.thresholds import By, choose_thresholds

Scores = dict[str, float]
# Which groups of features are switched otherwise than params.yaml says; ages tell of the schedule, so both go together.
ABLATIONS: dict[str, dict[str, bool]] = {
    "everything": {},
    "no service schedule": {"schedule": False},
    "no errors": {"errors": False},
    "no telemetry": {"sensors": False, "levels": False, "gaps": False},
    "no replacement ages or schedule": {"replacements": False, "schedule": False},
    "sensor levels too": {"levels": True},
}


@dataclass(frozen=True)
class Setting:
    """When alarms open: what params.yaml says under `alarm`."""

    by: By
    budget: float
    per_week: float
    min_failures: int


def recipe_of(train: Any, alarm: Any, **changes: Any) -> Recipe:
    """The recipe in the sections `train` and `alarm`; `changes` name the family, its settings, negatives or seed."""
    family = changes.get("family", train.family)
    settings = getattr(train, family).model_dump()
    settings |= {name: changes.pop(name) for name in list(changes) if name in settings}
    fields = {"calibration": train.calibration, "negatives": train.negatives, "seed": train.seed}
    return Recipe(
        **{"family": family, "settings": settings, "min_failures": alarm.min_failures, **fields, **changes}
    )


def setting_of(alarm: Any) -> Setting:
    """The setting in the section `alarm`."""
    return Setting(alarm.by, alarm.budget, alarm.per_week, alarm.min_failures)


def risks(data: Data, recipe: Recipe) -> Matrix:
    """The risk [rows, components] of every decision, by a model fitted on the training fold."""
    dataset = data.dataset
    components, horizons = list(dataset.components), len(dataset.decisions.horizons)
    model = fit_model(data.decisions, data.features, data.names, components, horizons, recipe, lambda _: None)
    return model.risk(data.features)


def thresholds(data: Data, risk: Matrix, setting: Setting) -> dict[str, float]:
    """Each component's threshold, chosen on the validation fold."""
    rows, series = data.rows(VALIDATION), data.series(VALIDATION)
    decisions, dataset = data.decisions[rows], data.dataset
    return choose_thresholds(
        series,
        risk_matrix(series, decisions, risk[rows]),
        data.rules,
        dataset.costs,
        setting.by,
        most_alarms(setting.by, setting.budget, setting.per_week, decisions, dataset),
        setting.min_failures,
    )


def judged(data: Data, fold: str, risk: Matrix, levels: dict[str, float]) -> Scores:
    """A fold's scores, of events and of rows."""
    rows, dataset, series = data.rows(fold), data.dataset, data.series(fold)
    decisions = data.decisions[rows]
    alarms = open_alarms(series, risk_matrix(series, decisions, risk[rows]), levels, data.rules)
    months = machine_months(decisions, dataset)
    events = score(series, alarms, data.rules, dataset.costs, months, data.hour)
    return events | row_scores(labels_of(decisions, dataset), risk[rows])


def trial(data: Data, recipe: Recipe, setting: Setting, folds: Collection[str]) -> dict[str, Scores]:
    """The scores of some folds by a model of the recipe."""
    risk = risks(data, recipe)
    levels = thresholds(data, risk, setting)
    return {fold: judged(data, fold, risk, levels) for fold in folds}


def never(data: Data, fold: str) -> Scores:
    """The scores of never an alarm: the plant as run."""
    components = data.dataset.components
    risk = np.zeros((len(data.decisions), len(components)), dtype=np.float32)
    return judged(data, fold, risk, dict.fromkeys(components, 1.0))


def with_groups(data: Data, described: Collection[Feature], groups: Collection[str]) -> Data:
    """The data with the features of some groups only."""
    kept = [number for number, feature in enumerate(described) if feature.group in groups]
    return replace(data, features=data.features[:, kept], names=[data.names[number] for number in kept])


def with_shuffled_labels(data: Data, seed: int) -> Data:
    """The data with each component's labels shuffled within the training fold, where they are known."""
    decisions, rng = data.decisions.copy(), np.random.default_rng(seed)
    for component in data.dataset.components:
        label = decisions[f"label.{component}"].to_numpy().copy()
        known = np.flatnonzero(data.rows(TRAIN) & (label >= 0))
        label[known] = rng.permutation(label[known])
        decisions[f"label.{component}"] = label
    return replace(data, decisions=decisions)


def with_training_machines(data: Data, share: float, seed: int) -> Data:
    """The data with only a share of the machines in the training fold, drawn at random; other folds stay."""
    training = data.rows(TRAIN)
    machines = np.unique(data.decisions.loc[training, "machine"].to_numpy().astype(str))
    drawn = np.random.default_rng(seed).permutation(machines)[: max(round(share * len(machines)), 1)]
    left_out = training & ~data.decisions["machine"].isin(drawn).to_numpy()
    return replace(data, decisions=data.decisions.assign(fold=data.decisions["fold"].mask(left_out, "")))


def training_failures(data: Data) -> int:
    """How many failures the training fold's labels tell of."""
    rows = data.decisions[data.rows(TRAIN)]
    horizon, failures = data.dataset.ticks(data.dataset.decisions.horizon), data.events.failures
    count = 0
    for component in data.dataset.components:
        ahead = rows.loc[rows[f"label.{component}"] > 0, ["machine", "time"]]
        pairs = failures[failures["component"] == component].merge(ahead, on="machine", suffixes=("", "_at"))
        lead = pairs["time"] - pairs["time_at"]
        seen = pairs[(lead > 0) & (lead <= horizon)]
        count += len(seen.drop_duplicates(["machine", "time"]))
    return count
