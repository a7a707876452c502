"""What is exported answers as what was trained, and comes out the same to the byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forestall.serving.bundle import load_bundle
from forestall.serving.export import parity, parity_rows, write_bundle
from tests.serving.conftest import FAMILIES, Made, served

TREES = ["extra_trees", "random_forest", "decision_tree"]
ROUNDING = 2.0**-24  # of a risk in float32: all before that is exact


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("calibration", ["sigmoid", "beta"])
def test_the_graph_agrees_with_scikit_learn(
    family: str, calibration: str, made: Made, tmp_path: Path
) -> None:
    model = made.fit(family, calibration)
    write_bundle(tmp_path, model, made.reference, served())
    rows = parity_rows(made.features, model, made.reference)
    assert set(rows) == {"test", "missing", "at_thresholds"}
    for kind, some in rows.items():
        assert len(some) > 100, kind
        assert parity(tmp_path, model, some) <= (ROUNDING if family in TREES else 1e-5), kind


@pytest.mark.parametrize("family", FAMILIES)
def test_so_does_a_graph_of_one_horizon(family: str, made: Made, tmp_path: Path) -> None:
    spans = replace(made.reference.spans, horizons=made.reference.spans.horizons[-1:])
    labels = made.decisions.filter(like="label.").clip(upper=1)
    one = Made(made.decisions.assign(**labels), made.features, replace(made.reference, spans=spans))
    model = one.fit(family)
    write_bundle(tmp_path, model, one.reference, served())
    assert parity(tmp_path, model, one.features) <= (ROUNDING if family in TREES else 1e-5)


def test_rows_on_a_trees_threshold_go_the_same_way(made: Made, tmp_path: Path) -> None:
    model = made.fit("decision_tree")
    write_bundle(tmp_path, model, made.reference, served())
    tree = model.estimators["pump"].tree_
    inner = np.flatnonzero(tree.feature >= 0)
    rows = np.repeat(made.features[:1], 3 * len(inner), axis=0)
    for number, node in enumerate(inner):
        threshold = np.float32(tree.threshold[node])
        below, above = (np.nextafter(threshold, np.float32(side)) for side in (-np.inf, np.inf))
        for offset, value in enumerate((below, threshold, above)):
            rows[3 * number + offset, tree.feature[node]] = value
    assert parity(tmp_path, model, rows) <= ROUNDING


@pytest.mark.parametrize("family", TREES)
def test_a_forest_sums_to_the_same_bits_in_any_order(family: str, made: Made) -> None:
    for estimator in made.fit(family).estimators.values():
        trees = getattr(estimator, "estimators_", [estimator])
        shares = np.stack([tree.predict_proba(made.features)[:, 1] / len(trees) for tree in trees])
        single = shares.astype(np.float32)
        assert single.cumsum(axis=0)[-1].tobytes() == single[::-1].cumsum(axis=0)[-1].tobytes()
        np.testing.assert_allclose(
            single.sum(axis=0), estimator.predict_proba(made.features)[:, 1], atol=1e-12
        )


def test_two_exports_are_the_same_bytes(made: Made, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_bundle(tmp_path / name, made.fit("random_forest"), made.reference, served())
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("calibration", ["sigmoid", "beta"])
def test_one_row_and_many_rows_give_the_same_bits(
    family: str, calibration: str, made: Made, tmp_path: Path
) -> None:
    write_bundle(tmp_path, made.fit(family, calibration), made.reference, served())
    bundle = load_bundle(tmp_path)
    rows = made.features[::7][:203]
    together = bundle.risk(rows)
    alone = np.concatenate([bundle.risk(rows[row : row + 1]) for row in range(len(rows))])
    assert together.tobytes() == alone.tobytes()


@pytest.mark.parametrize("family", FAMILIES)
def test_risk_never_falls_with_the_horizon(family: str, made: Made, tmp_path: Path) -> None:
    write_bundle(tmp_path, made.fit(family), made.reference, served())
    curves = load_bundle(tmp_path).curves(made.features)
    assert curves.shape == (len(made.features), 2, 2)
    assert (np.diff(curves, axis=2) >= 0).all()
    assert (np.diff(curves, axis=2) > 0).any()
