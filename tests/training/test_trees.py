"""One set of trees for every horizon."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from forestall.training.families import Family, classifier, fitted
from forestall.training.fit import horizon_scores

SETTINGS: dict[Family, dict[str, Any]] = {
    "extra_trees": {"trees": 20, "min_leaf": 2, "max_features": 0.5},
    "random_forest": {"trees": 20, "min_leaf": 2, "max_features": 0.5, "max_samples": 0.5},
    "decision_tree": {"depth": 6, "min_leaf": 5},
}


def rows(seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """Features [800, 5] and classes 0 to 3, the higher the nearer: the first feature tells of them."""
    rng = np.random.default_rng(seed)
    label = rng.choice(4, 800, p=[0.7, 0.1, 0.1, 0.1]).astype(np.int8)
    features = rng.normal(size=(800, 5)).astype(np.float32)
    features[:, 0] += label
    return features, label


@pytest.mark.parametrize("family", SETTINGS)
def test_the_longest_horizon_is_answered_as_by_trees_that_know_no_other(family: Family) -> None:
    (features, label), fresh = rows(), rows(1)[0]
    whole = fitted(classifier(family, SETTINGS[family], 3), features, label)
    alone = classifier(family, SETTINGS[family], 3).fit(features, label > 0)
    np.testing.assert_allclose(
        horizon_scores(whole, fresh, 3)[:, -1], alone.predict_proba(fresh)[:, 1], atol=1e-12
    )


@pytest.mark.parametrize("family", SETTINGS)
def test_shorter_horizons_are_told_apart_and_never_above_longer_ones(family: Family) -> None:
    features, label = rows()
    fresh, truth = rows(1)
    scores = horizon_scores(fitted(classifier(family, SETTINGS[family], 3), features, label), fresh, 3)
    assert (np.diff(scores, axis=1) >= 0).all()
    for number, least in enumerate((3, 2, 1)):
        failed = truth >= least
        assert scores[failed, number].mean() > 1.5 * scores[~failed, number].mean()


def test_the_leaves_of_a_tree_hold_the_shares_of_its_rows() -> None:
    features, label = rows()
    tree = fitted(classifier("decision_tree", SETTINGS["decision_tree"], 3), features, label)
    leaf = tree.apply(features)
    chance = tree.predict_proba(features)
    for one in np.unique(leaf):
        inside = leaf == one
        shares = np.bincount(label[inside], minlength=4) / inside.sum()
        np.testing.assert_allclose(chance[inside][0], shares, atol=1e-12)


@pytest.mark.parametrize("classes", [[0], [0, 2], [1, 2, 3]])
def test_classes_that_are_missing_are_left_out(classes: list[int]) -> None:
    features, label = rows()
    label = np.random.default_rng(2).choice(classes, len(label)).astype(np.int8)
    whole = fitted(classifier("extra_trees", SETTINGS["extra_trees"], 3), features, label)
    assert whole.classes_.tolist() == classes
    assert whole.predict_proba(features).shape == (len(label), len(classes))
