"""All that evaluation finds: metrics (plain mappings), tables, and the data of the figures, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import day_of
from forestall.data.dataset import Clock
from forestall.evaluation import (
    budgets,
    causes,
    figures,
    judge,
    policies,
    probabilities,
    rows,
    slices,
    tables,
)
from forestall.evaluation.break_even import Choices, break_even
from forestall.evaluation.figures import Scorer
from forestall.evaluation.judge import Data, Fold
from forestall.evaluation.lifetimes import Wear
from forestall.evaluation.policies import MODEL, RULE
from forestall.evaluation.remaining import life_table
from forestall.evaluation.resampling import drawn
from forestall.evaluation.rule import Candidates
from forestall.features.labels import TEST, TRAIN, UNSEEN, VALIDATION
from forestall.training.series import Floats
from forestall.training.thresholds import Levels, judged_levels

Frames = dict[str, pd.DataFrame]
Metrics = dict[str, dict[str, Any]]
STAMPS = ("time", "opened", "alarm")


@dataclass(frozen=True)
class Settings:
    """What params say: how thresholds were chosen, and with how few failures figures are left out."""

    by: str
    share_below: int
    min_failures: int


@dataclass(frozen=True)
class Verdict:
    """metrics: JSON files; tables: CSV files; plots: the figures' data."""

    metrics: Metrics
    tables: Frames
    plots: Frames


@dataclass(frozen=True)
class Case:
    """What is judged, by fold: the decisions, the model's alarms, what happened under them and under the rule's.

    gaps: ticks of missing data before each decision. wear: from the training fold. least: failures for a figure.
    """

    data: Data
    scorer: Scorer
    gaps: Floats
    folds: dict[str, Fold]
    alarms: Frames
    ledgers: dict[str, Frames]
    wear: dict[str, Wear]
    least: int

    @cached_property
    def intervals(self) -> dict[str, float]:
        """At what age each component is best replaced, in ticks."""
        return policies.intervals_of(self.wear, self.data.dataset.costs, self.day[0])

    @property
    def day(self) -> tuple[int, str]:
        """Ticks in the unit of ages, and its name."""
        return day_of(self.data.dataset.clock.unit)


def verdict(
    data: Data, scorer: Scorer, gaps: Floats, settings: Settings, say: Callable[[str], None]
) -> Verdict:
    """Judge a model and its thresholds on every fold but the training one.

    Args:
        gaps: ticks of missing data before each decision. say: shows how far this is.
    """
    say("scoring")
    curves = scorer.curves(data.features)
    risk = np.ascontiguousarray(curves[:, :, -1])
    say("finding the one-line rule")
    tried = judge.rule_candidates(data)
    rules = judge.picked_rules(tried, data.dataset.costs, settings.by)
    case = _case(data, scorer, gaps, {one.name: one for one in judge.folds(data, risk, rules)}, settings)
    say("policies and intervals")
    found = {name: _figures(case, name) for name in case.folds}
    metrics: Metrics = {name: tables.headline(found[name]) for name in (VALIDATION, TEST) if name in found}
    metrics["rule"] = {name: rule.text for name, rule in rules.items()}
    written = _policies(case, found) | _slices(case) | _probabilities(case, curves)
    say("budgets and break-even")
    validation = case.folds[VALIDATION]
    levels = judged_levels(validation.series, validation.risk, data.rules, settings.share_below)
    written |= _budgets(case, levels)
    curve, metrics["break_even"] = _break_even(case, levels, tried)
    say("causes")
    written |= _causes(case)
    say("plots")
    shown = _drawn(case, written["failures"]) | {"break_even": curve}
    return Verdict(metrics, *(_stamped(frames, data.dataset.clock) for frames in (written, shown)))


def _case(data: Data, scorer: Scorer, gaps: Floats, folds: dict[str, Fold], settings: Settings) -> Case:
    alarms = {name: fold.alarms(scorer.thresholds) for name, fold in folds.items()}
    ledgers = {
        name: {MODEL: fold.ledger(alarms[name]), RULE: fold.ledger(fold.rule_alarms())}
        for name, fold in folds.items()
    }
    wear = judge.training_wear(data, settings.min_failures)
    return Case(data, scorer, gaps, folds, alarms, ledgers, wear, settings.min_failures)


def _figures(case: Case, name: str) -> dict[str, dict[str, Floats]]:
    """Every policy's figures on a fold in each draw of its machines."""
    fold, dataset, ledgers = case.folds[name], case.data.dataset, case.ledgers[name]
    draws, plant = drawn(len(fold.machines)), fold.plant(case.wear)
    tallies = fold.tally(ledgers[MODEL]), fold.tally(ledgers[RULE])
    found = policies.figures(*tallies, case.intervals, plant, draws, dataset.costs, case.data.hour)
    whose = fold.machines.get_indexer(pd.Index(fold.decisions["machine"]))
    found[MODEL] |= probabilities.row_figures(fold.labels(), fold.row_risk, whose, draws)
    return found


def _policies(case: Case, found: Mapping[str, Mapping[str, Mapping[str, Floats]]]) -> Frames:
    return {
        "policies": tables.policy_table(found),
        "intervals": tables.interval_table(found),
        "lifetimes": tables.wear_table(case.wear, case.intervals, *case.day),
    }


def _slices(case: Case) -> Frames:
    data = case.data
    training = data.decisions.loc[data.rows(TRAIN), "machine"].unique()
    bands = slices.bands_of(data.events.machines, np.asarray(training, dtype=object), data.dataset)
    ledgers = {fold: case.ledgers[name] for name, fold in case.folds.items()}
    return {"slices": slices.slice_table(ledgers, bands, case.gaps, case.least)}


def _probabilities(case: Case, curves: npt.NDArray[np.floating]) -> Frames:
    test = case.folds[TEST]
    told = curves[test.rows]
    return {
        "rows": rows.row_report(test.labels(), test.row_risk, case.scorer.thresholds),
        "calibration": tables.calibration_table(test.horizon_labels(), told, case.data.dataset),
        "remaining_life": life_table(test, told),
    }


def _budgets(case: Case, levels: Levels) -> Frames:
    folds, chosen = (case.folds[VALIDATION], case.folds[TEST]), case.ledgers[TEST][MODEL]
    budget, misses = budgets.budget_tables(levels, *folds, chosen)
    return {"budget": budget, "budget_misses": misses}


def _break_even(case: Case, levels: Levels, tried: Candidates) -> tuple[pd.DataFrame, dict[str, Any]]:
    test, choices = case.folds[TEST], Choices(levels, tried, case.wear, case.day[0])
    return break_even(test, test.tally(case.ledgers[TEST][MODEL]), choices, drawn(len(test.machines)))


def _causes(case: Case) -> Frames:
    """Of the test fold, and of the machines never seen in training over the same time."""
    healthy, thresholds = causes.healthy_risk(case.folds[VALIDATION]), case.scorer.thresholds
    failures, wrong = [], []
    for name in (TEST, UNSEEN):
        if name in case.folds:
            known, alarms = causes.evidence(case.folds[name], case.gaps), case.alarms[name]
            failures.append(causes.failure_causes(known, alarms, thresholds, healthy).assign(fold=name))
            wrong.append(causes.false_alarm_causes(known, alarms, thresholds).assign(fold=name))
    table = pd.concat(failures, ignore_index=True)
    table["lead"] = (table["lead"] / case.data.hour).where(table["lead"] >= 0)
    return {
        "failures": table[["fold", *causes.FAILURE_COLUMNS]],
        "false_alarms": pd.concat(wrong, ignore_index=True)[["fold", *causes.ALARM_COLUMNS]],
    }


def _drawn(case: Case, failures: pd.DataFrame) -> Frames:
    """The data of the figures; failures: what became of them."""
    ledgers = {case.folds[name]: case.ledgers[name][MODEL] for name in (VALIDATION, TEST)}
    fate = failures[failures["fold"] == TEST]
    return figures.all_figures(ledgers, case.folds[TEST], case.alarms[TEST], fate, case.scorer)


def _stamped(frames: Frames, clock: Clock) -> Frames:
    return {name: with_stamps(frame, clock) for name, frame in frames.items()}


def with_stamps(frame: pd.DataFrame, clock: Clock) -> pd.DataFrame:
    """A table with its times as people write them; -1, no time, is left empty."""
    found = frame.copy()
    for name in (column for column in STAMPS if column in frame):
        known = frame[name] >= 0
        texts = frame[name].astype(object)
        if not clock.own:
            texts = pd.Series(frame[name].to_numpy(np.int64).astype("datetime64[s]").astype(str), frame.index)
        found[name] = texts.astype(object).where(known, None)
    return found
