"""Lives of parts: pieces by hand, shapes that were planted, and the age at which replacing is cheapest."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from forestall.evaluation.lifetimes import (
    NEVER,
    Exposure,
    Wear,
    best_interval,
    exposure,
    fit_wear,
    lives,
    replaced_at,
    scale_of,
)

from .fold import COSTS, RULES, one_part


def simulated(shape: float, scale: float, parts: int = 40_000, seed: int = 0) -> pd.DataFrame:
    """Parts first seen at some age, and cut at another."""
    random = np.random.default_rng(seed)
    life = scale * random.weibull(shape, parts)
    start = random.uniform(0, 0.8 * scale, parts)
    stop = np.minimum(life, start + random.uniform(0.1, 1.5, parts) * scale)
    rows = pd.DataFrame({"start": start, "stop": stop, "ticks": stop - start, "failed": stop == life})
    return rows[life > start].assign(component="pump", machine="m1")


def test_pieces_of_lives_by_hand() -> None:
    # Judged from 2 (the first decision and min_lead) to 109 (the last and the horizon).
    series = one_part(100, failures=[50], replaced=[20, 52])
    found = lives(series, RULES, born=None)
    assert found["start"].tolist()[1:] == [0, 0, 0]
    assert np.isnan(found["start"].iloc[0])
    assert found[["ticks", "failed"]].to_numpy().tolist() == [
        [18, False],
        [30, True],
        [2, False],
        [57, False],
    ]
    assert lives(series, RULES, born=0)["start"].tolist() == [2, 0, 0, 0]


def test_a_failure_at_the_very_end_is_counted_once() -> None:
    found = lives(one_part(100, failures=[109]), RULES, born=0)
    assert found[["start", "stop", "failed"]].to_numpy().tolist() == [[2, 109, True]]


@pytest.mark.parametrize("shape", [0.8, 1.5, 3.0])
def test_a_planted_shape_is_found_though_lives_are_cut_at_both_ends(shape: float) -> None:
    found = fit_wear(simulated(shape, 1000.0), least=5)
    assert found.shape == pytest.approx(shape, rel=0.06)
    assert found.scale == pytest.approx(1000.0, rel=0.05)


def test_few_failures_say_nothing_about_wear() -> None:
    pieces = simulated(3.0, 1000.0, parts=8)
    failures = int(pieces["failed"].sum())
    found = fit_wear(pieces, least=failures + 1)
    assert (found.shape, found.scale) == (1.0, pieces["ticks"].sum() / failures)
    assert best_interval(found, COSTS, 10) == NEVER


def test_as_many_failures_are_expected_as_were_seen() -> None:
    pieces = simulated(2.0, 1000.0, parts=50)
    seen = exposure(pieces, np.zeros(len(pieces), np.int64), 1, 2.0)
    hazard = (
        (pieces["stop"] / scale_of(2.0, seen)[0]) ** 2 - (pieces["start"] / scale_of(2.0, seen)[0]) ** 2
    ).sum()
    assert hazard == pytest.approx(seen.failures[0])


def one(shape: float, scale: float, ticks: float = 1.0) -> Exposure:
    return Exposure(np.array([ticks]), np.ones(1), np.array([scale**shape]))


@pytest.mark.parametrize("interval", [300.0, 800.0, NEVER])
def test_costs_of_an_interval_are_those_of_parts_replaced_by_it(interval: float) -> None:
    life = 1000.0 * np.random.default_rng(0).weibull(2.5, 400_000)
    ticks = np.minimum(life, interval).sum()
    bill = replaced_at(interval, 2.5, one(2.5, 1000.0, ticks))
    assert bill.breakdowns[0] == pytest.approx((life < interval).sum(), rel=0.01)
    assert bill.replacements[0] == pytest.approx((life >= interval).sum(), rel=0.01)


def test_without_failures_only_the_replacements_are_paid_for() -> None:
    seen = Exposure(np.array([1000.0]), np.zeros(1), np.zeros(1))
    assert replaced_at(100.0, 2.0, seen).replacements.tolist() == [10.0]
    assert replaced_at(NEVER, 2.0, seen).cost(COSTS).tolist() == [0.0]
    assert best_interval(Wear(2.0, math.inf, 0), COSTS, 10) == NEVER


def test_the_best_interval_is_where_no_other_is_cheaper() -> None:
    found = best_interval(Wear(3.0, 1000.0, 50), COSTS, 10)
    price = {age: replaced_at(age, 3.0, one(3.0, 1000.0)).cost(COSTS)[0] for age in range(10, 3000, 10)}
    assert price[int(found)] == pytest.approx(min(price.values()), rel=1e-3)
    assert price[int(found)] < replaced_at(NEVER, 3.0, one(3.0, 1000.0)).cost(COSTS)[0]


@pytest.mark.parametrize("shape", [0.7, 1.0])
def test_a_part_that_does_not_wear_is_never_replaced_early(shape: float) -> None:
    assert best_interval(Wear(shape, 1000.0, 50), COSTS, 10) == NEVER


def test_planned_work_as_dear_as_a_failure_is_never_done_early() -> None:
    dear = COSTS.model_copy(update={"planned": COSTS.failure})
    assert best_interval(Wear(3.0, 1000.0, 50), dear, 10) == NEVER
