"""What a fold would have come to without a model: every other policy, found on the training fold."""

from __future__ import annotations

import numpy as np

from forestall.data.clock import day_of
from forestall.evaluation import judge, policies
from forestall.evaluation.judge import Data
from forestall.evaluation.trials import Scores
from forestall.training.thresholds import By


def alternatives(data: Data, fold: str, by: By, least: int) -> dict[str, Scores]:
    """Every policy's figures but the model's, by the account of `metrics/policies.csv`; without undefined ones.

    Args:
        by: how one-line rules are chosen. least: with fewer failures of a known age a part does not wear.
    """
    costs, components = data.dataset.costs, list(data.dataset.components)
    rules = judge.picked_rules(judge.rule_candidates(data), costs, by)
    unused = np.zeros((len(data.decisions), len(components)), dtype=np.float32)
    judged = next(one for one in judge.folds(data, unused, rules) if one.name == fold)
    wear = judge.training_wear(data, least)
    intervals = policies.intervals_of(wear, costs, day_of(data.dataset.clock.unit)[0])
    rule, whole = judged.tally(judged.ledger(judged.rule_alarms())), np.ones((1, len(judged.machines)))
    # The others need some alarms' tally for the plant's own failures and work alone: the rule's stands for a model's.
    found = policies.figures(rule, rule, intervals, judged.plant(wear), whole, costs, data.hour)
    return {
        policy: {name: float(values[0]) for name, values in figures.items() if np.isfinite(values[0])}
        for policy, figures in found.items()
        if policy != policies.MODEL
    }
