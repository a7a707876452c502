"""Alarm thresholds, chosen on a fold that is not the test fold.

Candidates are values of risk near the top of a group of series: most decisions are about parts that are
far from failing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forestall.data.dataset import Costs
from forestall.training.alarms import Outcomes, foreseeable, outcomes_by_series
from forestall.training.series import Floats, Ints, Risk, Rules, Series

By = Literal["cost", "recall", "false_alarms", "alarms_per_week"]
CANDIDATES = 50
DIGITS = 4
LOWEST = 10.0**-DIGITS
NEVER = 1 + LOWEST
PRICES = np.geomspace(1e-3, 1e3, 241)  # of a false alarm, in missed failures


def choose_thresholds(
    series: Series, risk: Risk, rules: Rules, costs: Costs, by: By, most: float, min_failures: int
) -> dict[str, float]:
    """The threshold of each component, as `Levels.thresholds` chooses it.

    Args:
        risk: [S, T], NaN where there is no opinion.
        min_failures: components with fewer failures on the fold share a threshold.
    """
    return judged_levels(series, risk, rules, min_failures).thresholds(costs, by, most)


def judged_levels(series: Series, risk: Risk, rules: Rules, min_failures: int) -> Levels:
    """What each candidate does on a fold; to choose by several costs or budgets it is counted once."""
    groups = [
        _Group(names, *_counts(series.take(inside), risk[inside], rules))
        for names in groups_of(series, rules, min_failures)
        for inside in [np.isin(series.component, names)]
    ]
    return Levels(groups, series.components)


@dataclass(frozen=True)
class Levels:
    """Candidates of each group of components that share a threshold, judged."""

    groups: list[_Group]
    components: tuple[str, ...]

    def thresholds(self, costs: Costs, by: By, most: float = 0.0) -> dict[str, float]:
        """The threshold of each component.

        Args:
            by: `cost`, the lowest event cost; `false_alarms`, the most failures caught with so many false alarms;
                `alarms_per_week`, likewise with so many alarms, right or not; `recall`, the lowest threshold with so
                many false alarms, each group of components with its share: who spends the budget whether or not
                it catches more on this fold catches more of the failures that are unlike those of this fold.
            most: how many there may be on the fold, over all components; by cost without meaning.
        """
        if by == "cost":
            found = [group.middle(group.least(group.total.cost(costs))) for group in self.groups]
        elif by == "recall":
            found = [group.lowest(most / len(self.groups)) for group in self.groups]
        else:
            found = _within_budget(self.groups, most, by)
        chosen = {name: at for group, at in zip(self.groups, found, strict=True) for name in group.names}
        return {component: chosen[component] for component in self.components}


@dataclass(frozen=True)
class _Group:
    """Components that share a threshold, and what each level [K] does to them, [K]."""

    names: list[str]
    levels: Floats
    total: Outcomes

    @property
    def alarms(self) -> Ints:
        return self.total.right + self.total.false + self.total.undetermined

    def least(self, price: Floats) -> int:
        """The level of the lowest price [K]; of equal ones one with the fewest alarms, and of those the highest."""
        return len(price) - 1 - int(np.lexsort((self.alarms[::-1], price[::-1]))[0])

    def lowest(self, most: float) -> float:
        """The lowest level with so many false alarms at most."""
        return float(self.levels[self.total.false <= most][0])

    def middle(self, at: int) -> float:
        """The middle, in log odds, of the levels around one that raise the same alarms: as far as can be from other."""
        counts = np.stack([self.alarms, self.total.caught])
        changes = np.flatnonzero((np.diff(counts, axis=1) != 0).any(axis=0))
        run = np.searchsorted(changes, at)
        low = self.levels[changes[run - 1] + 1 if run else 0]
        high = self.levels[changes[run] if run < len(changes) else -1]
        odds = np.sqrt(low * high / np.maximum((1 - low) * (1 - high), LOWEST**2))
        return float(np.clip(np.round(odds / (1 + odds), DIGITS), low, high))


def groups_of(series: Series, rules: Rules, min_failures: int) -> Iterator[list[str]]:
    """Components with enough failures each by itself, then the others together."""
    counts = np.array([counted.sum() for counted in foreseeable(series, rules)], dtype=np.int64)
    failures = {name: int(counts[series.component == name].sum()) for name in series.components}
    yield from ([name] for name, count in failures.items() if count >= min_failures)
    few = [name for name, count in failures.items() if count < min_failures]
    if few:
        yield few


def candidates(series: Series, risk: Risk) -> Floats:
    """At most 2 x `CANDIDATES` thresholds, rising: values of risk at ranks that thin out, and one above all.

    Between two neighbouring values every threshold raises the same alarms: both ends of that gap are candidates.
    Risk may be 1 in float32; one above it never raises an alarm.
    """
    values = np.sort(risk[series.present])[::-1].astype(np.float64)
    if not values.size:
        return np.array([NEVER])
    # Risks are float32: 0.9 lies just below 0.9, and rounding it down first would leave no candidate above it.
    levels = np.floor(np.round(values * 10**DIGITS, 3)) / 10**DIGITS
    distinct = np.unique(levels)
    place = np.arange(len(distinct))
    if len(distinct) >= CANDIDATES:
        ranks = np.round(np.geomspace(1, max(len(values) // 2, 1), CANDIDATES - 1)).astype(np.int64) - 1
        place = np.searchsorted(distinct, levels[ranks])
    ends = np.append(distinct[place[place > 0] - 1], levels[0]) + LOWEST
    return np.unique(np.round(np.maximum(np.append(distinct[place], ends), LOWEST), DIGITS))


def _within_budget(groups: list[_Group], most: float, by: By) -> list[float]:
    """The most failures caught for so many alarms in all: one price of an alarm for every group, and what is left."""
    spent = [group.total.false if by == "false_alarms" else group.alarms for group in groups]
    for price in PRICES:
        picked = [
            group.least(group.total.missed + price * alarms)
            for group, alarms in zip(groups, spent, strict=True)
        ]
        left = most - sum(int(alarms[at]) for alarms, at in zip(spent, picked, strict=True))
        if left >= 0:
            _spend(groups, spent, picked, left)
            return [group.middle(at) for group, at in zip(groups, picked, strict=True)]
    return [float(group.levels[-1]) for group in groups]


def _spend(groups: list[_Group], spent: list[Ints], picked: list[int], left: float) -> None:
    """Lower one group after the other, in place, to where an alarm more catches most, until nothing fits in `left`."""
    while True:
        best, step = 0.0, None
        for number, (group, alarms, at) in enumerate(zip(groups, spent, picked, strict=True)):
            gain, price = group.total.caught - group.total.caught[at], alarms - alarms[at]
            worth = np.where((gain > 0) & (price <= left), gain / np.maximum(price, LOWEST), 0.0)
            if worth.max() > best:
                best, step = float(worth.max()), (number, int(worth.argmax()))
        if step is None:
            return
        number, at = step
        left -= float(spent[number][at] - spent[number][picked[number]])
        picked[number] = at


def _counts(series: Series, risk: Risk, rules: Rules) -> tuple[Floats, Outcomes]:
    levels = candidates(series, risk)
    return levels, outcomes_by_series(series, risk, levels, rules).over()
