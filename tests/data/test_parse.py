"""Cells to machine names, numbers and ticks."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forestall.data import parse
from forestall.data.clock import ticks
from forestall.data.dataset import Clock
from forestall.data.read import Piece
from forestall.data.tables import Machines
from forestall.errors import InputError

TICK = 1_704_067_200  # 2024-01-01 00:00


def piece(*cells: Any, dtype: str | None = None, **table: Any) -> Piece:
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=dtype)})
    return Piece(frame, Path("t.parquet"), Machines(files="t.parquet", machine="x", **table))


def times(*cells: Any, time_format: str | None = None) -> tuple[list[int], bool]:
    found, zoned = parse.times(piece(*cells), "x", Clock(), time_format)
    assert found.dtype == np.int64
    return found.tolist(), zoned


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["7", " a b "], ["7", "a b"]),
        ([7, 8], ["7", "8"]),
        ([7.0, 8.0], ["7", "8"]),
        (["007"], ["007"]),
        ([7.0, 8.5], ["7", "8.5"]),
    ],
)
def test_names(cells: list[Any], expected: list[str]) -> None:
    found = parse.names(piece(*cells), "x")
    assert found.tolist() == expected
    assert str(found.dtype) == "object"


def test_a_missing_name_is_refused() -> None:
    with pytest.raises(InputError, match="row 2, column x: the cell is empty"):
        parse.names(piece("a", None), "x")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [(["1", " -2.5 ", "1e3", ".5"], [1, -2.5, 1000, 0.5]), ([1, 2], [1, 2]), ([True, False], [1, 0])],
)
def test_numbers(cells: list[Any], expected: list[float]) -> None:
    found = parse.numbers(piece(*cells), "x")
    assert found.tolist() == expected
    assert str(found.dtype) == "float64"


def test_missing_numbers_are_nan() -> None:
    assert np.isnan(parse.numbers(piece("1", None), "x")).tolist() == [False, True]


def test_decimal_commas() -> None:
    assert parse.numbers(piece("1,5", "-2", decimal=","), "x").tolist() == [1.5, -2]


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("2024-01-01", 0),
        ("2024-01-01 06:07", 6 * 3600 + 420),
        ("2024-01-01T06:07:08", 6 * 3600 + 428),
        ("2024-01-01 00:00:00.000", 0),
        ("2024-01-01 00:00:00.001", 1),
    ],
)
def test_times_are_known_at_the_end_of_their_second(cell: str, seconds: int) -> None:
    assert times(cell) == ([TICK + seconds], False)


@pytest.mark.parametrize(
    "cell", ["2024-01-01T06:00:00Z", "2024-01-01 08:00:00+02:00", "2024-01-01 03:30:00 -0230"]
)
def test_times_with_a_zone_are_turned_to_utc(cell: str) -> None:
    assert times(cell) == ([TICK + 6 * 3600], True)


def test_several_offsets_in_one_column() -> None:
    assert times("2024-01-01 08:00:00+02:00", "2024-01-01 07:00:00+01:00") == ([TICK + 6 * 3600] * 2, True)


def test_a_time_format() -> None:
    assert times("01.01.2024 06:00", time_format="%d.%m.%Y %H:%M") == ([TICK + 6 * 3600], False)


def test_a_day_first_date_is_not_taken_for_a_time_zone() -> None:
    assert times("06:00 01-01-2024", time_format="%H:%M %d-%m-%Y") == ([TICK + 6 * 3600], False)


def test_a_time_format_with_a_zone() -> None:
    assert times("20240101 07 +0100", time_format="%Y%m%d %H %z") == ([TICK + 6 * 3600], True)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_typed_times_of_every_resolution(unit: str) -> None:
    stamp = np.array("2024-01-01T06:00:00", dtype=f"datetime64[{unit}]")[()]
    assert times(stamp) == ([TICK + 6 * 3600], False)


def test_typed_times_with_a_zone() -> None:
    assert times(pd.Timestamp("2024-01-01 07:00", tz="Europe/Berlin")) == ([TICK + 6 * 3600], True)


def test_numbers_are_no_times() -> None:
    with pytest.raises(InputError, match="'1704067200' is not an ISO 8601 time"):
        times(1704067200)


def test_a_counter_is_rounded_up() -> None:
    clock = Clock(kind="counter", unit="cycles", per_month=30.0)
    assert parse.times(piece("1", "2.5"), "x", clock, None)[0].tolist() == [1, 3]
    with pytest.raises(InputError, match="row 2, column x: not a count"):
        parse.times(piece("1", "inf"), "x", clock, None)


@pytest.mark.parametrize(
    ("text", "unit", "expected"), [("30min", "s", 1800), ("1.5h", "s", 5400), ("3cycles", "cycles", 3)]
)
def test_durations(text: str, unit: str, expected: int) -> None:
    assert ticks(text, unit) == expected


@pytest.mark.parametrize(
    ("text", "unit"), [("3cycles", "s"), ("1h", "cycles"), ("0.5cycles", "cycles"), ("soon", "s")]
)
def test_durations_of_another_clock(text: str, unit: str) -> None:
    with pytest.raises(ValueError, match=text):
        ticks(text, unit)
