"""Words name what is most striking about a source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forestall.features.columns import Feature
from forestall.serving.deviations import Deviations
from forestall.serving.fleet import life_in_words
from forestall.serving.reason_texts import Sighting, describe
from tests.serving.conftest import Made

NOTHING = Deviations(np.full(48, np.nan), level=170.0, spread=15.0, unit="V")
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
    reference = replace(made.reference, features=features)
    assert describe("volt", row, 0 * row, reference, NOTHING).text == says


def test_an_error_is_counted_over_the_shortest_window_that_saw_it(made: Made) -> None:
    features = tuple(Feature(f"e1.count.{span}", "errors", "error e1") for span in ("24h", "48h"))
    reference = replace(made.reference, features=features)
    none, some = np.array([0, 0], dtype=np.float32), np.array([0, 3], dtype=np.float32)
    seen = describe("error e1", some, none, reference)
    assert (seen.text, seen.feature) == ("error e1 seen 3 times in 48h", "e1.count.48h")
    assert (seen.value, seen.healthy, seen.unit) == (3.0, 0.0, "")
    assert describe("error e1", none, none, reference).text == "error e1: none lately"


@pytest.mark.parametrize(
    ("source", "name", "count", "says"),
    [
        ("error e1", "e1.count.24h", 1, "error e1 seen once in 24h"),
        ("error error3", "error3.count.24h", 2, "error3 seen 2 times in 24h"),
        ("errors", "errors.distinct.24h", 1, "one kind of error in 24h"),
        ("errors", "errors.distinct.24h", 3, "3 different errors in 24h"),
    ],
)
def test_errors_are_counted_in_plain_words(source: str, name: str, count: int, says: str, made: Made) -> None:
    reference = replace(made.reference, features=(Feature(name, "errors", source),))
    row = np.array([count], dtype=np.float32)
    assert describe(source, row, 0 * row, reference).text == says


def own(value: float, made: Made, readings: list[float]) -> Sighting:
    features = (Feature("volt.own.24h", "sensors", "volt"), Feature("volt.trend.24h", "sensors", "volt"))
    row = np.array([value, 0.1], dtype=np.float32)
    about = replace(NOTHING, values=np.array(readings))
    return describe("volt", row, 0 * row, replace(made.reference, features=features), about)


def test_a_level_that_is_not_normal_lasts_for_as_long_as_its_readings_tell(made: Made) -> None:
    seen = own(-2.0, made, [0.0] * 17 + [-2.4] * 31)
    assert seen.text == "volt 2.4 sd below this machine's normal for 31 h"
    assert (seen.feature, seen.healthy, seen.unit) == ("volt.own.24h", 170.0, "V")
    assert seen.value == pytest.approx(170.0 - 2.4 * 15.0)
    assert own(2.0, made, [2.0] * 48).text == "volt 2.0 sd above this machine's normal for 48 h or more"


def test_of_a_level_whose_readings_are_normal_again_the_window_is_named(made: Made) -> None:
    seen = own(1.5, made, [2.0] * 40 + [0.0] * 8)
    assert seen.text == "volt 1.5 sd above this machine's normal over 24h"
    assert seen.value == pytest.approx(170.0 + 1.5 * 15.0)


def test_a_few_readings_do_not_make_a_normal_level_lasting(made: Made) -> None:
    assert own(0.5, made, [0.0] * 44 + [2.0] * 4).text == "volt 0.5 sd above this machine's normal over 24h"


def test_what_a_sensor_is_said_of_is_in_its_unit(made: Made) -> None:
    features = tuple(
        Feature(f"volt.{kind}", "sensors", "volt") for kind in ("own.24h", "spread.24h", "stuck")
    )
    reference = replace(made.reference, features=features)
    varies, stuck = np.array([0.0, 3.0, 0.0], np.float32), np.array([0.0, 1.0, 30.0], np.float32)
    seen = describe("volt", varies, 0 * varies, reference, NOTHING)
    assert (seen.value, seen.healthy, seen.unit) == (45.0, 15.0, "V")
    seen = describe("volt", stuck, 0 * stuck, reference, NOTHING)
    assert (seen.value, seen.healthy, seen.unit) == (30.0, 0.0, "h")


def test_the_age_of_a_part_names_the_part_and_is_not_called_normal(made: Made) -> None:
    features = tuple(
        Feature(f"seal.{kind}", "replacements", "age of seal") for kind in ("replaced", "replaced.known")
    )
    reference = replace(made.reference, features=features)
    young, usual = np.array([3.2, 1.0], dtype=np.float32), np.array([34.0, 1.0], dtype=np.float32)
    seen = describe("age of seal", young, usual, reference)
    assert seen.text == "seal replaced 3 days ago, training median 34 days"
    assert (seen.feature, seen.healthy, seen.unit) == ("seal.replaced", 34.0, "days")
    assert describe("age of seal", 0 * young, usual, reference).text == "seal: age unknown"


def test_words_say_beyond_where_that_is_all_that_is_known() -> None:
    assert life_in_words(30.4, 168) == "30"
    assert life_in_words(np.inf, 168) == "beyond 168"
