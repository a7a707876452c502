"""From which price of a failure on a model pays: every policy's cost over failure cost / planned cost.

For each ratio every policy is chosen again: thresholds on the validation fold, rules and intervals on the training
fold. Then all are judged on the test fold, in the same draws of machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forestall.data.dataset import Costs
from forestall.evaluation import policies
from forestall.evaluation.judge import Fold, picked_rules, rule_risk
from forestall.evaluation.ledger import CAUGHT, MISSED, Counts, Spent, spent
from forestall.evaluation.lifetimes import NEVER, Wear
from forestall.evaluation.policies import (
    AS_RUN,
    FIXED,
    FORESIGHT,
    MODEL,
    POLICIES,
    RULE,
    UNTIL_FAILURE,
    Tally,
)
from forestall.evaluation.resampling import LEVELS, interval, ratio
from forestall.evaluation.rule import Candidates, Rule
from forestall.training.alarms import FALSE, UNDETERMINED, Outcomes, outcomes_by_series
from forestall.training.series import Bools, Floats, Risk, risk_matrix
from forestall.training.thresholds import Levels

RATIOS = np.geomspace(1.0, 100.0, 25)
COLUMNS = ["ratio", "policy", "cost_per_machine_month", "low", "high", "current"]


@dataclass(frozen=True)
class Choices:
    """What is chosen from at each price: the model's levels, judged on the validation fold; the rules that were tried
    and how parts wear, on the training fold. step: of intervals, in ticks.
    """

    levels: Levels
    tried: Candidates
    wear: Mapping[str, Wear]
    step: int


def break_even(
    test: Fold, as_run: Tally, choices: Choices, draws: Floats
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Cost over `RATIOS` with bands, and from which ratio on the model is cheaper than each policy.

    Planned work and inspections keep their price; without a price of planned work there is no ratio.

    Args:
        as_run: any tally of the test fold: the plant's own failures and work.

    Returns:
        `COLUMNS` (current: the dataset file's own ratio), missing bands where there are none; and by policy `pays_from`
        and `pays_to`, between which the model costs less, and `surely_pays_from` and `surely_pays_to`, between which
        it does in 97.5 % of the draws; left out if nowhere.
    """
    own = test.data.dataset.costs
    if own.planned <= 0:
        return pd.DataFrame(columns=COLUMNS), {}
    prices = [costs_at(own, one) for one in RATIOS]
    bills = bills_by_price(test, as_run, choices, prices, draws)
    months = draws @ test.months
    costs = {
        name: [ratio(bill.cost(at), months) for bill, at in zip(bills[name], prices, strict=True)]
        for name in POLICIES
    }
    rows = [
        (at, name, *_band(values), own.failure / own.planned)
        for name, curve in costs.items()
        for at, values in zip(RATIOS, curve, strict=True)
    ]
    return pd.DataFrame(rows, columns=COLUMNS), {
        name: ranges_of(np.array(costs[MODEL]) - np.array(curve))
        for name, curve in costs.items()
        if name not in (MODEL, FORESIGHT)
    }


def costs_at(costs: Costs, times: float) -> Costs:
    """The costs if a failure costs so many times a planned replacement."""
    return costs.model_copy(update={"failure": float(times) * costs.planned})


def bills_by_price(
    test: Fold, as_run: Tally, choices: Choices, prices: list[Costs], draws: Floats
) -> dict[str, list[Spent]]:
    """What each policy pays for at each of some prices, by draw."""
    wear, plant, prevented = choices.wear, test.plant(choices.wear), prices[0].prevented
    thresholds = [choices.levels.thresholds(one, "cost") for one in prices]
    rules = [picked_rules(choices.tried, one, "cost") for one in prices]
    intervals = [policies.intervals_of(wear, one, choices.step) for one in prices]
    never = policies.age_bill(dict.fromkeys(wear, NEVER), plant, draws)
    run = policies.alarm_bill(policies.without_alarms(as_run), draws, prevented)
    foresight = policies.alarm_bill(policies.foreseen(as_run), draws, prevented)
    return {
        MODEL: _alarm_bills(test, as_run, _model_outcomes(test, thresholds), draws, prevented),
        RULE: _alarm_bills(test, as_run, _rule_outcomes(test, rules), draws, prevented),
        FIXED: [policies.age_bill(one, plant, draws) for one in intervals],
        AS_RUN: [run] * len(prices),
        UNTIL_FAILURE: [never] * len(prices),
        FORESIGHT: [foresight] * len(prices),
    }


def ranges_of(difference: Floats) -> dict[str, float]:
    """Between which ratios the model's cost less another's, [ratios, 1 + draws], is below zero: the longest run."""
    found: dict[str, float] = {}
    for name, cheaper in (("pays", difference[:, 0] < 0), ("surely_pays", _surely(difference[:, 1:]))):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], cheaper, [0]])))
        runs = sorted(zip(edges[::2], edges[1::2] - 1, strict=True), key=lambda run: run[0] - run[1])
        if runs:
            found |= {f"{name}_from": float(RATIOS[runs[0][0]]), f"{name}_to": float(RATIOS[runs[0][1]])}
    return found


def _model_outcomes(test: Fold, thresholds: list[dict[str, float]]) -> Outcomes:
    """What the model's alarms come to at each of K sets of thresholds, [S, K]."""
    limits = np.array([[one[name] for one in thresholds] for name in test.series.component], dtype=np.float64)
    return outcomes_by_series(test.series, test.risk, limits, test.data.rules)


def _rule_outcomes(test: Fold, rules: list[dict[str, Rule]]) -> Outcomes:
    """What K sets of rules come to, [S, K]: of many equal ones each is judged once."""
    distinct = list({tuple(rule.text for rule in one.values()): one for one in rules}.values())
    place = [next(n for n, one in enumerate(distinct) if one == rule) for rule in rules]
    fired = [_fired(test, one) for one in distinct]
    found = [outcomes_by_series(test.series, one, np.array([0.5]), test.data.rules) for one in fired]
    return Outcomes(
        **{
            name: np.concatenate([getattr(one, name) for one in found], axis=1)[:, place]
            for name in Outcomes.__dataclass_fields__
        }
    )


def _fired(test: Fold, rules: Mapping[str, Rule]) -> Risk:
    return risk_matrix(test.series, test.decisions, rule_risk(test.data, rules)[test.rows])


def _alarm_bills(test: Fold, as_run: Tally, found: Outcomes, draws: Floats, prevented: float) -> list[Spent]:
    owner = test.machines.get_indexer(pd.Index(test.series.machine))
    bills = []
    for k in range(found.caught.shape[1]):
        alarms: dict[str, Floats] = {
            kind: np.bincount(owner, weights=values[:, k], minlength=len(test.machines)).astype(np.float64)
            for kind, values in (
                (CAUGHT, found.caught),
                (MISSED, found.missed),
                (FALSE, found.false),
                (UNDETERMINED, found.undetermined),
            )
        }
        counts: Counts = {**as_run.counts, **alarms}
        bills.append(spent({kind: draws @ one for kind, one in counts.items()}, prevented))
    return bills


def _band(values: Floats) -> tuple[float, float, float]:
    return interval(values) or (float(values[0]), np.nan, np.nan)


def _surely(draws: Floats) -> Bools:
    """Whether 97.5 % of the draws [ratios, draws] are below zero."""
    if not draws.shape[1]:
        return np.zeros(len(draws), dtype=np.bool_)
    found: Bools = np.quantile(draws, LEVELS[1], axis=1) < 0
    return found
