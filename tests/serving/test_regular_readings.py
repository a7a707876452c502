"""The short way of cleaning gives what `clean_telemetry` gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forestall.data.clean import Grid, clean_telemetry
from forestall.data.repairs import Repairs
from forestall.serving.bundle import load_bundle
from forestall.serving.regular_readings import clean_regular, is_regular
from tests import plant


@pytest.mark.parametrize("carry", [0, 1, 2, 5])
@pytest.mark.parametrize("seed", range(10))
def test_regular_readings_are_cleaned_to_the_same_bits(seed: int, carry: int, bundle_folder: Path) -> None:
    rng, loaded = np.random.default_rng(seed), load_bundle(bundle_folder)
    bundle = replace(loaded, plant=replace(loaded.plant, carry_forward=carry))
    raw = plant.telemetry(1, 4, seed, missing=0.3)
    raw = raw[rng.random(len(raw)) > 0.3].reset_index(drop=True)
    long = clean_telemetry(raw, plant.events().downtime, bundle.plant.dataset, carry, Repairs([]))
    values = raw[["volt", "spin"]].to_numpy()
    short = clean_regular("m0", raw["time"].to_numpy(), raw["running"].to_numpy(), values, bundle)
    pd.testing.assert_frame_equal(short, long, check_exact=True)


def test_only_single_readings_at_the_ends_of_slots_are_regular() -> None:
    grid = Grid(3600, 0)
    assert is_regular(np.array([3600, 7200, 14400]), grid)
    assert not is_regular(np.array([3600, 7201]), grid)
    assert not is_regular(np.array([3600, 3600]), grid)
    assert not is_regular(np.array([7200, 3600]), grid)
