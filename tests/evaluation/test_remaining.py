"""Remaining life, judged on lives drawn from the curves themselves, and on some that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forestall.evaluation.brier import brier_of_rates, brier_skill, integrated_brier
from forestall.evaluation.remaining import COLUMNS, LEAST, life_figures, life_table, time_to_failure
from forestall.evaluation.resampling import drawn
from forestall.training.remaining import remaining_life
from forestall.training.series import Floats, Ints
from tests.plant import DAY, START

from . import small
from .test_resampling import rows_of

HORIZONS = (24, 72, 168)
MACHINES = 40


def drawn_lives(rows: int = 40_000, seed: int = 0) -> tuple[Floats, Floats, Ints]:
    """Curves, lives that follow them, and machines."""
    random = np.random.default_rng(seed)
    curves = np.sort(random.random((rows, 3)) ** 0.5, axis=1)
    share = random.random(rows)
    life = [remaining_life(curve, HORIZONS, one) for curve, one in zip(curves, share, strict=True)]
    return curves, np.array(life), random.integers(0, MACHINES, rows)


@pytest.fixture(scope="module")
def right() -> tuple[Floats, Floats, Ints]:
    return drawn_lives()


def figures(curves: Floats, life: Floats, whose: Ints, hour: int = 1) -> dict[str, float]:
    found = life_figures(curves, life, HORIZONS, hour, whose, drawn(MACHINES, 10))
    return {name: float(values[0]) for name, values, _ in found}


def test_of_right_curves_the_shares_are_those_promised(right: tuple[Floats, Floats, Ints]) -> None:
    found = figures(*right)
    for name, share in (("failed_by_p10", 0.1), ("failed_by_p50", 0.5), ("failed_by_p90", 0.9)):
        assert found[name] == pytest.approx(share, abs=0.015)
    assert found["integrated_brier_skill"] > 0.05


def test_times_too_late_and_too_early_are_told_apart(right: tuple[Floats, Floats, Ints]) -> None:
    curves, life, whose = right
    late, early = figures(curves**2, life, whose), figures(curves**0.5, life, whose)
    for name, share in (("failed_by_p10", 0.1), ("failed_by_p50", 0.5)):
        assert early[name] < share - 0.03 < share + 0.03 < late[name]
    assert figures(*right)["integrated_brier"] < min(late["integrated_brier"], early["integrated_brier"])


def test_figures_by_hand() -> None:
    curves = np.array([[0.5, 0.8, 1.0], [0.5, 0.8, 1.0], [0.1, 0.2, 0.5], [0.0, 0.0, 0.05], [0.0, 0.0, 0.05]])
    life = np.array([12.0, 40.0, np.inf, 100.0, np.inf])
    found = figures(curves, life, np.arange(5), hour=2)
    # The medians are 24, 24, 168 and beyond, beyond: of the three within, one part had failed by then.
    assert found["failed_by_p50"] == pytest.approx(1 / 3)
    assert found["failed_by_p10"] == pytest.approx(0.0)  # by 4.8, 4.8 and 24; the others lie beyond
    assert found["failed_by_p90"] == pytest.approx(1.0)  # by 120 and 120; the others lie beyond
    assert found["foreseen"] == pytest.approx(2 / 3)  # of the decisions at 12, 40 and 100 before a failure
    assert found["median_error_h"] == pytest.approx((12 + 16) / 2 / 2)


def test_nothing_fails_and_nothing_is_said() -> None:
    found = figures(np.zeros((6, 3)), np.full(6, np.inf), np.arange(6))
    undefined = {name for name, value in found.items() if np.isnan(value)}
    assert undefined == set(found) - {"integrated_brier"}
    assert found["integrated_brier"] == 0


def numeric(curve: Floats, life: float) -> float:
    times = (np.arange(200_000) + 0.5) * HORIZONS[-1] / 200_000
    risk = np.interp(times, (0, *HORIZONS), (0, *curve))
    return float(((risk - (life <= times)) ** 2).mean())


@pytest.mark.parametrize("life", [1.0, 24.0, 50.0, 168.0, np.inf])
def test_the_integral_is_that_of_the_squared_difference_at_every_time(life: float) -> None:
    for curve in ([0.2, 0.5, 0.9], [0.0, 0.0, 0.4], [0.7, 0.7, 0.7]):
        found = integrated_brier(np.array([curve]), np.array([life]), HORIZONS)
        assert found[0] == pytest.approx(numeric(np.array(curve), life), abs=1e-4)


def test_one_horizon_is_enough() -> None:
    # F(t) = t / 10, failed from 5 on: the integral of t^2 to 5 and of (1 - t)^2 from there, t from 0 to 1.
    assert integrated_brier(np.array([[1.0]]), np.array([5.0]), (10,)) == pytest.approx([1 / 12])


def test_the_rates_are_those_of_the_drawn_rows(right: tuple[Floats, Floats, Ints]) -> None:
    life, whose = right[1][:300], right[2][:300]
    draws = drawn(MACHINES, 20)
    for draw, one in zip(draws, brier_of_rates(life, HORIZONS, whose, draws), strict=True):
        some = life[rows_of(draw, whose)]
        rates = np.array([(some <= horizon).mean() for horizon in HORIZONS])
        direct = integrated_brier(np.tile(rates, (len(some), 1)), some, HORIZONS).mean()
        assert one == pytest.approx(direct)


def test_always_saying_the_rates_has_no_skill() -> None:
    score = np.array([0.1, 0.05, 0.0])
    assert brier_skill(score, np.array([0.1, 0.1, 0.0])) == pytest.approx([0.0, 0.5, np.nan], nan_ok=True)


def test_the_next_failure_of_the_component_counts_and_never_one_at_the_decision_itself() -> None:
    failures = [("m0", 31.0, "pump"), ("m0", 32.0, "pump"), ("m0", 31.5, "seal"), ("m1", 33.0, "pump")]
    test = small.judged(small.data([*failures, ("m0", 10.0, "pump")]))["test"]
    left = time_to_failure(test, "pump") / DAY
    machine, day = test.decisions["machine"].to_numpy(), (test.decisions["time"].to_numpy() - START) / DAY

    def at(name: str, when: float) -> list[float]:
        found: list[float] = left[(machine == name) & (day == when)].tolist()
        return found

    assert at("m0", 30.875) == [0.125]
    assert at("m0", 31.0) == [1.0]
    assert at("m0", 33.0) == [np.inf]
    assert at("m1", 31.0) == [2.0]
    assert np.isinf(left[machine == "m2"]).all()


def test_the_table_leaves_out_what_is_not_known_and_counts_what_it_stands_on() -> None:
    failures = [(f"m{number}", 35.0, "pump") for number in range(6)]
    high = [(f"m{number}", 34.5, "pump") for number in range(6)]
    test = small.judged(small.data(failures, machines=8, high=high))["test"]
    unknown = (test.decisions["machine"] == "m0").to_numpy()
    test.decisions.loc[unknown, "label.pump"] = -2
    curves = small.Scorer().curves(test.data.features[test.rows])
    table = life_table(test, curves)
    assert table.columns.tolist() == COLUMNS
    pump, seal = (table[table["component"] == name].set_index("metric") for name in ("pump", "seal"))
    # Half a day before, risk is 0.45 within 12 h and 0.9 within 24 h: p50 at 12 h 1/3 and p90 at 24 h.
    assert (pump.loc["failed_by_p50", ["value", "decisions", "machines"]] == [1, 5, 5]).all()
    assert pump.loc[["failed_by_p50"], ["low", "high"]].isna().all(axis=None)
    assert pump.loc["median_error_h", "value"] == pytest.approx(4 / 3)
    assert pump.loc["foreseen", "decisions"] == 5 * 8
    assert pump.loc["foreseen", "value"] == pytest.approx(1 / 8)
    assert pump.loc["integrated_brier", "decisions"] == (~unknown).sum()
    assert seal.loc["integrated_brier", "decisions"] == len(unknown)
    assert seal.loc["foreseen", "decisions"] == 0
    assert seal.loc[["foreseen", "failed_by_p50", "integrated_brier_skill"], "value"].isna().all()


def test_few_machines_have_no_interval() -> None:
    failures = [(f"m{number}", 35.0, "pump") for number in range(6)]
    for machines in (LEAST - 1, LEAST):
        high = [("m0", 34.0, "pump"), *((f"m{number}", 34.5, "pump") for number in range(1, machines))]
        test = small.judged(small.data(failures, machines=8, high=high))["test"]
        table = life_table(test, small.Scorer().curves(test.data.features[test.rows]))
        row = table[(table["component"] == "pump") & (table["metric"] == "failed_by_p50")].iloc[0]
        assert row["machines"] == machines
        assert np.isnan(row["low"]) == np.isnan(row["high"]) == (machines < LEAST)
        assert row["value"] == pytest.approx(1 - 1 / machines)
