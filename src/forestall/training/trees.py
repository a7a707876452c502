"""Trees that answer for every horizon: split by the longest, their leaves count the rows of each.

Splits that also tell one horizon from the next spend rows on it, and foresee fewer failures at the same false alarms.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree

Labels = npt.NDArray[np.int8]
Shares = npt.NDArray[np.float64]


def fit_trees(estimator: Any, features: npt.NDArray[np.float32], label: Labels) -> Any:
    """The forest or tree fitted on whether `label` is above 0, with the classes of `label` in its leaves.

    The probability of class 0 is that of the fit. The rest goes to the other classes as the rows of each are in the
    leaf, with those that a bootstrap left out.
    """
    classes = np.unique(label)
    if len(classes) < 3 or classes[0] != 0:
        return estimator.fit(features, label)
    estimator.fit(features, label > 0)
    number = np.searchsorted(classes, label)
    for tree in trees_of(estimator):
        tree.tree_ = _by_class(tree.tree_, tree.tree_.apply(features), number, len(classes))
    for fitted in {id(one): one for one in (estimator, *trees_of(estimator))}.values():
        fitted.classes_, fitted.n_classes_ = classes, len(classes)
    return estimator


def trees_of(estimator: Any) -> list[Any]:
    """The trees of a forest, or the one tree."""
    return [estimator] if isinstance(estimator, DecisionTreeClassifier) else list(estimator.estimators_)


def _by_class(tree: Any, leaf: npt.NDArray[np.int64], number: npt.NDArray[np.int64], classes: int) -> Any:
    """The same tree with shares of so many classes; `leaf` and `number`: each row's leaf and class."""
    state = tree.__getstate__()
    counts = np.zeros((tree.node_count, classes))
    np.add.at(counts, (leaf, number), 1)
    positive = counts[:, 1:] / np.maximum(counts[:, 1:].sum(axis=1, keepdims=True), 1)
    of_fit: Shares = state["values"][:, 0, :]
    values = np.column_stack([of_fit[:, :1], of_fit[:, 1:] * positive])
    found = Tree(tree.n_features, np.array([classes], dtype=np.intp), 1)
    found.__setstate__(state | {"values": np.ascontiguousarray(values[:, None, :])})
    return found
