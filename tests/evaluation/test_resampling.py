"""The bootstrap does what drawing machines one by one would do."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from forestall.evaluation import resampling
from forestall.evaluation.probabilities import average_precision, calibration_error, row_figures
from forestall.evaluation.resampling import drawn, interval, quantile, ratio
from forestall.evaluation.row_scores import row_scores

MACHINES, DRAWS = 7, 60


def rows_of(draw: np.ndarray, whose: np.ndarray) -> np.ndarray:
    """Positions of a draw's rows: each as often as its machine was drawn."""
    return np.repeat(np.arange(len(whose)), draw[whose].astype(int))


def test_the_first_draw_is_the_fleet_and_the_others_are_as_large() -> None:
    draws = drawn(MACHINES, DRAWS)
    assert (draws[0] == 1).all()
    assert (draws.sum(axis=1) == MACHINES).all()
    assert np.array_equal(draws, drawn(MACHINES, DRAWS))
    assert len(np.unique(draws, axis=0)) > DRAWS / 2


def test_one_machine_alone_says_nothing_about_chance() -> None:
    assert drawn(1).shape == (1, 1)
    assert interval(np.array([3.0])) is None


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("cells", [1, 100, 2**22])
def test_quantiles_are_those_of_the_drawn_values(
    share: float, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resampling, "CELLS", cells)
    random = np.random.default_rng(1)
    values, whose, draws = random.gamma(2, 20, 12), random.integers(0, 5, 12), drawn(MACHINES, DRAWS)
    found = quantile(values, whose, draws, share)
    for draw, one in zip(draws, found, strict=True):
        direct = values[rows_of(draw, whose)]
        assert np.isnan(one) if not len(direct) else one == pytest.approx(np.quantile(direct, share))


def test_quantiles_of_nothing_are_undefined() -> None:
    nothing = quantile(np.empty(0), np.empty(0, np.int64), drawn(3, 5), 0.5)
    assert np.isnan(nothing).all()


def test_row_scores_are_those_of_the_drawn_rows() -> None:
    random = np.random.default_rng(2)
    whose = np.repeat(np.arange(MACHINES), 30)
    risk = np.round(random.beta(0.5, 3, len(whose)), 1)  # many ties
    label, draws = random.random(len(whose)) < risk, drawn(MACHINES, DRAWS)
    found = average_precision(label, risk, whose, draws)
    for draw, one in zip(draws, found, strict=True):
        direct = rows_of(draw, whose)
        assert one == pytest.approx(average_precision_score(label[direct], risk[direct]))


def test_the_fleet_itself_scores_as_ever() -> None:
    random = np.random.default_rng(3)
    risk = random.beta(0.5, 3, (210, 2)).astype(np.float32)
    labels = (random.random(risk.shape) < risk).astype(np.int8)
    labels[:40, 1] = -1
    found = row_figures(labels, risk, np.repeat(np.arange(MACHINES), 30), drawn(MACHINES, DRAWS))
    for name, value in row_scores(labels, risk).items():
        assert found[name][0] == pytest.approx(value), name


def test_a_component_that_never_fails_has_no_average_precision() -> None:
    whose, risk = np.repeat([0, 1], 5), np.linspace(0, 1, 10)
    for label in (np.zeros(10, bool), np.ones(10, bool)):
        assert np.isnan(average_precision(label, risk, whose, drawn(2, 5))).all()
    assert np.isnan(calibration_error(np.zeros(0, bool), np.zeros(0), np.zeros(0, int), drawn(2, 5))).all()


def test_an_interval_needs_the_figure_in_most_draws() -> None:
    values = np.concatenate([[0.5], np.full(60, np.nan), np.linspace(0, 1, 41)])
    assert interval(values) is None
    found = interval(np.concatenate([[0.5], np.full(40, np.nan), np.linspace(0, 1, 61)]))
    assert found == pytest.approx((0.5, 0.025, 0.975))
    assert interval(np.array([np.nan, 1.0, 1.0])) is None


def test_draws_that_are_all_alike_say_nothing_about_chance() -> None:
    assert interval(np.ones(101)) is None
    assert interval(np.concatenate([[1.0], np.full(99, 1.0), [0.5]])) is None


def test_nothing_divided_by_nothing_is_undefined_without_a_warning() -> None:
    assert np.isnan(ratio(np.array([0.0, 2.0]), np.array([0.0, 4.0]))).tolist() == [True, False]


def test_two_thousand_draws_of_a_fleet_take_a_moment() -> None:
    random, machines, rows = np.random.default_rng(4), 120, 20_000
    risk = random.beta(0.5, 8, (rows, 4)).astype(np.float32)
    labels = (random.random(risk.shape) < risk).astype(np.int8)
    start = time.process_time()
    row_figures(labels, risk, random.integers(0, machines, rows), drawn(machines))
    assert time.process_time() - start < 5
