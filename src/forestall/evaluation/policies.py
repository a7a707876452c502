"""Policies, judged by one account: what breaks down, what is replaced as planned, what is inspected for nothing.

Policies of alarms come on top of what the plant replaced as planned, and pay for it like the plant. `as_run` is the
plant without alarms; `perfect_foresight` catches every failure that counts, with no other alarm. What a fixed interval
or no planned work at all would have led to was not observed: these are expectations (see `lifetimes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forestall.data.dataset import Costs
from forestall.evaluation.ledger import CAUGHT, KINDS, MISSED, NAMED, WARNED, Counts, Spent, counts_by, spent
from forestall.evaluation.lifetimes import (
    NEVER,
    Exposure,
    Wear,
    best_interval,
    exposure,
    fit_wear,
    replaced_at,
)
from forestall.evaluation.resampling import quantile
from forestall.evaluation.scores import LEADS, bill_scores, event_scores
from forestall.training.alarms import FALSE, RIGHT, UNDETERMINED
from forestall.training.series import Floats, Ints

MODEL, RULE, FIXED, AS_RUN = "model", "one_line_rule", "fixed_interval", "as_run"
UNTIL_FAILURE, FORESIGHT = "run_to_failure", "perfect_foresight"
POLICIES = (MODEL, RULE, FIXED, AS_RUN, UNTIL_FAILURE, FORESIGHT)
ALARM_KINDS = (RIGHT, FALSE, UNDETERMINED, WARNED, NAMED)


@dataclass(frozen=True)
class Tally:
    """What alarms did on a fold, by machine: counts of each kind [machines], and caught failures' leads [L]."""

    counts: Counts
    leads: Floats
    whose: Ints


@dataclass(frozen=True)
class Plant:
    """A fold's machines: their months [machines], and what their parts went through, by component."""

    months: Floats
    parts: Mapping[str, tuple[float, Exposure]]


def tally(rows: pd.DataFrame, machines: pd.Index) -> Tally:
    """A ledger's counts and leads (in ticks) by machine."""
    group = machines.get_indexer(pd.Index(rows["machine"])).astype(np.int64)
    caught = (rows["kind"] == CAUGHT).to_numpy()
    return Tally(
        counts_by(rows, group, len(machines)),
        rows.loc[caught, "lead"].to_numpy(dtype=np.float64),
        group[caught],
    )


def without_alarms(one: Tally) -> Tally:
    """As if nobody had raised an alarm: the plant as it ran."""
    failures, none = one.counts[CAUGHT] + one.counts[MISSED], np.zeros_like(one.counts[CAUGHT])
    changed = {CAUGHT: none, MISSED: failures} | dict.fromkeys(ALARM_KINDS, none)
    return Tally({**one.counts, **changed}, np.empty(0), np.empty(0, np.int64))


def foreseen(one: Tally) -> Tally:
    """As if every failure that counts had been caught, with no other alarm."""
    failures, none = one.counts[CAUGHT] + one.counts[MISSED], np.zeros_like(one.counts[CAUGHT])
    changed = {CAUGHT: failures, MISSED: none, FALSE: none, UNDETERMINED: none}
    changed |= dict.fromkeys((RIGHT, WARNED, NAMED), failures)
    return Tally({**one.counts, **changed}, np.empty(0), np.empty(0, np.int64))


def fit_parts(pieces: pd.DataFrame, components: list[str], least: int) -> dict[str, Wear]:
    """How each component wears, from the pieces of life of a fold."""
    return {name: fit_wear(pieces[pieces["component"] == name], least) for name in components}


def intervals_of(parts: Mapping[str, Wear], costs: Costs, step: int) -> dict[str, float]:
    """At what age each component is best replaced, in ticks; infinite for never."""
    return {name: best_interval(wear, costs, step) for name, wear in parts.items()}


def plant_of(
    pieces: pd.DataFrame, months: Floats, machines: pd.Index, parts: Mapping[str, Wear], least: int = 1
) -> Plant:
    """A fold's machines. The shape of wear is the training fold's; where no part's age is known, there is none."""
    found = {}
    for name, wear in parts.items():
        own = pieces[pieces["component"] == name]
        shape = wear.shape if own["start"].notna().sum() >= least else 1.0
        group = machines.get_indexer(pd.Index(own["machine"])).astype(np.int64)
        found[name] = shape, exposure(own, group, len(machines), shape)
    return Plant(months, found)


def alarm_figures(one: Tally, plant: Plant, draws: Floats, costs: Costs, hour: float) -> dict[str, Floats]:
    """Every score of events in each draw, [draws]."""
    counts = {kind: draws @ one.counts[kind] for kind in KINDS}
    leads = {name: quantile(one.leads / hour, one.whose, draws, share) for name, share in LEADS.items()}
    return event_scores(counts, draws @ plant.months, costs) | leads


def age_figures(
    intervals: Mapping[str, float], plant: Plant, draws: Floats, costs: Costs
) -> dict[str, Floats]:
    """What replacing at fixed ages is expected to come to in each draw, [draws]."""
    return bill_scores(age_bill(intervals, plant, draws), draws @ plant.months, costs)


def age_bill(intervals: Mapping[str, float], plant: Plant, draws: Floats) -> Spent:
    """What replacing at fixed ages pays for in each draw, [draws], over all components."""
    bills = []
    for name, (shape, seen) in plant.parts.items():
        sums = Exposure(draws @ seen.ticks, draws @ seen.failures, draws @ seen.worn)
        bills.append(replaced_at(intervals[name], shape, sums))
    zero = np.zeros(len(draws))
    return Spent(
        sum((one.breakdowns for one in bills), zero),
        sum((one.replacements for one in bills), zero),
        zero,
    )


def alarm_bill(one: Tally, draws: Floats, prevented: float) -> Spent:
    """What alarms pay for in each draw, [draws]."""
    return spent({kind: draws @ one.counts[kind] for kind in KINDS}, prevented)


def figures(
    model: Tally,
    rule: Tally,
    intervals: Mapping[str, float],
    plant: Plant,
    draws: Floats,
    costs: Costs,
    hour: float,
) -> dict[str, dict[str, Floats]]:
    """Every policy's figures in each draw: policy -> name -> [draws]; NaN where one is not defined."""
    alarms = {MODEL: model, RULE: rule, AS_RUN: without_alarms(model), FORESIGHT: foreseen(model)}
    ages = {FIXED: intervals, UNTIL_FAILURE: dict.fromkeys(intervals, NEVER)}
    found = {name: alarm_figures(one, plant, draws, costs, hour) for name, one in alarms.items()}
    found |= {name: age_figures(one, plant, draws, costs) for name, one in ages.items()}
    return {name: found[name] for name in POLICIES}
