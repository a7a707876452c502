"""Early warning with few failures: each threshold's precision and lead time, over rolling origins joined to one series.

With so few failures none can be spared for calibration or thresholds: the classifiers' own scores are judged, at
every threshold, one for all components. What is compared is the whole curve, and on it the precision at which
every failure is still caught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import hour_of
from forestall.evaluation.judge import Data
from forestall.evaluation.ledger import caught_failures
from forestall.evaluation.signals import NO_EFFECT, ranks_among
from forestall.features.columns import Feature
from forestall.features.labels import NO_FOLD, OPINION, TEST, TRAIN
from forestall.features.reference import Matrix
from forestall.training.alarms import open_alarms, outcomes_by_series
from forestall.training.families import classifier
from forestall.training.fit import Recipe, horizon_scores, training_rows
from forestall.training.judging import machine_months, rules_of
from forestall.training.series import Floats, risk_matrix

LEVELS, DRAWS, SEED = 200, 2000, 0
Choice = Callable[[Feature], bool]


@dataclass(frozen=True)
class Contender:
    """Which features a model sees, and how it is fitted.

    top: with it only so many for each component, those that tell its training failures apart best, each by itself.
    """

    name: str
    sees: Choice
    recipe: Recipe
    top: int | None = None


@dataclass(frozen=True)
class Window:
    """What an origin knows, and the decisions it judges: those after `start`, up to its end."""

    data: Data
    described: tuple[Feature, ...]
    start: int


def judged_scores(windows: Iterator[Window], contenders: list[Contender]) -> tuple[Data, dict[str, Matrix]]:
    """All windows' judged decisions as one fold, and each contender's scores [rows, components] there."""
    frames, scores = [], dict[str, list[Matrix]]()
    last: Data | None = None
    for window in windows:
        last, known = window.data, window.data.decisions
        inside = ((known["time"] > window.start) & (known["no_opinion"] == OPINION)).to_numpy()
        frames.append(known[inside])
        for contender in contenders:
            own = _scores(window, contender, inside)
            scores.setdefault(contender.name, []).append(own)
    assert last is not None
    return _as_one(last, frames), {name: np.concatenate(parts) for name, parts in scores.items()}


def _as_one(last: Data, frames: list[pd.DataFrame]) -> Data:
    """The judged decisions of all windows, with the last one's events; those whose horizon is not over in no fold."""
    decisions = pd.concat(frames, ignore_index=True)
    dataset = last.dataset
    over = decisions["time"] + dataset.ticks(dataset.decisions.horizon) <= max(last.last.values())
    decisions["fold"] = np.where(over, TEST, NO_FOLD)
    return Data(
        decisions, np.empty((len(decisions), 0), np.float32), [], last.events, dataset, last.last, last.quiet
    )


def _scores(window: Window, contender: Contender, inside: npt.NDArray[np.bool_]) -> Matrix:
    data, recipe, dataset = window.data, contender.recipe, window.data.dataset
    kept = [number for number, feature in enumerate(window.described) if contender.sees(feature)]
    values, columns = data.features[:, kept], []
    for number, component in enumerate(dataset.components):
        label = data.decisions[f"label.{component}"].to_numpy()
        rows = training_rows(label, data.rows(TRAIN), recipe.negatives, recipe.seed + number)
        seen = slice(None) if contender.top is None else _telling(values[rows], label[rows], contender.top)
        fitted = classifier(recipe.family, recipe.settings, recipe.seed).fit(
            values[rows][:, seen], label[rows]
        )
        columns.append(
            horizon_scores(fitted, values[inside][:, seen], len(dataset.decisions.horizons))[:, -1]
        )
    return np.column_stack(columns).astype(np.float32)


def _telling(values: Matrix, label: npt.NDArray[np.int8], top: int) -> npt.NDArray[np.int64]:
    """The features whose values with a failure ahead are farthest from the others', by rank."""
    ahead = label > 0
    effect = np.abs(ranks_among(values[ahead], values[~ahead]).mean(axis=0) - NO_EFFECT)
    return np.sort(np.argsort(-effect, kind="stable")[:top])


@dataclass(frozen=True)
class Curve:
    """points: threshold, caught, failures, precision, lead_time_median_h, false_alarms_per_machine_month; rising
    thresholds. right, false: by machine, [machines, thresholds].
    """

    points: pd.DataFrame
    right: Floats
    false: Floats


def curve(data: Data, scores: Matrix) -> Curve:
    """What each of many thresholds does."""
    rows, dataset, hour = data.rows(TEST), data.dataset, hour_of(data.dataset.clock.unit)[0]
    decisions, series, rules = data.decisions[rows], data.series(TEST), rules_of(dataset, data.quiet)
    grid = risk_matrix(series, decisions, scores[rows])
    levels = np.unique(
        np.quantile(grid[series.present], 1 - np.geomspace(5e-4, 0.5, LEVELS)).round(4)
    ).astype(np.float64)
    found, months = outcomes_by_series(series, grid, levels, rules), machine_months(decisions, dataset)
    total, machines = found.over(), np.unique(series.machine.astype(str))
    owner = np.searchsorted(machines, series.machine.astype(str))
    right, false = (np.zeros((len(machines), len(levels))) for _ in range(2))
    np.add.at(right, owner, found.right)
    np.add.at(false, owner, found.false)
    leads = [
        caught_failures(open_alarms(series, grid, level, rules), rules)["lead"].median() for level in levels
    ]
    columns = {"threshold": levels, "caught": total.caught, "failures": total.failures}
    columns |= {"precision": total.right / np.maximum(total.right + total.false, 1)}
    columns |= {"lead_time_median_h": np.array(leads) / hour}
    columns |= {"false_alarms_per_machine_month": total.false / months}
    return Curve(pd.DataFrame(columns), right, false)


def best_with_all_caught(points: pd.DataFrame, least_lead: float) -> int | None:
    """The point of the best precision at which every failure is caught, by a median lead time of so much at least."""
    fit = points[(points["caught"] == points["failures"]) & (points["lead_time_median_h"] >= least_lead)]
    return None if fit.empty else int(fit.index.to_numpy()[fit["precision"].to_numpy().argmax()])


def precision_interval(one: Curve, at: int) -> tuple[float, float]:
    """95 % interval of a point's precision, from draws of machines."""
    low, high = np.nanpercentile(_drawn(one, at), [2.5, 97.5])
    return float(low), float(high)


def difference_interval(one: Curve, at: int, other: Curve, there: int) -> tuple[float, float]:
    """95 % interval of the difference of two points' precisions, from the same draws of machines."""
    low, high = np.nanpercentile(_drawn(one, at) - _drawn(other, there), [2.5, 97.5])
    return float(low), float(high)


def _drawn(one: Curve, at: int) -> Floats:
    machines = len(one.right)
    weights = np.random.default_rng(SEED).multinomial(machines, np.full(machines, 1 / machines), DRAWS)
    right, false = weights @ one.right[:, at], weights @ one.false[:, at]
    return np.asarray(np.divide(right, right + false, out=np.full(DRAWS, np.nan), where=right + false > 0))


def plain(feature: Feature) -> bool:
    """What a plain forest sees: rolling means, error counts, ages."""
    means = feature.group == "levels" and ".mean." in feature.name
    counts = feature.group == "errors" and ".count." in feature.name
    return means or counts or feature.group in ("replacements", "machine")


def all_caught(curves: Mapping[str, Curve], base: str, least_leads: Sequence[float]) -> pd.DataFrame:
    """By model and least median lead: the best precision with every failure caught, and how much better than `base`.

    Columns: model, least_lead_h, precision, low, high, gain, gain_low, gain_high and the rest of the point; a model
    that catches all only at shorter leads has none.
    """
    rows = []
    for least in least_leads:
        there = best_with_all_caught(curves[base].points, least)
        for name, one in curves.items():
            at = best_with_all_caught(one.points, least)
            row: dict[str, Any] = {"model": name, "least_lead_h": least}
            if at is not None:
                low, high = precision_interval(one, at)
                row |= {"precision": one.points["precision"][at], "low": low, "high": high}
                if there is not None and name != base:
                    gain = one.points["precision"][at] - curves[base].points["precision"][there]
                    below, above = difference_interval(one, at, curves[base], there)
                    row |= {"gain": gain, "gain_low": below, "gain_high": above}
                row |= {str(k): v for k, v in one.points.loc[at].drop("precision").items()}
            rows.append(row)
    return pd.DataFrame(rows)
