"""Two models judged on the same decisions: every figure's difference with its interval, by the same draws of machines.

Drawing the same machines for both takes out what makes one fleet dearer than another; what is left is the change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.evaluation import policies, probabilities
from forestall.evaluation.judge import Fold
from forestall.evaluation.policies import Plant
from forestall.evaluation.resampling import interval
from forestall.evaluation.tables import COST, HEADLINE
from forestall.training.series import Floats

Word = Literal["better", "worse", "no evidence"]
HALF_WIDTH = 1.96  # of a 95 % interval, in standard deviations


@dataclass(frozen=True)
class Judged:
    """A model on a fold: its alarms, what happened under them, and each figure in every draw, [1 + draws]."""

    fold: Fold
    alarms: pd.DataFrame
    ledger: pd.DataFrame
    figures: dict[str, Floats]


@dataclass(frozen=True)
class Difference:
    """A figure of both revisions, and head less base with its 95 % interval; missing where it is not defined."""

    metric: str
    base: float | None
    head: float | None
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Verdict:
    """One word for the primary figure, and the interval that it goes by: the bootstrap's, widened for the seed."""

    word: Word
    low: float | None
    high: float | None


def judged(fold: Fold, thresholds: dict[str, float], draws: Floats) -> Judged:
    """A model's alarms on a fold and what they come to; draws: [1 + draws, machines]."""
    alarms = fold.alarms(thresholds)
    rows = fold.ledger(alarms)
    plant, costs = Plant(fold.months, {}), fold.data.dataset.costs
    found = policies.alarm_figures(fold.tally(rows), plant, draws, costs, fold.data.hour)
    whose = fold.machines.get_indexer(pd.Index(fold.decisions["machine"]))
    found |= probabilities.row_figures(fold.labels(), fold.row_risk, whose, draws)
    return Judged(fold, alarms, rows, found)


def differences(base: Judged, head: Judged) -> list[Difference]:
    """Every headline figure of both, in the headline's order."""
    return [difference(name, base.figures[name], head.figures[name]) for name in HEADLINE]


def difference(metric: str, base: Floats, head: Floats) -> Difference:
    """A figure in every draw, of both."""
    found = interval(head - base)
    value, low, high = found or (head[0] - base[0], math.nan, math.nan)
    return Difference(metric, *(_defined(one) for one in (base[0], head[0], value, low, high)))


def verdict(cost: Difference, seed_spread: float | None) -> Verdict:
    """Whether the cost fell or rose beyond chance.

    Args:
        seed_spread: the standard deviation of a run's cost over seeds. Two runs differ by the square root of two times
            that; both sources of chance are independent, so the half-widths add as squares.
    """
    if cost.difference is None or cost.low is None or cost.high is None:
        return Verdict("no evidence", None, None)
    by_seed = HALF_WIDTH * math.sqrt(2) * (seed_spread or 0.0)
    low = cost.difference - math.hypot(cost.difference - cost.low, by_seed)
    high = cost.difference + math.hypot(cost.high - cost.difference, by_seed)
    word: Word = "better" if high < 0 else "worse" if low > 0 else "no evidence"
    return Verdict(word, low, high)


def least_favourable(found: list[Verdict]) -> Verdict:
    """Of several verdicts on one difference the one that says least for head."""
    return max(found, key=lambda one: ("better", "no evidence", "worse").index(one.word))


def cost_of(found: list[Difference]) -> Difference:
    """The primary figure's."""
    return next(one for one in found if one.metric == COST)


def same_decisions(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two tables hold the same decisions (machine, time, fold, labels) in the same order."""
    if list(one.columns) != list(other.columns) or len(one) != len(other):
        return False
    return all(_equal(one[name].to_numpy(), other[name].to_numpy()) for name in one)


def _equal(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> bool:
    return bool((one == other).all())


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
