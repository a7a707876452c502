"""How long parts live, and what replacing them at an age would cost: the policies that heed no sensor.

Lives are Weibull, as in Barlow and Hunter, "Optimum Preventive Maintenance Policies", Operations Research 8 (1960)
90-100, whose age replacement this is: a part is replaced `interval` after it was put in, or when it fails, whichever
comes first. What would have failed under another schedule was never observed; these are expectations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.dataset import Costs
from forestall.evaluation.ledger import Spent, judged_spans
from forestall.training.series import Bools, Floats, Ints, Rules, Series

SHAPES = np.geomspace(0.5, 8.0, 161)
INTERVALS = 200
NODES, SHARES = np.polynomial.legendre.leggauss(64)
NEVER = math.inf


@dataclass(frozen=True)
class Wear:
    """A component's lives: Weibull, ages in ticks. shape 1: no wear, age says nothing. scale inf: none failed."""

    shape: float
    scale: float
    failures: int


@dataclass(frozen=True)
class Exposure:
    """What parts went through in a fold, by group: ticks in use, failures, and the sum of age^shape run through."""

    ticks: Floats
    failures: Floats
    worn: Floats


def lives(series: Series, rules: Rules, born: int | None) -> pd.DataFrame:
    """The pieces of parts' lives that fall into the judged span of a fold.

    Args:
        born: when parts without a known beginning were new, on a clock that starts with the machine.

    Returns:
        machine, component, start, stop (ages in ticks; NaN where the part's beginning is not known), ticks (in
        use), failed.
    """
    rows = []
    for number, (first, last) in enumerate(zip(*judged_spans(series, rules), strict=True)):
        begun = np.array([] if born is None else [born], dtype=np.float64)
        renewed = np.unique(np.concatenate([begun, series.renewed[number]]))
        cuts = np.concatenate([[first], renewed[(renewed > first) & (renewed <= last)], [last]])
        start, stop = cuts[:-1], cuts[1:]
        since = np.append(np.nan, renewed)[np.searchsorted(renewed, start, side="right")]
        failed = np.isin(stop, series.failures[number])
        name, part = series.machine[number], series.component[number]
        rows += [
            (name, part, *one)
            for one in zip(start - since, stop - since, stop - start, failed, strict=True)
            if one[2] > 0
        ]
    return pd.DataFrame(rows, columns=["machine", "component", "start", "stop", "ticks", "failed"])


def fit_wear(pieces: pd.DataFrame, least: int) -> Wear:
    """The likeliest Weibull of one component's pieces of life: cut at both ends, those in between are known.

    With fewer than `least` failures of a known age the shape is 1: so few say nothing about wear.
    """
    known = pieces[pieces["start"].notna()]
    failed = known["failed"].to_numpy(dtype=bool)
    shape = 1.0
    if failed.sum() >= least:
        worn = np.array([_worn(known, one).sum() for one in SHAPES])
        ages = np.log(known.loc[failed, "stop"].to_numpy(dtype=np.float64)).sum()
        count = failed.sum()
        shape = float(SHAPES[np.argmax(count * np.log(SHAPES) + (SHAPES - 1) * ages - count * np.log(worn))])
    seen = exposure(pieces, np.zeros(len(pieces), np.int64), 1, shape)
    return Wear(shape, float(scale_of(shape, seen)[0]), int(pieces["failed"].sum()))


def exposure(pieces: pd.DataFrame, group: Ints, groups: int, shape: float) -> Exposure:
    """What each group's pieces of life come to. Without wear ages do not matter, known or not."""
    known = np.full(len(pieces), True) if shape == 1.0 else pieces["start"].notna().to_numpy()

    def total(values: npt.NDArray[Any], which: Bools) -> Floats:
        sums = np.bincount(group[which], weights=values[which].astype(np.float64), minlength=groups)
        return sums.astype(np.float64)

    every = np.full(len(pieces), True)
    return Exposure(
        total(pieces["ticks"].to_numpy(), every),
        total(pieces["failed"].to_numpy(), known),
        total(_worn(pieces, shape), known),
    )


def scale_of(shape: float, seen: Exposure) -> Floats:
    """The likeliest scale for a shape: with it as many failures are expected of the ages run through as were seen."""
    failures = np.where(seen.failures > 0, seen.failures, 1.0)
    scale: Floats = np.where(seen.failures > 0, (seen.worn / failures) ** (1 / shape), np.inf)
    return scale


def replaced_at(interval: float, shape: float, seen: Exposure) -> Spent:
    """What replacing at an age costs in the long run, over the same time in use: expected breakdowns and work."""
    scale = scale_of(shape, seen)
    failing = np.isfinite(scale)
    finite = np.where(failing, scale, 1.0)
    if math.isinf(interval):
        cycle, survive = finite * math.gamma(1 + 1 / shape), np.zeros_like(finite)
    else:
        ages = (1 + NODES) * interval / 2
        cycle = interval / 2 * (np.exp(-((ages / finite[..., None]) ** shape)) @ SHARES)
        survive = np.exp(-((interval / finite) ** shape))
    rounds = np.where(failing, seen.ticks / np.where(cycle > 0, cycle, 1.0), seen.ticks / interval)
    alive = np.where(failing, survive, 0.0 if math.isinf(interval) else 1.0)
    broken = np.where(failing, rounds * (1 - survive), 0.0)
    return Spent(broken, rounds * alive, np.zeros_like(rounds))


def best_interval(wear: Wear, costs: Costs, step: int) -> float:
    """The age, in whole steps, at which replacing costs least in the long run; infinite if never is as good."""
    if wear.shape <= 1.0 or math.isinf(wear.scale):
        return NEVER
    mean = wear.scale * math.gamma(1 + 1 / wear.shape)
    ages = np.unique(np.maximum(np.round(mean / step * np.geomspace(0.02, 3.0, INTERVALS)), 1.0)) * step
    one = Exposure(np.ones(1), np.ones(1), np.array([wear.scale**wear.shape]))
    price = [float(replaced_at(age, wear.shape, one).cost(costs)[0]) for age in [*ages, NEVER]]
    best = int(np.argmin(price))
    return float(ages[best]) if price[best] < price[-1] and best < len(ages) - 1 else NEVER


def _worn(pieces: pd.DataFrame, shape: float) -> Floats:
    """age^shape at the end of each piece less that at its start."""
    if shape == 1.0:
        return pieces["ticks"].to_numpy(dtype=np.float64)
    stop, start = pieces["stop"].to_numpy(dtype=np.float64), pieces["start"].to_numpy(dtype=np.float64)
    return stop**shape - start**shape
