"""What skill is made of, on a small plant: signals score, shuffled labels do not, a leak is flagged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.evaluation.answers import single_features
from forestall.evaluation.judge import Data
from forestall.evaluation.trials import (
    Setting,
    never,
    risks,
    thresholds,
    training_failures,
    trial,
    with_groups,
    with_shuffled_labels,
    with_training_machines,
)
from forestall.features.columns import Feature
from forestall.features.labels import TEST, TRAIN, VALIDATION, within
from forestall.features.origins import features_at
from forestall.training.alarms import open_alarms
from forestall.training.fit import Recipe
from forestall.training.judging import fleet_weeks
from forestall.training.series import risk_matrix
from tests.plant import clean_telemetry, dataset, events, with_signal

GROUPS = ("sensors", "errors", "replacements")
RECIPE = Recipe("extra_trees", {"trees": 20, "min_leaf": 2, "max_features": 0.3}, "sigmoid", 1500, 3, 1)
SETTING = Setting("cost", budget=0.2, per_week=10, min_failures=3)


@pytest.fixture(scope="module")
def small() -> tuple[Data, tuple[Feature, ...]]:
    plant, some = dataset(), events(machines=24, seed=3)
    frame = with_signal(clean_telemetry(machines=24), some)

    def chunks() -> Iterator[pd.DataFrame]:
        yield frame

    ends = frame.groupby("machine")["time"].max()
    last = {str(machine): int(time) for machine, time in ends.items()}
    reference, decisions, features = features_at(chunks, some, plant, GROUPS, 3, max(last.values()))
    names = [feature.name for feature in reference.features]
    return Data(decisions, features, names, some, plant, last, 2), reference.features


def test_a_signal_scores_and_shuffled_labels_score_nothing(small: tuple[Data, tuple[Feature, ...]]) -> None:
    data, _ = small
    real = trial(data, RECIPE, SETTING, [TEST])[TEST]
    shuffled = trial(with_shuffled_labels(data, 1), RECIPE, SETTING, [TEST])[TEST]
    idle = never(data, TEST)
    assert real["event_recall"] > 0.8
    assert real["cost_per_machine_month"] < 0.7 * idle["cost_per_machine_month"]
    labels = within(data.decisions.loc[data.rows(TEST), ["label.pump", "label.seal"]].to_numpy())
    assert shuffled["average_precision"] < 2 * (labels == 1).sum() / (labels >= 0).sum()
    assert shuffled["cost_per_machine_month"] > 0.9 * idle["cost_per_machine_month"]


def test_without_the_telemetry_there_is_nothing_to_go_by(small: tuple[Data, tuple[Feature, ...]]) -> None:
    data, described = small
    blind = with_groups(data, described, ("errors", "replacements"))
    assert blind.features.shape == (len(data.features), len(blind.names))
    assert trial(blind, RECIPE, SETTING, [TEST])[TEST]["average_precision"] < 0.3


def test_thresholds_keep_within_alarms_per_week_as_the_pipelines_do(
    small: tuple[Data, tuple[Feature, ...]],
) -> None:
    data, _ = small
    risk, rows = risks(data, RECIPE), data.rows(VALIDATION)
    weeks = fleet_weeks(data.decisions[rows], data.dataset)
    found = {}
    for most in (2, 20):
        levels = thresholds(data, risk, replace(SETTING, by="alarms_per_week", per_week=most / weeks))
        grid = risk_matrix(data.series(VALIDATION), data.decisions[rows], risk[rows])
        found[most] = len(open_alarms(data.series(VALIDATION), grid, levels, data.rules))
        assert found[most] <= most
    assert found[2] < found[20]


def test_fewer_machines_in_training_leave_the_other_folds_alone(
    small: tuple[Data, tuple[Feature, ...]],
) -> None:
    data, _ = small
    part = with_training_machines(data, 0.25, 1)
    assert part.decisions.loc[part.rows(TRAIN), "machine"].nunique() == 6
    assert (part.rows(TEST) == data.rows(TEST)).all()
    assert 0 < training_failures(part) < training_failures(data)


def test_a_feature_that_knows_the_answer_is_flagged(small: tuple[Data, tuple[Feature, ...]]) -> None:
    data, _ = small
    names = ["label.pump", "label.seal"]
    labels = within(data.decisions[names].to_numpy())
    noise = np.random.default_rng(0).random(len(labels)) < 0.01
    leak = np.where(noise, 1 - np.maximum(labels[:, 0], 0), np.maximum(labels[:, 0], 0)).astype(np.float32)
    planted = replace(data, features=np.column_stack([data.features, -leak]), names=[*data.names, "leak"])
    table = single_features(planted.features, planted.names, labels, ["pump", "seal"])
    flagged = table[table["knows_the_answer"]]
    assert ("pump", "leak") in set(zip(flagged["component"], flagged["feature"], strict=True))
    assert not ((flagged["component"] == "seal") & (flagged["feature"] == "leak")).any()


def test_no_feature_is_flagged_where_nothing_fails() -> None:
    features, labels = np.zeros((5, 1), np.float32), np.zeros((5, 1), np.int8)
    assert single_features(features, ["one"], labels, ["pump"]).empty
