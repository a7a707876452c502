"""Judging a model and the one-line rule by the same alarms on the same decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import hour_of
from forestall.data.dataset import Costs, Dataset
from forestall.data.events import Events
from forestall.evaluation import policies
from forestall.evaluation.ledger import ledger
from forestall.evaluation.lifetimes import Wear, lives
from forestall.evaluation.policies import Plant, Tally
from forestall.evaluation.rule import Candidates, Rule, candidates, picked
from forestall.features.labels import TEST, TRAIN, UNSEEN, VALIDATION, within
from forestall.training.alarms import Thresholds, open_alarms
from forestall.training.judging import machine_months, month_ticks, rules_of, series_of_fold
from forestall.training.series import Bools, Floats, Risk, Rules, Series, risk_matrix

Matrix = npt.NDArray[np.float32]
JUDGED = (VALIDATION, TEST, UNSEEN)
HALF = 0.5  # a rule fires or not: 1 or 0


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

    def rows(self, fold: str) -> Bools:
        """Which decisions belong to a fold."""
        return (self.decisions["fold"] == fold).to_numpy()

    def series(self, fold: str) -> Series:
        """A fold's series."""
        return series_of_fold(self.decisions[self.rows(fold)], self.events, self.dataset, fold, self.last)

    @property
    def rules(self) -> Rules:
        """How alarms are judged."""
        return rules_of(self.dataset, self.quiet)

    @property
    def hour(self) -> int:
        """Ticks in the unit of lead times."""
        return hour_of(self.dataset.clock.unit)[0]


@dataclass(frozen=True, eq=False)
class Fold:
    """A fold laid out, with the model's risk and whether the rule fires, [S, T]; row_risk: the risk by rows."""

    name: str
    rows: Bools
    decisions: pd.DataFrame
    row_risk: Matrix
    series: Series
    risk: Risk
    fired: Risk
    data: Data

    @cached_property
    def machines(self) -> pd.Index[Any]:
        """Its machines, in order."""
        found: pd.Index[Any] = pd.Index(sorted(self.decisions["machine"].unique()), dtype=object)
        return found

    @cached_property
    def months(self) -> Floats:
        """Each machine's months, [machines]."""
        counts = self.decisions["machine"].value_counts().reindex(self.machines).to_numpy()
        every = self.data.dataset.ticks(self.data.dataset.decisions.every)
        return np.asarray(counts * every / month_ticks(self.data.dataset), dtype=np.float64)

    @cached_property
    def total_months(self) -> float:
        """All machines' months."""
        return machine_months(self.decisions, self.data.dataset)

    @cached_property
    def lives(self) -> pd.DataFrame:
        """The pieces of parts' lives in it."""
        return lives(self.series, self.data.rules, born_at(self.data.dataset))

    def labels(self) -> npt.NDArray[np.int8]:
        """[rows, components], -1 where there is no such component."""
        return labels_of(self.decisions, self.data.dataset)

    def horizon_labels(self) -> npt.NDArray[np.int8]:
        """[rows, components]: within how many of the horizons it fails; below 0 where that is not known."""
        return horizon_labels_of(self.decisions, self.data.dataset)

    def alarms(self, thresholds: Thresholds) -> pd.DataFrame:
        """The model's alarms."""
        return open_alarms(self.series, self.risk, thresholds, self.data.rules)

    def rule_alarms(self) -> pd.DataFrame:
        """The rule's alarms."""
        return open_alarms(self.series, self.fired, HALF, self.data.rules)

    def ledger(self, alarms: pd.DataFrame) -> pd.DataFrame:
        """What happened under some alarms."""
        return ledger(self.series, alarms, self.data.rules)

    def tally(self, rows: pd.DataFrame) -> Tally:
        """A ledger's counts by machine."""
        return policies.tally(rows, self.machines)

    def plant(self, wear: Mapping[str, Wear]) -> Plant:
        """Its machines and what their parts went through."""
        return policies.plant_of(self.lives, self.months, self.machines, wear)


def labels_of(decisions: pd.DataFrame, dataset: Dataset) -> npt.NDArray[np.int8]:
    """[rows, components], -1 where there is no such component."""
    return within(horizon_labels_of(decisions, dataset))


def horizon_labels_of(decisions: pd.DataFrame, dataset: Dataset) -> npt.NDArray[np.int8]:
    """[rows, components], as `features.labels.labels` gives them."""
    return decisions[[f"label.{name}" for name in dataset.components]].to_numpy()


def born_at(dataset: Dataset) -> int | None:
    """When parts were new that no record says it of: a counter starts with the machine."""
    return 0 if dataset.own_clocks else None


def folds(data: Data, risk: Matrix, rules: Mapping[str, Rule]) -> Iterator[Fold]:
    """The folds that are judged and have decisions. risk: [rows, components] of all decisions."""
    fired = rule_risk(data, rules)
    return (fold_of(data, name, risk, fired) for name in JUDGED if data.rows(name).any())


def fold_of(data: Data, name: str, risk: Matrix, fired: Matrix) -> Fold:
    """One fold; risk, fired: [rows, components] of all decisions."""
    rows = data.rows(name)
    decisions, series = data.decisions[rows], data.series(name)
    chance, rule = (risk_matrix(series, decisions, one[rows]) for one in (risk, fired))
    return Fold(name, rows, decisions, risk[rows], series, chance, rule, data)


def rule_candidates(data: Data) -> Candidates:
    """One-line rules worth judging, and what they do on the training fold."""
    rows, dataset = data.rows(TRAIN), data.dataset
    spans = [dataset.decisions.every, *dataset.windows.events]
    return candidates(
        data.features[rows],
        data.names,
        data.decisions[rows],
        data.events.errors,
        data.series(TRAIN),
        data.rules,
        [dataset.ticks(span) for span in spans],
        dataset.clock.unit,
    )


def picked_rules(tried: Candidates, costs: Costs, by: str) -> dict[str, Rule]:
    """The best one-line rule of each component."""
    return picked(tried, costs, "recall" if by == "recall" else "cost")


def rule_risk(data: Data, rules: Mapping[str, Rule]) -> Matrix:
    """1 where a component's rule fires and 0 elsewhere, [rows, components]."""
    fired = [
        one.fires(data.features, data.names, data.decisions, data.events.errors) for one in rules.values()
    ]
    return np.column_stack(fired).astype(np.float32)


def training_wear(data: Data, least: int) -> dict[str, Wear]:
    """How each component wears, on the training fold."""
    pieces = lives(data.series(TRAIN), data.rules, born_at(data.dataset))
    return policies.fit_parts(pieces, list(data.dataset.components), least)
