"""The tables of figures: every policy's, their intervals and differences, and calibration by component and horizon."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import hour_of
from forestall.data.dataset import Dataset
from forestall.evaluation.lifetimes import Wear
from forestall.evaluation.policies import MODEL, RULE
from forestall.evaluation.resampling import interval
from forestall.evaluation.row_scores import ROW_SCORES, calibration_error
from forestall.evaluation.scores import COUNTS, EVENT_SCORES
from forestall.features.history import spans_of
from forestall.features.labels import within
from forestall.training.series import Bools, Floats

Figures = Mapping[str, Mapping[str, Floats]]  # policy -> name -> [1 + draws], the fleet itself first
BILL = ("breakdowns_per_machine_month", "replacements_per_machine_month", "inspections_per_machine_month")
HEADLINE = (*EVENT_SCORES, "failures", "alarms", *ROW_SCORES)
COLUMNS = (*HEADLINE, "undetermined", *BILL)
COST = "cost_per_machine_month"
CALIBRATION = [
    "component",
    "horizon",
    "rows",
    "failure_rate",
    "mean_risk",
    "brier",
    "brier_skill",
    "calibration_error",
]


def headline(figures: Figures) -> dict[str, float]:
    """The model's figures of a fold, flat; without undefined ones."""
    found = {name: float(figures[MODEL][name][0]) for name in HEADLINE if name in figures[MODEL]}
    return {
        name: int(value) if name in COUNTS else value for name, value in found.items() if np.isfinite(value)
    }


def policy_table(figures: Mapping[str, Figures]) -> pd.DataFrame:
    """One row a fold and policy; what a policy does not define is missing."""
    rows = [
        {"fold": fold, "policy": policy} | {name: float(values[0]) for name, values in found.items()}
        for fold, by_policy in figures.items()
        for policy, found in by_policy.items()
    ]
    table = pd.DataFrame(rows).reindex(columns=["fold", "policy", *COLUMNS])
    return table.astype(dict.fromkeys(COUNTS, "Int64"))


def interval_table(figures: Mapping[str, Figures]) -> pd.DataFrame:
    """fold, policy, metric, value, low, high; what has no interval is left out."""
    rows = []
    for fold, by_policy in figures.items():
        for policy, metric, values in _compared(by_policy):
            found = interval(values)
            if found is not None:
                rows.append((fold, policy, metric, *found))
    return pd.DataFrame(rows, columns=["fold", "policy", "metric", "value", "low", "high"])


def _compared(figures: Figures) -> list[tuple[str, str, Floats]]:
    """Figures with intervals: the alarms' own, every cost, and how the model differs, draw by draw."""
    own = [
        (policy, name, found[name])
        for policy, found in figures.items()
        for name in ((*EVENT_SCORES, *ROW_SCORES) if policy in (MODEL, RULE) else (COST,))
        if name in found
    ]
    model = figures[MODEL]
    differences = [
        (f"{MODEL} - {policy}", name, model[name] - found[name])
        for policy, found in figures.items()
        if policy != MODEL
        for name in (EVENT_SCORES if policy == RULE else (COST,))
    ]
    return own + differences


def wear_table(
    wear: Mapping[str, Wear], intervals: Mapping[str, float], day: float, unit: str
) -> pd.DataFrame:
    """How each component wears and at what age it is best replaced, in days or a counter's unit; empty for never."""
    rows = [
        {
            "component": name,
            "failures": one.failures,
            "shape": one.shape,
            "scale": one.scale / day,
            "interval": intervals[name] / day,
            "unit": unit,
        }
        for name, one in wear.items()
    ]
    return pd.DataFrame(rows).replace({np.inf: np.nan})


def calibration_table(
    labels: npt.NDArray[np.int8], curves: npt.NDArray[np.floating], dataset: Dataset
) -> pd.DataFrame:
    """One row a component and horizon with decisions of known outcome; columns as in `CALIBRATION`.

    horizon is in hours, or in the counter's unit. brier_skill is 1 - brier / (p (1 - p)), against always saying the
    fold's own rate p; missing without failures.

    Args:
        labels: [rows, components], within how many of the horizons each fails. curves: [rows, components, horizons].
    """
    hour, horizons = hour_of(dataset.clock.unit)[0], spans_of(dataset).horizons
    rows = []
    for column, component in enumerate(dataset.components):
        judged = labels[:, column] >= 0
        for place, horizon in enumerate(horizons if judged.any() else ()):
            label = within(labels[judged, column], len(horizons) - 1 - place) == 1
            found = _calibration(label, curves[judged, column, place].astype(np.float64))
            rows.append({"component": component, "horizon": horizon / hour, **found})
    return pd.DataFrame(rows, columns=CALIBRATION)


def _calibration(label: Bools, risk: Floats) -> dict[str, float]:
    rate, brier = float(label.mean()), float(((risk - label) ** 2).mean())
    return {
        "rows": len(label),
        "failure_rate": rate,
        "mean_risk": float(risk.mean()),
        "brier": brier,
        "brier_skill": 1 - brier / (rate * (1 - rate)) if 0 < rate < 1 else np.nan,
        "calibration_error": calibration_error(label, risk),
    }
