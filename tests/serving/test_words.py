"""Words name what is most striking about a source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forestall.features.columns import Feature
from forestall.serving.words import describe, life_in_words
from tests.serving.conftest import Made

NORMAL = {"own.24h": 0.2, "spread.24h": 1.0, "trend.24h": 0.1, "slope.load.24h": 0.1, "missing.24h": 0.0}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"own.24h": -2.4}, "volt 2.4 sd below this machine's normal over 24h"),
        ({"spread.24h": 1.8}, "volt varies 1.8 times as much as normal over 24h"),
        ({"trend.24h": 3.0}, "volt rose by 3.0 sd over 24h"),
        ({"slope.load.24h": -1.5}, "volt follows load less than normal over 24h"),
        ({"missing.24h": 0.5}, "volt missing in 50% of readings over 24h"),
        ({"stuck": 30.0}, "volt unchanged for 30 h"),
        ({}, "volt 0.2 sd above this machine's normal over 24h"),
    ],
)
def test_a_sensor_is_described_by_what_is_furthest_from_normal(
    changed: dict[str, float], says: str, made: Made
) -> None:
    seen = NORMAL | {"stuck": 0.0} | changed
    features = tuple(Feature(f"volt.{name}", "sensors", "volt") for name in seen)
    row = np.array(list(seen.values()), dtype=np.float32)
    assert describe("volt", row, replace(made.reference, features=features)) == says


def test_an_error_is_counted_over_the_shortest_window_that_saw_it(made: Made) -> None:
    features = tuple(Feature(f"e1.count.{span}", "errors", "error e1") for span in ("24h", "48h"))
    reference = replace(made.reference, features=features)
    assert (
        describe("error e1", np.array([0, 3], dtype=np.float32), reference) == "error e1 seen 3 times in 48h"
    )
    assert describe("error e1", np.array([0, 0], dtype=np.float32), reference) == "error e1: none lately"


def test_words_say_beyond_where_that_is_all_that_is_known() -> None:
    assert life_in_words(30.4, 168) == "30"
    assert life_in_words(np.inf, 168) == "beyond 168"
