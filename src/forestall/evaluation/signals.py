"""What changes before failures: each feature's values by time to failure, against healthy ones.

The effect of a feature at some time before a failure is the chance that its value there is above a healthy one
(the area under the ROC curve, a rank statistic): 0.5 is no effect. Intervals are 95 %, from a bootstrap that draws
whole machines; healthy values, of which there are many, are taken as known. Leads are counted in decision steps: step b
stands for a time in ((b - 1) steps, b steps] before the failure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.features.labels import NOT_APPLICABLE
from forestall.features.reference import Matrix

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DRAWS = 1000
NO_EFFECT, SMALLEST_EFFECT = 0.5, 0.02
TAIL = 2.5  # percent on either side of the interval
LONG_AGO = -(2**60)
NOWHERE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Before:
    """The decisions before failures of one component, and the healthy ones.

    machine: [N], of each failure. time: [N], ticks. row: [N, B], the decision at each lead, -1 without one.
    healthy, healthy_machine: positions of healthy decisions, and whose they are.
    """

    machine: npt.NDArray[np.object_]
    time: Ints
    row: Ints
    healthy: Ints
    healthy_machine: npt.NDArray[np.object_]


def before_failures(
    decisions: pd.DataFrame,
    component: str,
    failures: pd.DataFrame,
    renewals: pd.DataFrame,
    every: int,
    steps: int,
    lookback: int,
) -> Before:
    """The decisions up to `steps` steps before each failure of a component.

    Those before its last replacement are about another part, and left out. Healthy is a decision with no failure of the
    machine in its lookback nor in the `steps` steps after it, if the machine has the component.

    Args:
        decisions: machine, time and label.<component> of decisions with an opinion.
        failures, renewals: machine, time, component; renewals are replacements, after failures too.
    """
    own = failures[failures["component"] == component].sort_values(["machine", "time"], kind="stable")
    time = decisions["time"].to_numpy(dtype=np.int64)
    places = {
        str(m): np.asarray(at, dtype=np.int64) for m, at in decisions.groupby("machine").indices.items()
    }
    since = _renewed_before(own, renewals[renewals["component"] == component])
    rows = [
        _rows(places.get(str(machine), NOWHERE), time, moment, renewed, every, steps)
        for machine, moment, renewed in zip(own["machine"], own["time"], since, strict=True)
    ]
    healthy = decisions[f"label.{component}"].to_numpy() != NOT_APPLICABLE
    for machine, moment in zip(failures["machine"], failures["time"], strict=True):
        near = places.get(str(machine), NOWHERE)
        healthy[near[(time[near] >= moment - every * steps) & (time[near] <= moment + lookback)]] = False
    return Before(
        own["machine"].to_numpy(dtype=object),
        own["time"].to_numpy(dtype=np.int64),
        np.array(rows, dtype=np.int64).reshape(-1, steps),
        np.flatnonzero(healthy),
        decisions["machine"].to_numpy(dtype=object)[healthy],
    )


def _renewed_before(failures: pd.DataFrame, renewals: pd.DataFrame) -> list[int]:
    """When the part of each failure was put in; long ago where that is not known."""
    times = {machine: np.sort(rows.to_numpy()) for machine, rows in renewals.groupby("machine")["time"]}
    found = []
    for machine, moment in zip(failures["machine"], failures["time"], strict=True):
        own = times.get(machine, NOWHERE)
        place = np.searchsorted(own, moment, side="left")
        found.append(int(own[place - 1]) if place else LONG_AGO)
    return found


def _rows(places: Ints, time: Ints, moment: int, since: int, every: int, steps: int) -> Ints:
    lead = moment - time[places]
    step = -(-lead // every)
    kept = (lead > 0) & (step <= steps) & (time[places] >= since)
    result = np.full(steps, -1, dtype=np.int64)
    result[step[kept] - 1] = places[kept]
    return result


def healthy_ranks(values: Matrix, before: Before) -> Floats:
    """Share of healthy values below each failure's, ties halved, [N, B, F]; NaN without a decision."""
    result = np.full((*before.row.shape, values.shape[1]), np.nan)
    known = before.row >= 0
    result[known] = ranks_among(values[before.row[known]], values[before.healthy])
    return result


def ranks_among(values: Matrix, others: Matrix) -> Floats:
    """Share of the others below each value, column by column, ties halved, [rows, F]."""
    result = np.empty(values.shape)
    for column in range(values.shape[1]):
        ordered = np.sort(others[:, column])
        below = np.searchsorted(ordered, values[:, column], side="left")
        upto = np.searchsorted(ordered, values[:, column], side="right")
        result[:, column] = (below + upto) / (2 * max(len(ordered), 1))
    return result


def effects(
    ranks: Floats, machine: npt.NDArray[np.object_], seed: int, draws: int = DRAWS
) -> tuple[Floats, Floats, Floats]:
    """Mean rank and its interval, each [B, F], from ranks [N, B, F]; NaN without failures."""
    if not len(ranks):
        nothing = np.full(ranks.shape[1:], np.nan)
        return nothing, nothing, nothing
    names, owner = np.unique(machine.astype(str), return_inverse=True)
    known = ~np.isnan(ranks)
    shape = (len(names), *ranks.shape[1:])
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, owner, np.where(known, ranks, 0.0))
    np.add.at(count, owner, known.astype(np.float64))
    weights = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    drawn = _ratio(*(np.asarray(np.tensordot(weights, one, 1), np.float64) for one in (total, count)))
    middle = _ratio(total.sum(axis=0), count.sum(axis=0))
    low, high = np.full_like(middle, np.nan), np.full_like(middle, np.nan)
    filled = ~np.isnan(middle)
    low[filled], high[filled] = np.nanpercentile(drawn[:, filled], [TAIL, 100 - TAIL], axis=0)
    return middle, low, high


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def onset_steps(middle: Floats, low: Floats, high: Floats) -> Ints:
    """For each feature the lead, in steps, from which on its effect [B, F] is clear at every step to the failure.

    Clear is an interval without 0.5 and an effect that is not tiny, always on the same side.
    """
    side = np.where(low > NO_EFFECT, 1, np.where(high < NO_EFFECT, -1, 0))
    clear = (side != 0) & (np.abs(middle - NO_EFFECT) >= SMALLEST_EFFECT) & (side == side[:1])
    return np.asarray(np.logical_and.accumulate(clear, axis=0).sum(axis=0), dtype=np.int64)
