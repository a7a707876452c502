"""Cells to typed columns: machine names, numbers, ticks. A cell that cannot be read is named."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forestall.data.dataset import Clock
from forestall.data.read import Piece, trimmed
from forestall.data.tables import Table, has_zone
from forestall.errors import InputError

ISO = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?\s*(Z|[+-]\d\d:?\d\d)?$"
LARGEST_COUNT = 2.0**53  # up to here float64 holds every whole number
ZONE = r":\d\d(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)$"


def names(piece: Piece, column: str) -> pd.Series[str]:
    """Identifiers as text; `7.0` from a float column is `7`.

    Raises:
        InputError: one is missing, blank, infinite, or goes over more than one line.
    """
    cells = piece.frame[column]
    _refuse_missing(piece, column, cells.isna())
    if pd.api.types.is_float_dtype(cells):
        cells = _without_fraction(piece, column, cells)
    text = cells.astype(str).str.strip().astype(object)
    _refuse_missing(piece, column, text == "")
    broken = text.str.contains("\n", regex=False).to_numpy(dtype=bool)
    if broken.any():
        todo = "Close the quote or double it, or take the line break out"
        raise piece.error(
            cells.index[int(broken.argmax())],
            column,
            "a line break in the cell; is a quote not closed?",
            todo,
        )
    return pd.Series(text, index=cells.index, dtype=object)


def _without_fraction(piece: Piece, column: str, cells: pd.Series[float]) -> pd.Series[Any]:
    """Each number by itself: what else a piece holds must not change an identifier."""
    infinite = np.isinf(cells.to_numpy())
    if infinite.any():
        index = cells.index[int(infinite.argmax())]
        raise piece.error(index, column, "an infinite number is no identifier", "Correct the cell")
    pairs = zip(cells.astype("float64"), cells.astype(str), strict=True)
    texts = [str(int(number)) if number.is_integer() else text for number, text in pairs]
    return pd.Series(texts, index=cells.index, dtype=object)


def numbers(piece: Piece, column: str) -> pd.Series[float]:
    """Numbers as float64, missing as NaN.

    Raises:
        InputError: a cell holds text.
    """
    cells = piece.frame[column]
    if pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_bool_dtype(cells):
        return cells.astype("float64")
    array = trimmed(cells)
    try:
        values = pc.cast(_with_points(array, piece.table), pa.float64()).to_numpy(zero_copy_only=False)
        return pd.Series(values, index=cells.index)
    except pa.ArrowInvalid:
        raise _not_a_number(piece, column, array) from None


def _with_points(array: pa.Array, table: Table) -> pa.Array:
    if table.decimal == ".":
        return array
    # A point beside a decimal comma would be a thousands separator: 1.234 must not become 1.234.
    return pc.replace_substring(pc.replace_substring(array, ".", "?"), ",", ".")


def _not_a_number(piece: Piece, column: str, array: pa.Array) -> InputError:
    position = next(n for n in range(len(array)) if not _is_number(array.slice(n, 1), piece.table))
    cell = array[position].as_py()
    if piece.table.decimal == "." and re.fullmatch(r"-?\d*,\d+", cell):
        todo = 'Set `decimal: ","` in the dataset file'
    elif piece.table.decimal == "," and "." in cell:
        todo = 'The table has `decimal: ","`: take out `decimal`, or the thousands separators'
    else:
        todo = "Correct or empty the cell"
    return piece.error(piece.frame.index[position], column, f"{cell!r} is not a number", todo)


def _is_number(cell: pa.Array, table: Table) -> bool:
    try:
        pc.cast(_with_points(cell, table), pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def times(piece: Piece, column: str, clock: Clock, time_format: str | None) -> tuple[pd.Series[int], bool]:
    """Times in ticks (int64), and whether they carry a time zone (then they are turned to UTC).

    A part of a tick is rounded up: a reading is known at the end of the tick it falls in.

    Raises:
        InputError: a time is missing or unreadable, or only some have a time zone.
    """
    cells = piece.frame[column]
    _refuse_missing(piece, column, cells.isna())
    if clock.own:
        return _counts(piece, column), False
    if pd.api.types.is_datetime64_any_dtype(cells):
        return _to_ticks(cells), isinstance(cells.dtype, pd.DatetimeTZDtype)
    text = trimmed(cells)
    zoned = has_zone(time_format) if time_format else _zoned(piece, column, text)
    strings = pd.Series(text.to_pandas().to_numpy(), index=cells.index, dtype=object)
    parsed = pd.to_datetime(strings, format=time_format or "ISO8601", errors="coerce", utc=zoned)
    readable = parsed.notna().to_numpy()
    if time_format is None:
        readable = readable & pc.match_substring_regex(text, ISO).to_numpy(zero_copy_only=False).astype(bool)
    if not readable.all():
        raise _unreadable(piece, column, text, int(np.flatnonzero(~readable)[0]), time_format)
    return _to_ticks(parsed), zoned


def check_zones(piece: Piece, column: str, zones: dict[str, bool], table: str, zoned: bool) -> None:
    """Note whether `table` has time zones in `zones`, and refuse it if another table or file differs.

    Raises:
        InputError: some times have a zone and some have none.
    """
    other = next((name for name, value in zones.items() if value != zoned), None)
    if other is not None:
        having, lacking = (table, other) if zoned else (other, table)
        problem = f"the times of {having} have a time zone and those of {lacking} have none"
        raise piece.error(piece.frame.index[0], column, problem, "Export all tables in one way, UTC at best")
    zones[table] = zoned


def _counts(piece: Piece, column: str) -> pd.Series[int]:
    values = numbers(piece, column).to_numpy()
    wrong = ~(np.abs(values) < LARGEST_COUNT)
    if wrong.any():
        index = piece.frame.index[int(wrong.argmax())]
        raise piece.error(index, column, "not a count", "Correct the cell or take the row out")
    return pd.Series(np.ceil(values), index=piece.frame.index).astype("int64")


def _to_ticks(stamps: pd.Series[Any]) -> pd.Series[int]:
    if isinstance(stamps.dtype, pd.DatetimeTZDtype):
        stamps = stamps.dt.tz_convert("UTC").dt.tz_localize(None)
    seconds = stamps.dt.ceil("s").to_numpy().astype("datetime64[s]").astype(np.int64)
    return pd.Series(seconds, index=stamps.index)


def _zoned(piece: Piece, column: str, text: pa.Array) -> bool:
    zoned = pc.match_substring_regex(text, ZONE).to_numpy(zero_copy_only=False).astype(bool)
    if zoned.all() or not zoned.any():
        return bool(len(zoned)) and bool(zoned[0])
    position = int(np.flatnonzero(zoned != zoned[0])[0])
    problem = f"{text[position].as_py()!r}: some times have a time zone and some have none"
    raise piece.error(
        piece.frame.index[position], column, problem, "Export all of them in one way, UTC at best"
    )


def _unreadable(
    piece: Piece, column: str, text: pa.Array, position: int, time_format: str | None
) -> InputError:
    cell = text[position].as_py()
    if time_format is None:
        problem = f"{cell!r} is not an ISO 8601 time such as 2024-01-31 06:00:00"
        todo = 'Set `time_format` in the dataset file (such as "%d.%m.%Y %H:%M"), or correct the cell'
    else:
        problem = f"{cell!r} does not fit time_format {time_format!r}"
        todo = "Correct the cell: a table's times must all be written in one way"
    return piece.error(piece.frame.index[position], column, problem, todo)


def _refuse_missing(piece: Piece, column: str, missing: pd.Series[bool]) -> None:
    if missing.any():
        index = missing.index[int(np.flatnonzero(missing)[0])]
        raise piece.error(index, column, "the cell is empty", "Fill it in or take the row out")
