"""Alarm thresholds, chosen on a fold that is not the test fold.

Candidates are values of risk near the top of a group of series: most decisions are about parts that are
far from failing. Among equally good candidates the highest is taken: fewer alarms for the same worth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from forestall.data.dataset import Costs
from forestall.training.alarms import Outcomes, foreseeable, outcomes_by_series
from forestall.training.series import Bools, Floats, Risk, Rules, Series

By = Literal["cost", "recall", "false_alarms"]
CANDIDATES = 60
DIGITS = 4
LOWEST = 10.0**-DIGITS


def choose_thresholds(
    series: Series,
    risk: Risk,
    rules: Rules,
    costs: Costs,
    by: By,
    budget: float,
    min_failures: int,
    machine_months: float,
) -> dict[str, float]:
    """The threshold of each component.

    Args:
        risk: [S, T], NaN where there is no opinion.
        by: `cost`, lowest event cost, at the highest such threshold; `recall`, the most failures caught, then
            the fewest false alarms, at the lowest such threshold;
            `false_alarms`, the lowest that keeps to the budget, shared by all components.
        budget: for `false_alarms`: false alarms a machine-month, over all components.
        min_failures: components with fewer failures on the fold share a threshold.
        machine_months: what the fold covers.
    """
    if by == "false_alarms":
        shared = _lowest_within(series, risk, rules, budget * machine_months)
        return dict.fromkeys(series.components, shared)
    chosen: dict[str, float] = {}
    for names in groups(series, rules, min_failures):
        inside = np.isin(series.component, names)
        threshold = _best(series.take(inside), risk[inside], rules, costs, by)
        chosen |= dict.fromkeys(names, threshold)
    return {component: chosen[component] for component in series.components}


def groups(series: Series, rules: Rules, min_failures: int) -> Iterator[list[str]]:
    """Components with enough failures each by itself, then the others together."""
    counts = np.array([counted.sum() for counted in foreseeable(series, rules)], dtype=np.int64)
    failures = {name: int(counts[series.component == name].sum()) for name in series.components}
    yield from ([name] for name, count in failures.items() if count >= min_failures)
    few = [name for name, count in failures.items() if count < min_failures]
    if few:
        yield few


def candidates(series: Series, risk: Risk) -> Floats:
    """At most `CANDIDATES` thresholds, rising: values of risk, at ranks that thin out, and one above all."""
    values = np.sort(risk[series.present])[::-1].astype(np.float64)
    if not values.size:
        return np.array([1.0])
    levels = np.floor(values * 10**DIGITS) / 10**DIGITS
    distinct = np.unique(levels)
    if len(distinct) >= CANDIDATES:
        ranks = np.round(np.geomspace(1, max(len(values) // 2, 1), CANDIDATES - 1)).astype(np.int64) - 1
        distinct = levels[ranks]
    above_all = min(float(levels[0]) + LOWEST, 1.0)
    return np.unique(np.round(np.maximum(np.append(distinct, above_all), LOWEST), DIGITS))


def _best(series: Series, risk: Risk, rules: Rules, costs: Costs, by: By) -> float:
    levels, total = _counts(series, risk, rules)
    if by == "recall":
        most = total.caught == total.caught.max()
        return _lowest(levels, most & (total.false == total.false[most].min()))
    cost = total.cost(costs)
    return _highest(levels, cost == cost.min())


def _lowest_within(series: Series, risk: Risk, rules: Rules, most: float) -> float:
    levels, total = _counts(series, risk, rules)
    kept = total.false <= most
    return _lowest(levels, kept) if kept.any() else float(levels[-1])


def _counts(series: Series, risk: Risk, rules: Rules) -> tuple[Floats, Outcomes]:
    levels = candidates(series, risk)
    return levels, outcomes_by_series(series, risk, levels, rules).over()


def _lowest(levels: Floats, allowed: Bools) -> float:
    return float(levels[allowed][0])


def _highest(levels: Floats, allowed: Bools) -> float:
    return float(levels[allowed][-1])
