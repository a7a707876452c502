"""Every value is counted once, in the bin that its edges say."""

from __future__ import annotations

import numpy as np
import pytest

from forestall.errors import ForestallError
from forestall.monitoring.bins import Bins, edges_of


def test_counts_are_those_of_a_loop() -> None:
    random = np.random.default_rng(0)
    values = np.round(random.normal(size=(3000, 2)), 1).astype(np.float32)
    values[random.random(values.shape) < 0.1] = np.nan
    bins, group = Bins({"a": (-0.5, 0.0, 0.5), "b": (0.2,)}), random.integers(3, size=3000)
    expected = np.zeros((3, bins.size), dtype=int)
    for row, g in zip(values, group, strict=True):
        for q, edges in enumerate(bins.edges.values()):
            place = len(edges) + 1 if np.isnan(row[q]) else sum(row[q] >= np.float32(edge) for edge in edges)
            expected[g, bins.starts[q] + place] += 1
    assert (bins.counts(values, group, 3) == expected).all()


def test_quantiles_have_as_many_rows_each() -> None:
    values = np.random.default_rng(1).normal(size=(5000, 1)).astype(np.float32)
    counts = Bins.of(["a"], values).counts(values, np.zeros(5000, dtype=np.int64), 1)[0]
    assert len(counts) == 11 and counts[-1] == 0
    assert (abs(counts[:-1] - 500) <= 1).all()


def test_what_most_rows_say_has_a_bin_by_itself() -> None:
    many = np.concatenate([np.zeros(900), np.arange(1, 101)]).astype(np.float32)
    assert edges_of(many)[0] == 1
    assert edges_of(np.array([0] * 50 + [1], dtype=np.float32)) == (1,)
    assert edges_of(np.array([0] * 500 + [1] * 50 + [2], dtype=np.float32)) == (1,)
    assert edges_of(np.full(5, np.nan, dtype=np.float32)) == ()


def test_other_bins_are_told_apart() -> None:
    assert Bins({"a": (1.0,)}).digest != Bins({"a": (1.5,)}).digest != Bins({"b": (1.5,)}).digest


def test_values_of_other_quantities() -> None:
    with pytest.raises(ForestallError, match="not those of 1 quantities"):
        Bins({"a": (1.0,)}).counts(np.zeros((2, 2)), np.zeros(2, dtype=np.int64), 1)
