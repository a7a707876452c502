"""Why risk changed: shares add up, and what was planted is found."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from forestall.monitoring.explain import FACTORS, explain_change

RISK = {("a", "young"): 0.02, ("a", "old"): 0.10, ("b", "young"): 0.05, ("b", "old"): 0.30}


def period(
    rows: dict[tuple[str, str], int], shift: float = 0.0, model: float = 1.0, seed: int | None = None
) -> pd.DataFrame:
    """So many rows of each model of machine and age; the new model says `model` times what the old one does."""
    cells = list(itertools.chain.from_iterable([cell] * count for cell, count in rows.items()))
    frame = pd.DataFrame(cells, columns=["mix", "age"])
    old = np.array([RISK[cell] + shift for cell in cells])
    if seed is not None:
        old = old * np.random.default_rng(seed).uniform(0.5, 1.5, len(old))
    return frame.assign(old=old, new=old * model)


EVEN = dict.fromkeys(RISK, 100)
MORE_B = {("a", "young"): 50, ("a", "old"): 50, ("b", "young"): 150, ("b", "old"): 150}
OLDER = {("a", "young"): 50, ("a", "old"): 150, ("b", "young"): 50, ("b", "old"): 150}


@pytest.mark.parametrize(
    ("after", "factor"),
    [
        (period(MORE_B), "mix"),
        (period(OLDER), "ages"),
        (period(EVEN, shift=0.05), "data"),
        (period(EVEN, model=1.5), "model"),
    ],
)
def test_one_planted_cause_is_the_whole_change(after: pd.DataFrame, factor: str) -> None:
    before = period(EVEN, model=1.5) if factor == "model" else period(EVEN)
    found = explain_change(before, after)
    assert abs(found.after - found.before) > 0.01
    expected = {name: found.after - found.before if name == factor else 0.0 for name in FACTORS}
    assert found.shares == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_shares_add_up_to_the_difference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = list(RISK)
    sizes = [dict(zip(cells, rng.integers(0, 60, len(cells)).tolist(), strict=True)) for _ in range(2)]
    before, after = (
        period(size | {cells[seed % 4]: 5}, rng.uniform(0, 0.1), rng.uniform(0.5, 2), seed + number)
        for number, size in enumerate(sizes)
    )
    found = explain_change(before, after)
    assert found.before == pytest.approx(before["old"].mean(), abs=1e-15)
    assert found.after == pytest.approx(after["new"].mean(), abs=1e-15)
    assert sum(found.shares.values()) == pytest.approx(found.after - found.before, abs=1e-14)
    assert len(set(found.shares.values())) > 2


def test_several_causes_get_about_what_was_planted() -> None:
    """Small changes hardly act on each other, so each has nearly what it does alone."""
    mix = {cell: 100 + (4 if cell[0] == "b" else -4) for cell in RISK}
    together = explain_change(period(EVEN, model=1.02), period(mix, shift=0.003, model=1.02))
    alone = {
        "mix": explain_change(period(EVEN), period(mix)).shares["mix"],
        "data": 0.003,
        "model": 0.02 * np.mean(list(RISK.values())),
        "ages": 0.0,
    }
    assert together.shares == pytest.approx(alone, rel=0.05, abs=1e-12)


def test_the_model_is_judged_on_old_and_new_data_alike() -> None:
    found = explain_change(period(EVEN, model=2.0), period(EVEN, shift=0.1, model=2.0))
    mean = np.mean(list(RISK.values()))
    assert found.shares["model"] == pytest.approx((mean + (mean + 0.1)) / 2)
    assert found.shares["data"] == pytest.approx((0.1 + 0.2) / 2)


def test_a_new_model_of_machine_is_mix_and_an_age_first_seen_is_ages() -> None:
    only_a = {("a", "young"): 100, ("a", "old"): 100}
    found = explain_change(period(only_a), period(EVEN))
    assert found.shares["mix"] == pytest.approx(found.after - found.before)
    young = {("a", "young"): 100, ("b", "young"): 100}
    found = explain_change(period(young), period(EVEN))
    assert found.shares["ages"] == pytest.approx(found.after - found.before)


def test_bad_input() -> None:
    good = period(EVEN)
    with pytest.raises(ValueError, match="after: no column 'new'"):
        explain_change(good, good.drop(columns="new"))
    with pytest.raises(ValueError, match="before: no rows"):
        explain_change(good.iloc[:0], good)
    with pytest.raises(ValueError, match="after: a value is missing"):
        explain_change(good, good.assign(age=None))
