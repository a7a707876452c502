"""How long a sensor has been beyond normal, on histories in which that was planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forestall.features.sensors import Normal
from forestall.serving.deviations import Deviations, deviations
from tests.serving.conftest import Made


def about(values: list[float] | np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Deviations:
    return Deviations(np.asarray(values, dtype=np.float64), level=10.0, spread=2.0, unit="mm/s")


@pytest.mark.parametrize(("side", "sd"), [(1, 2.4), (-1, 1.3), (1, 12.0)])
@pytest.mark.parametrize("hours", [1, 7, 31, 168])
def test_a_planted_shift_is_found_where_it_began(side: int, sd: float, hours: int) -> None:
    values = np.zeros(168)
    values[168 - hours :] = side * sd
    length, mean = about(values).lasting(side)
    assert length == hours
    assert mean == pytest.approx(side * sd)
    assert about(values).lasting(-side) == (0, 0.0)


@pytest.mark.parametrize("seed", range(20))
def test_noise_moves_the_beginning_by_a_few_readings(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=168)
    assert about(values).lasting(1)[0] < 12
    values[-31:] += 2.4
    length, sd = about(values).lasting(1)
    assert abs(length - 31) <= 5
    assert sd == pytest.approx(2.4, abs=0.6)


def test_missing_readings_neither_end_a_run_nor_are_part_of_its_mean() -> None:
    values = np.array([0.0] * 10 + [3.0] * 5 + [np.nan] * 20 + [3.0] * 5 + [np.nan] * 2)
    assert about(values).lasting(1) == (32, 3.0)
    assert about([np.nan] * 5).lasting(1) == (0, 0.0)


def test_what_is_over_is_not_lasting() -> None:
    assert about([3.0] * 100 + [0.0] * 6).lasting(1) == (0, 0.0)
    assert about([3.0] * 100 + [0.0] * 2).lasting(1)[0] == 102


def test_readings_are_judged_at_the_conditions_that_the_machine_ran_at(made: Made) -> None:
    reference = replace(made.reference, conditions=("spin",))
    one = np.ones((1, 1, 2))
    slopes = np.array([[[[0.5], [0.0]]]])
    normal = Normal(170 * one, 15 * one, slopes, one, one, one, np.array([450.0]))
    readings = np.array([[[170.0, 450.0], [200.0, 510.0], [170.0, np.nan], [200.0, 450.0]]])
    volt = deviations(readings, normal, 0, 0, reference, "V")
    np.testing.assert_array_equal(volt.values, [0.0, 0.0, np.nan, 2.0])
    spin = deviations(readings, normal, 0, 1, reference, "rpm")
    np.testing.assert_allclose(spin.values, (readings[0, :, 1] - 170) / 15)
    unknown = deviations(readings, replace(normal, known=0 * one), 0, 0, reference, "V")
    assert np.isnan(unknown.values).all()
