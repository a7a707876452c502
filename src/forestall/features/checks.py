"""Folds from which nothing can be learnt, or in which nothing can be judged, are refused."""

from __future__ import annotations

import pandas as pd

from forestall.data.dataset import Dataset
from forestall.errors import InputError
from forestall.features import labels


def check_training(decisions: pd.DataFrame, dataset: Dataset, file: str) -> None:
    """Refuse a training fold from which nothing can be learnt.

    Raises:
        InputError: it is empty, or a component never fails in it.
    """
    training = decisions[decisions["fold"] == labels.TRAIN]
    shorter = "Lower" if dataset.split_by_machine else "Shorten"
    todo = f"{shorter} `split.test` and `split.validation` in the dataset file, or add {_more(dataset)}"
    if training.empty:
        raise InputError("the training fold is empty", todo, file)
    for component in dataset.components:
        if not (training[f"label.{component}"] > 0).any():
            problem = (
                f"component {component!r} does not fail in the training fold, so nothing can be learnt of it"
            )
            raise InputError(problem, f"{todo}, or take it out of `components` with its rows", file)


def check_folds(decisions: pd.DataFrame, dataset: Dataset, file: str) -> None:
    """Refuse folds from which nothing can be learnt, or in which nothing can be judged.

    Raises:
        InputError: a fold is empty, or a component never fails in the training fold.
    """
    check_training(decisions, dataset, file)
    for fold in (labels.VALIDATION, labels.TEST):
        if not (decisions["fold"] == fold).any():
            longer = "Raise" if dataset.split_by_machine else "Lengthen"
            todo = f"{longer} `split.{fold}` in the dataset file, or add {_more(dataset)}"
            raise InputError(f"the {fold} fold is empty", todo, file)


def _more(dataset: Dataset) -> str:
    return "machines" if dataset.split_by_machine else "history"
