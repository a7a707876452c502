"""Early warning: thresholds counted by hand, intervals from the same draws, and windows joined to one fold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.evaluation import early
from forestall.evaluation.early import Curve
from forestall.evaluation.judge import Data
from forestall.features.labels import NO_FOLD, OPINION, TEST, VALIDATION, fold_ends
from forestall.features.origins import features_at
from forestall.training.fit import Recipe
from tests import plant
from tests.plant import DAY, START

from . import small
from .small import Times

FAILURES: Times = [("m0", 33.05, "pump"), ("m1", 34.05, "pump"), ("m2", 35.05, "seal")]
# Each 0.55 days before its failure, the last at a lower score than an alarm for nothing.
HIGH: Times = [("m0", 32.5, "pump"), ("m1", 33.5, "pump"), ("m2", 34.5, "seal"), ("m1", 36.5, "seal")]
SCORES = (0.9, 0.9, 0.6, 0.7)
LEAD = 0.55 * 24


def scored(times: Times, scores: tuple[float, ...]) -> Curve:
    whole = small.data(FAILURES)
    found = np.full((len(whole.decisions), 2), 0.1, np.float32)
    for (machine, days, component), score in zip(times, scores, strict=True):
        at = (whole.decisions["machine"] == machine) & (whole.decisions["time"] == START + round(days * DAY))
        found[at.to_numpy(), ["pump", "seal"].index(component)] = score
    return early.curve(whole, found)


@pytest.fixture(scope="module")
def curve() -> Curve:
    return scored(HIGH, SCORES)


def test_a_threshold_that_catches_all_pays_with_the_alarms_above_it(curve: Curve) -> None:
    points = curve.points
    assert (points["failures"] == 3).all()
    strict = points[points["threshold"] > 0.75]
    assert (strict["caught"] == 2).all()
    assert (strict["precision"] == 1).all()
    place = early.best_with_all_caught(points, least_lead=LEAD - 0.1)
    assert place is not None
    best = points.loc[place]
    assert 0.1 < best["threshold"] <= 0.6
    assert (best["caught"], best["precision"]) == (3, 0.75)
    assert best["lead_time_median_h"] == pytest.approx(LEAD)
    assert curve.right[:, place].tolist() == [1, 1, 1]
    assert curve.false[:, place].tolist() == [0, 1, 0]


def test_alarms_that_come_later_than_asked_for_do_not_count(curve: Curve) -> None:
    far = early.best_with_all_caught(curve.points, least_lead=LEAD + 12)
    assert far is None


def test_an_interval_is_of_machines_and_a_difference_of_the_same_ones(curve: Curve) -> None:
    place = early.best_with_all_caught(curve.points, 0.0)
    assert place is not None
    # Only m1 has a false alarm: half of its alarms are right, all of the others'.
    assert early.precision_interval(curve, place) == (0.5, 1.0)
    assert early.difference_interval(curve, place, curve, place) == (0.0, 0.0)


def test_the_table_says_how_much_better_than_the_base_a_model_is(curve: Curve) -> None:
    curves = {"base": curve, "right": scored(HIGH[:3], SCORES[:3]), "blind": scored(HIGH[:2], SCORES[:2])}
    # At the lowest score every decision is an alarm, and all failures are caught.
    telling = {
        name: replace(one, points=one.points[one.points["threshold"] > 0.1]) for name, one in curves.items()
    }
    table = early.all_caught(telling, "base", [0.0]).set_index("model")
    assert table.loc["right", "gain"] == pytest.approx(0.25)
    assert table.loc["right", "gain_low"] == 0.0
    assert table.loc["right", "gain_high"] == 0.5
    assert table["gain"].isna().tolist() == [True, False, True]
    assert table["precision"].isna().tolist() == [False, False, True]


def test_windows_are_judged_after_their_start_and_only_where_the_horizon_is_over() -> None:
    dataset, some = plant.dataset(), plant.events(machines=12, seed=3)
    frame = plant.with_signal(plant.clean_telemetry(machines=12), some)
    last = {str(machine): int(time) for machine, time in frame.groupby("machine")["time"].max().items()}
    end = max(last.values())
    reference, decisions, features = features_at(
        lambda: iter([frame]), some, dataset, ("sensors", "errors"), 3, end
    )
    names, start = [feature.name for feature in reference.features], fold_ends(end, dataset)[VALIDATION]
    data = Data(decisions, features, names, some, dataset, last, 2)
    recipe = Recipe("decision_tree", {"depth": 4, "min_leaf": 5}, "sigmoid", 1500, 3, 1)
    contenders = [
        early.Contender("all", lambda _: True, recipe),
        early.Contender("errors", lambda feature: feature.group == "errors", recipe, top=1),
    ]
    windows = iter([early.Window(data, reference.features, start)])
    joined, scores = early.judged_scores(windows, contenders)
    known = decisions[(decisions["time"] > start) & (decisions["no_opinion"] == OPINION)]
    assert joined.decisions["time"].tolist() == known["time"].tolist()
    over = joined.decisions["time"] + dataset.ticks(dataset.decisions.horizon) <= end
    assert (joined.decisions.loc[over, "fold"] == TEST).all()
    assert (joined.decisions.loc[~over, "fold"] == NO_FOLD).all()
    assert 0 < over.sum() < len(over)
    worth = {name: _apart(joined.decisions, values[:, 0]) for name, values in scores.items()}
    assert worth["all"] > worth["errors"] + 0.2


def _apart(decisions: pd.DataFrame, score: np.ndarray) -> float:
    """How much higher scores are before failures of the pump than elsewhere."""
    label = decisions["label.pump"].to_numpy()
    return float(score[label > 0].mean() - score[label == 0].mean())
