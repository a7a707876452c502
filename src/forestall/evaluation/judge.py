"""Judging a model and the one-line rule by the same alarms on the same decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import hour_of
from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.evaluation.rule import Rule, find_rules
from forestall.evaluation.scores import row_scores, score
from forestall.features.labels import TEST, TRAIN, UNSEEN, VALIDATION, within
from forestall.training.alarms import open_alarms
from forestall.training.judging import machine_months, rules_of, series_of_fold
from forestall.training.series import Series, risk_matrix

Matrix = npt.NDArray[np.float32]
HEADLINE = (VALIDATION, TEST)
NOT_HEADLINE = ("undetermined",)


@dataclass(frozen=True)
class Data:
    """All decisions with their features, and the plant's events; `last` is each machine's last reading's time."""

    decisions: pd.DataFrame
    features: Matrix
    names: list[str]
    events: Events
    dataset: Dataset
    last: Mapping[str, int]
    quiet: int

    def rows(self, fold: str) -> npt.NDArray[np.bool_]:
        """Which decisions belong to a fold."""
        return (self.decisions["fold"] == fold).to_numpy()

    def series(self, fold: str) -> Series:
        """A fold's series."""
        return series_of_fold(self.decisions[self.rows(fold)], self.events, self.dataset, fold, self.last)


@dataclass(frozen=True)
class Verdict:
    """What judging found.

    figures: the headline folds' scores. policies: one row a fold and policy. alarms: the model's, test fold.
    """

    figures: dict[str, dict[str, float]]
    policies: pd.DataFrame
    alarms: pd.DataFrame


def one_line_rules(data: Data, by: str) -> dict[str, Rule]:
    """The best one-line rule of each component, found on the training fold."""
    rows, dataset = data.rows(TRAIN), data.dataset
    return find_rules(
        data.features[rows],
        data.names,
        data.decisions[rows],
        data.events.errors,
        data.series(TRAIN),
        rules_of(dataset, data.quiet),
        dataset.costs,
        "recall" if by == "recall" else "cost",
        [dataset.ticks(window) for window in dataset.windows.events],
        dataset.ticks(dataset.decisions.every),
        dataset.clock.unit,
    )


def judge(data: Data, risk: Matrix, thresholds: dict[str, float], rules: dict[str, Rule]) -> Verdict:
    """Score the model's risks [rows, components] and the rules on every fold but the training one."""
    fired = rule_risk(data, rules)
    half = dict.fromkeys(thresholds, 0.5)
    table, figures = [], {}
    test_alarms = pd.DataFrame()
    for fold in (VALIDATION, TEST, UNSEEN):
        rows = data.rows(fold)
        if not rows.any():
            continue
        for policy, one, threshold in (("model", risk, thresholds), ("one_line_rule", fired, half)):
            scores, alarms = _scored(data, fold, one[rows], threshold)
            if policy == "model":
                scores |= _row_scores(data, rows, one)
                if fold in HEADLINE:
                    figures[fold] = {k: v for k, v in scores.items() if k not in NOT_HEADLINE}
                if fold == TEST:
                    test_alarms = alarms
            table.append({"fold": fold, "policy": policy, **scores})
    return Verdict(figures, pd.DataFrame(table), test_alarms)


def rule_risk(data: Data, rules: dict[str, Rule]) -> Matrix:
    """1 where a component's rule fires and 0 elsewhere, [rows, components]."""
    fired = [
        rule.fires(data.features, data.names, data.decisions, data.events.errors) for rule in rules.values()
    ]
    return np.column_stack(fired).astype(np.float32)


def _scored(
    data: Data, fold: str, risk: Matrix, thresholds: dict[str, float]
) -> tuple[dict[str, float], pd.DataFrame]:
    series, rules, decisions = (
        data.series(fold),
        rules_of(data.dataset, data.quiet),
        data.decisions[data.rows(fold)],
    )
    alarms = open_alarms(series, risk_matrix(series, decisions, risk), thresholds, rules)
    hour, _ = hour_of(data.dataset.clock.unit)
    months = machine_months(decisions, data.dataset)
    return score(series, alarms, rules, data.dataset.costs, months, hour), alarms


def _row_scores(data: Data, rows: npt.NDArray[np.bool_], risk: Matrix) -> dict[str, float]:
    labels = within(
        data.decisions.loc[rows, [f"label.{name}" for name in data.dataset.components]].to_numpy()
    )
    return row_scores(labels, risk[rows], labels >= 0)
