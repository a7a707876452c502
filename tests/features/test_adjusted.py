"""What operating conditions explain is taken off, against direct least squares and pandas."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.features import build, matrix
from forestall.features.adjusted import Adjusted, adjusted_blocks
from forestall.features.baselines import own_baselines
from forestall.features.history import lay_out, spans_of
from tests import plant

WIDTH, BLOCKS = 3, 40
CONDITIONS = (1, 2)


def readings() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """One machine: sensor 0 follows conditions 1 and 2."""
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, (1, WIDTH * BLOCKS, 3))
    values[:, :, 2] += 0.5 * values[:, :, 1]
    values[:, :, 0] += 2.0 * values[:, :, 1] - 1.0 * values[:, :, 2] + 7.0
    values[rng.random(values.shape) < 0.05] = np.nan
    return values


def window_of(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], end: int, length: int):  # type: ignore[no-untyped-def]
    part = values[0, (end + 1 - length) * WIDTH : (end + 1) * WIDTH]
    return part[~np.isnan(part).any(axis=1)]


@pytest.mark.parametrize("length", [1, 5, 8])
def test_windows_equal_direct_computation(length: int) -> None:
    values, slopes, usual = readings(), np.array([1.9, -0.7]), np.array([0.3, -0.2])
    table = np.zeros((1, BLOCKS, 3, 2))
    table[:, :, 0] = slopes
    rest = Adjusted.over(adjusted_blocks(values, CONDITIONS, WIDTH), length, table, usual[None, None])
    for end in range(length, BLOCKS):
        part = window_of(values, end, length)
        direct = part[:, 0] - (part[:, 1:] - usual) @ slopes
        if len(direct) == 0:
            assert np.isnan(rest.mean()[0, end, 0])
            continue
        np.testing.assert_allclose(rest.mean()[0, end, 0], direct.mean())
        if len(direct) > 1:
            np.testing.assert_allclose(rest.std()[0, end, 0], direct.std(), atol=1e-7)
            with_first = np.cov(direct, part[:, 1], ddof=0)[0, 1] / part[:, 1].std()
            np.testing.assert_allclose(rest.slope(0)[0, end, 0], with_first, atol=1e-7)


def loaded_plant(slope: float, days: int = 40) -> tuple[pd.DataFrame, Dataset]:
    """A plant whose volt follows spin, an operating condition that swings with the day."""
    telemetry = plant.clean_telemetry(days=days, missing=0.0)
    swing = np.sin(2 * np.pi * telemetry["time"] / plant.DAY)
    telemetry["spin"] = 450.0 + 50.0 * swing + np.random.default_rng(5).normal(0, 5, len(telemetry))
    telemetry["volt"] = telemetry["volt"] + slope * (telemetry["spin"] - 450.0)
    tables = plant.dataset().model_dump(exclude_none=True)["tables"]
    tables["telemetry"]["sensors"] = {"volt": {"range": [0.0, 400.0]}, "spin": {"condition": True}}
    return telemetry, plant.dataset(tables=tables)


def test_a_machine_that_follows_its_load_is_as_normal_as_one_without_load() -> None:
    own = {}
    for slope in (0.0, 2.0):
        telemetry, dataset = loaded_plant(slope)
        chunks = partial(iter, [telemetry])
        events: Events = plant.events()
        history = lay_out(
            telemetry, events, ["volt", "spin"], spans_of(dataset), int(telemetry["time"].max())
        )
        baselines = own_baselines(history, spans_of(dataset), (1,))
        known = ~np.isnan(baselines.level[..., 0])
        np.testing.assert_allclose(baselines.slopes[known][:, 0, 0], slope, atol=0.25)
        np.testing.assert_allclose(baselines.slopes[known][:, 1, 0], 0.0)
        reference = build.fit_reference(
            chunks,
            events,
            dataset,
            ("sensors",),
            3,
            int(telemetry["time"].max()),
        )
        features = matrix.feature_matrix(history, baselines, reference)
        names = [feature.name for feature in reference.features]
        assert "volt.slope.spin.24h" in names
        assert "spin.slope.spin.24h" not in names
        own[slope] = features[:, 100:, names.index("volt.own.24h")]
    np.testing.assert_allclose(own[0.0], own[2.0], atol=0.02)


def test_a_condition_that_never_changed_explains_nothing() -> None:
    telemetry, dataset = loaded_plant(2.0)
    telemetry["spin"] = 450.0
    history = lay_out(
        telemetry, plant.events(), ["volt", "spin"], spans_of(dataset), int(telemetry["time"].max())
    )
    baselines = own_baselines(history, spans_of(dataset), (1,))
    assert np.nanmax(np.abs(baselines.slopes)) == 0.0
