"""The families of models, each a scikit-learn classifier of one component with `predict_proba`."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from forestall.training.trees import fit_trees, trees_of

Family = Literal[
    "extra_trees", "random_forest", "hist_gradient_boosting", "logistic_regression", "decision_tree", "mlp"
]
Settings = Mapping[str, Any]
EXACT = 2.0**24  # float32 holds 24 binary digits


def classifier(family: Family, settings: Settings, seed: int) -> Any:
    """An unfitted classifier of the family; `settings` are the family's own params."""
    if family == "extra_trees":
        return ExtraTreesClassifier(
            n_estimators=settings["trees"],
            min_samples_leaf=settings["min_leaf"],
            max_features=settings["max_features"],
            random_state=seed,
            n_jobs=-1,
        )
    if family == "random_forest":
        return RandomForestClassifier(
            n_estimators=settings["trees"],
            min_samples_leaf=settings["min_leaf"],
            max_features=settings["max_features"],
            max_samples=settings["max_samples"],
            random_state=seed,
            n_jobs=-1,
        )
    if family == "hist_gradient_boosting":
        return HistGradientBoostingClassifier(
            max_iter=settings["iterations"],
            learning_rate=settings["learning_rate"],
            max_leaf_nodes=settings["leaves"],
            l2_regularization=settings["l2"],
            early_stopping=False,
            random_state=seed,
        )
    if family == "decision_tree":
        return DecisionTreeClassifier(
            max_depth=settings["depth"], min_samples_leaf=settings["min_leaf"], random_state=seed
        )
    if family == "logistic_regression":
        return make_pipeline(StandardScaler(), LogisticRegression(C=settings["c"], max_iter=1000))
    return make_pipeline(
        StandardScaler(),
        MLPClassifier(
            hidden_layer_sizes=(settings["hidden"],),
            max_iter=settings["iterations"],
            early_stopping=False,
            random_state=seed,
        ),
    )


def fitted(unfitted: Any, features: npt.NDArray[np.float32], label: npt.NDArray[np.int8]) -> Any:
    """The classifier fitted on features [rows, features] and classes [rows]."""
    if isinstance(unfitted, ExtraTreesClassifier | RandomForestClassifier | DecisionTreeClassifier):
        return fit_trees(unfitted, features, label)
    return unfitted.fit(features, label)


def normalised(estimator: Any) -> Any:
    """The fitted estimator without what depends on the machine it was fitted on, ready to be saved and exported.

    Tree thresholds are rounded down to float32: for float32 features the same rows go left, and ONNX, which
    keeps thresholds as float32, then sends every row where scikit-learn sends it. What a tree adds to a forest's
    probability becomes a multiple of 2^-24: such sums are exact in float32, in any order.
    """
    if hasattr(estimator, "n_jobs"):
        estimator.n_jobs = 1
    if isinstance(estimator, ExtraTreesClassifier | RandomForestClassifier | DecisionTreeClassifier):
        trees = trees_of(estimator)
        for tree in trees:
            _floor(tree.tree_.threshold)
            _round(tree.tree_.value, len(trees))
    if isinstance(estimator, HistGradientBoostingClassifier):
        estimator._bin_mapper.n_threads = 1
        for tree in chain.from_iterable(estimator._predictors):
            _floor(tree.nodes["num_threshold"])
    return estimator


def _floor(thresholds: npt.NDArray[np.float64]) -> None:
    """Each threshold becomes the greatest float32 not above it, in place."""
    finite = np.isfinite(thresholds)
    rounded = thresholds[finite].astype(np.float32)
    above = rounded.astype(np.float64) > thresholds[finite]
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    thresholds[finite] = rounded


def _round(shares: npt.NDArray[np.float64], trees: int) -> None:
    """Each share of a forest of so many trees becomes a multiple of their number times 2^-24, in place."""
    shares[:] = np.round(shares / trees * EXACT) / EXACT * trees
