"""All that evaluation finds: metrics (plain mappings), tables, and the data of the figures, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
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
from forestall.evaluation.break_even import break_even
from forestall.evaluation.figures import Scorer
from forestall.evaluation.judge import Data, Fold
from forestall.evaluation.lifetimes import Wear
from forestall.evaluation.policies import MODEL, RULE
from forestall.evaluation.remaining import life_table
from forestall.evaluation.resampling import drawn
from forestall.features.labels import TEST, TRAIN, UNSEEN, VALIDATION
from forestall.training.series import Floats
from forestall.training.thresholds import judged_levels

Frames = dict[str, pd.DataFrame]
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

    metrics: dict[str, dict[str, Any]]
    tables: Frames
    plots: Frames


def verdict(
    data: Data, scorer: Scorer, gaps: Floats, settings: Settings, say: Callable[[str], None]
) -> Verdict:
    """Judge a model and its thresholds on every fold but the training one.

    Args:
        gaps: ticks of missing data before each decision. say: shows how far this is.
    """
    dataset = data.dataset
    say("scoring")
    curves = scorer.curves(data.features)
    risk = np.ascontiguousarray(curves[:, :, -1])
    say("finding the one-line rule")
    tried = judge.rule_candidates(data)
    rules = judge.picked_rules(tried, dataset.costs, settings.by)
    folds = {fold.name: fold for fold in judge.folds(data, risk, rules)}
    alarms = {name: fold.alarms(scorer.thresholds) for name, fold in folds.items()}
    ledgers = {name: _ledgers(fold, alarms[name]) for name, fold in folds.items()}
    wear = judge.training_wear(data, settings.min_failures)
    day, unit = day_of(dataset.clock.unit)
    ages = policies.intervals_of(wear, dataset.costs, day)
    say("policies and intervals")
    found = {name: _figures(fold, ledgers[name], ages, wear) for name, fold in folds.items()}
    metrics: dict[str, dict[str, Any]] = {
        name: tables.headline(found[name]) for name in (VALIDATION, TEST) if name in found
    }
    metrics["rule"] = {name: rule.text for name, rule in rules.items()}
    written = {
        "policies": tables.policy_table(found),
        "intervals": tables.interval_table(found),
        "lifetimes": tables.wear_table(wear, ages, day, unit),
        **_slices(data, folds, ledgers, gaps, settings.min_failures),
    }
    test, validation = folds[TEST], folds[VALIDATION]
    labels = test.labels()
    written["rows"] = rows.row_report(labels, risk[test.rows], scorer.thresholds)
    written["calibration"] = tables.calibration_table(test.horizon_labels(), curves[test.rows], dataset)
    written["remaining_life"] = life_table(test, curves[test.rows])
    say("budgets and break-even")
    levels = judged_levels(validation.series, validation.risk, data.rules, settings.share_below)
    chosen = ledgers[TEST][MODEL]
    written |= dict(
        zip(("budget", "budget_misses"), budgets.budget_tables(levels, validation, test, chosen), strict=True)
    )
    curve, metrics["break_even"] = break_even(
        test, test.tally(chosen), levels, tried, wear, day, drawn(len(test.machines))
    )
    say("causes")
    written |= _causes(folds, alarms, scorer.thresholds, gaps)
    say("plots")
    fate = written["failures"]
    plots = figures.all_figures(
        {validation: ledgers[VALIDATION][MODEL], test: chosen},
        test,
        alarms[TEST],
        fate[fate["fold"] == TEST],
        scorer,
    )
    plots["break_even"] = curve
    stamped = ({n: with_stamps(frame, dataset.clock) for n, frame in one.items()} for one in (written, plots))
    return Verdict(metrics, *stamped)


def _ledgers(fold: Fold, alarms: pd.DataFrame) -> Frames:
    """What happened under the model's alarms, and under the rule's."""
    return {MODEL: fold.ledger(alarms), RULE: fold.ledger(fold.rule_alarms())}


def _figures(
    fold: Fold, ledgers: Frames, ages: Mapping[str, float], wear: Mapping[str, Wear]
) -> dict[str, dict[str, Floats]]:
    """Every policy's figures in each draw of the fold's machines."""
    draws, data = drawn(len(fold.machines)), fold.data
    tallies = fold.tally(ledgers[MODEL]), fold.tally(ledgers[RULE])
    found = policies.figures(*tallies, ages, fold.plant(wear), draws, data.dataset.costs, data.hour)
    whose = fold.machines.get_indexer(pd.Index(fold.decisions["machine"]))
    found[MODEL] |= probabilities.row_figures(fold.labels(), fold.row_risk, whose, draws)
    return found


def _slices(
    data: Data, folds: Mapping[str, Fold], ledgers: Mapping[str, Frames], gaps: Floats, least: int
) -> Frames:
    training = data.decisions.loc[data.rows(TRAIN), "machine"].unique()
    bands = slices.bands_of(data.events.machines, np.asarray(training, dtype=object), data.dataset)
    of_folds = {fold: ledgers[name] for name, fold in folds.items()}
    return {"slices": slices.slice_table(of_folds, bands, gaps, least)}


def _causes(
    folds: Mapping[str, Fold],
    alarms: Mapping[str, pd.DataFrame],
    thresholds: Mapping[str, float],
    gaps: Floats,
) -> Frames:
    """Of the test fold, and of the machines never seen in training over the same time."""
    healthy = causes.healthy_risk(folds[VALIDATION])
    failures, wrong = [], []
    for name in (TEST, UNSEEN):
        if name in folds:
            known = causes.evidence(folds[name], gaps)
            failures.append(causes.failure_causes(known, alarms[name], thresholds, healthy).assign(fold=name))
            wrong.append(causes.false_alarm_causes(known, alarms[name], thresholds).assign(fold=name))
    hour = folds[TEST].data.hour
    table = pd.concat(failures, ignore_index=True)
    table["lead"] = (table["lead"] / hour).where(table["lead"] >= 0)
    return {
        "failures": table[["fold", *causes.FAILURE_COLUMNS]],
        "false_alarms": pd.concat(wrong, ignore_index=True)[["fold", *causes.ALARM_COLUMNS]],
    }


def with_stamps(frame: pd.DataFrame, clock: Clock) -> pd.DataFrame:
    """A table with its times as people write them; -1, no time, is left empty."""
    found = frame.copy()
    for name in (column for column in STAMPS if column in frame):
        known = frame[name] >= 0
        texts = frame[name].astype(object)
        if clock.kind == "timestamps":
            texts = pd.Series(frame[name].to_numpy(np.int64).astype("datetime64[s]").astype(str), frame.index)
        found[name] = texts.astype(object).where(known, None)
    return found
