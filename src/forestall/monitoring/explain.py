"""Why did the fleet's risk change between two periods? Shares of the fleet's mix, parts' ages, data and the model.

The mean risk of a period is a sum over machines' models m and ages of parts a, of
weight(m) x weight(a | m) x mean risk(m, a). Each of these, and who scores, can be those of either period, which gives
16 means; the share of a factor is by how much swapping it moves the mean, on average over all orders of swapping:
Shapley's value ("A Value for n-Person Games", 1953; Shorrocks, "Decomposition procedures for distributional analysis",
Journal of Economic Inequality 11, 2013). Such means are Kitagawa's ("Components of a Difference Between Two Rates",
JASA 50, 1955); one period's rows weighted as if they had the other's mix are DiNardo, Fortin, Lemieux, Econometrica 64,
1996.

- `mix`: other models of machines. `ages`: older or younger parts of the same models, by wear and by the plant's
  maintenance alike: what planned work alone did would need the ages that parts had had without it, which nobody saw.
- `model`: the old model on new data, and the new model on old data.
- `data`: the rest, other inputs from like parts.

A model of machine or an age that only one period has brings its risk along: all that it moves is mix or ages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import factorial, fsum

import numpy as np
import pandas as pd

from forestall.training.series import Floats

FACTORS = ("mix", "ages", "data", "model")
COLUMNS = ["mix", "age", "old", "new"]
State = tuple[int, int, int, int]  # 0 for before, 1 for after, in the order of FACTORS


@dataclass(frozen=True)
class Change:
    """Mean risk before (by the old model) and after (by the new one); shares by factor add up to the difference."""

    before: float
    after: float
    shares: Mapping[str, float]


def explain_change(before: pd.DataFrame, after: pd.DataFrame) -> Change:
    """What moved the mean risk of the rows.

    Args:
        before, after: a row for each decision about a part: mix (what the fleet is made of: the machine's model, and
            the component, if there are several), age (a band of the part's age), old and new (its risk by either model;
            alike where the model is the same).

    Raises:
        ValueError: a column is missing, a period has no rows, or a value is missing.
    """
    periods = [_period(name, frame) for name, frame in (("before", before), ("after", after))]
    cells = pd.concat(periods, axis=1, keys=[0, 1])
    means = _means(cells)
    shares = {factor: _share(means, place) for place, factor in enumerate(FACTORS)}
    return Change(means[0, 0, 0, 0], means[1, 1, 1, 1], shares)


def _period(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """By mix and age: the share of rows, and the mean risk by the old and by the new model."""
    missing = [column for column in COLUMNS if column not in frame]
    if missing:
        raise ValueError(f"{name}: no column {missing[0]!r}")
    if frame.empty or frame[COLUMNS].isna().any(axis=None):
        raise ValueError(f"{name}: {'no rows' if frame.empty else 'a value is missing'}")
    rows = frame[COLUMNS].astype({"old": "float64", "new": "float64"}).groupby(["mix", "age"], sort=True)
    return rows.mean().assign(weight=rows.size() / len(frame))


def _means(cells: pd.DataFrame) -> dict[State, float]:
    """The mean risk of each state. cells: (before, after) x (weight, old, new) by mix and age."""
    weight = pd.DataFrame({period: cells[period, "weight"].fillna(0.0) for period in (0, 1)})
    totals = weight.groupby(level="mix").sum()
    mix = [
        totals[period].reindex(cells.index.get_level_values("mix")).to_numpy(dtype=np.float64)
        for period in (0, 1)
    ]
    within = [_divided(weight[period].to_numpy(dtype=np.float64), mix[period]) for period in (0, 1)]
    ages = [_or(within[period], within[1 - period]) for period in (0, 1)]
    risk = {
        (period, model): _or(*(cells[p, name].to_numpy(dtype=np.float64) for p in (period, 1 - period)))
        for period in (0, 1)
        for model, name in enumerate(("old", "new"))
    }
    return {(m, a, d, s): fsum(mix[m] * ages[a] * risk[d, s]) for m, a, d, s in product((0, 1), repeat=4)}


def _divided(part: Floats, whole: Floats) -> Floats:
    found: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return found


def _or(values: Floats, others: Floats) -> Floats:
    """The values, or those of the other period where this one has none."""
    found: Floats = np.where(np.isnan(values), others, values)
    return found


def _share(means: Mapping[State, float], place: int) -> float:
    """Shapley's value of a factor."""
    terms, count = [], len(FACTORS)
    for state in means:
        if state[place] == 0:
            swapped = (*state[:place], 1, *state[place + 1 :])
            done = sum(state)
            weight = factorial(done) * factorial(count - 1 - done) / factorial(count)
            terms.append(weight * (means[swapped] - means[state]))  # type: ignore[index]
    return fsum(terms)
