"""Reasons name what makes the risk, and nothing where a machine is like its healthy self."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forestall.features.sensors import Normal
from forestall.serving.bundle import load_bundle
from forestall.serving.deviations import Deviations
from forestall.serving.healthy import healthy_reference
from forestall.serving.reason_texts import describe
from forestall.serving.reasons import reasons
from tests.serving.conftest import Made


def normal(rows: int) -> Normal:
    level = np.tile(np.array([170.0, 450.0]), (rows, 1, 1))
    spread = np.tile(np.array([15.0, 50.0]), (rows, 1, 1))
    slopes = np.zeros((*level.shape, 0))
    return Normal(level, spread, slopes, level, spread, np.ones_like(level), np.zeros(0))


def nothing(rows: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.full((rows, 48, 2), np.nan)


def test_the_healthy_reference_stands_at_the_machines_own_baseline(made: Made, bundle_folder: Path) -> None:
    reference = load_bundle(bundle_folder).reference
    healthy = healthy_reference(made.features[:2], normal(2), reference)
    value = {feature.name: float(healthy[0, i]) for i, feature in enumerate(reference.features)}
    row = {feature.name: float(made.features[0, i]) for i, feature in enumerate(reference.features)}
    assert value["volt.mean.24h"] == pytest.approx(row["volt.mean.24h"] - 15.0 * row["volt.own.24h"])
    assert value["spin.own.24h"] == value["e1.count.24h"] == 0.0
    assert value["e1.recency"] == 0.0


def test_a_machine_that_is_healthy_has_no_reasons(made: Made, bundle_folder: Path) -> None:
    bundle = load_bundle(bundle_folder)
    healthy = healthy_reference(made.features[:3], normal(3), bundle.reference)
    found = reasons(healthy, healthy, normal(3), nothing(3), bundle, 3)
    assert all(not why for row in found for why in row)


def test_reasons_are_what_lowers_the_risk_when_it_is_set_right(made: Made, bundle_folder: Path) -> None:
    bundle = load_bundle(bundle_folder)
    rows = made.features[(made.decisions["label.pump"] > 0).to_numpy()]
    healthy = healthy_reference(rows, normal(len(rows)), bundle.reference)
    risk, found = bundle.risk(rows), 0
    why = reasons(rows, healthy, normal(len(rows)), nothing(len(rows)), bundle, 2)
    for row, by_component in enumerate(why):
        for column, some in enumerate(by_component):
            for reason in some:
                one = rows[row : row + 1].copy()
                is_source = [feature.source == reason.source for feature in bundle.reference.features]
                one[0, is_source] = healthy[row, is_source]
                drop = 1 - bundle.risk(one)[0, column] / risk[row, column]
                assert np.isclose(drop, reason.share, atol=1e-4)
                found += 1
    assert found > 50


@pytest.mark.parametrize("group", ["sensors", "levels", "gaps"])
def test_every_group_of_a_sensor_can_be_put_into_words_alone(group: str, made: Made) -> None:
    kept = tuple(feature for feature in made.reference.features if feature.group == group)
    alone = replace(made.reference, features=kept, groups=(group,), fills=(0.0,) * len(kept))
    row = np.ones(len(kept), dtype=np.float32)
    about = Deviations(np.full(48, np.nan), level=170.0, spread=15.0, unit="V")
    assert describe("volt", row, 0 * row, alone, about).text.startswith("volt")
    assert np.isfinite(healthy_reference(row[None], normal(1), alone)).all()
