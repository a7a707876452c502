"""Columns of a batch as typed arrays; each cell that cannot be used is a fault that names it."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic_core import PydanticCustomError

from forestall.data.clock import is_counter
from forestall.data.parse import LARGEST_COUNT
from forestall.features.history import Floats, Ints
from forestall.serving.api.problems import named, unfit
from forestall.serving.api.rows import Faults, Rows
from forestall.serving.times import ticks_of

NUMBERS = frozenset({float, int, type(None)})
YES, NO = ("true", "1"), ("false", "0")
LONGEST_NAME = 200
INSTEAD = "If its sensor failed, send it as missing"
COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
COUNT = re.compile(r"-?\d{1,18}", re.ASCII)


def check_names(rows: Rows, wanted: Sequence[str], possible: Collection[str]) -> Faults:
    """Columns that are missing, or not known to the plant."""
    missing = [name for name in wanted if rows.count and name not in rows.columns]
    faults = [(rows.field(0, name), "is missing") for name in missing]
    for name in rows.columns:
        if name not in wanted and name not in possible:
            row = next((n for n, cell in enumerate(rows.columns[name]) if cell is not None), 0)
            known = named([*wanted, *possible])
            faults.append((rows.field(row, name[:100]), f"is not known here; known are {known}"))
    return faults


def names(rows: Rows, column: str, known: Collection[str] | None, faults: Faults, what: str) -> list[str]:
    """Text cells, each of `known` if that is given; a column that is not there is a fault of `check_names`."""
    if column not in rows.columns:
        return []
    cells = rows.columns[column]
    first: dict[str | None, int] = {}
    for place, cell in enumerate(cells):
        first.setdefault(cell if type(cell) is str else None, place)
    for text, place in first.items():
        if (problem := _name_problem(text, known, what)) is not None:
            faults.append((rows.field(place, column), problem))
    return cells


def _name_problem(cell: str | None, known: Collection[str] | None, what: str) -> str | None:
    if not cell:
        return f"must be the name of a {what}, as text"
    if known is not None and cell not in known:
        return f"{cell[:LONGEST_NAME]!r} is none of {named(known)}"
    return name_problem(cell, what)


def name_problem(name: str, what: str = "machine") -> str | None:
    """Why a text is no name."""
    if len(name) <= LONGEST_NAME and name.isprintable():
        return None
    return f"is no name of a {what}: at most {LONGEST_NAME} printable characters"


def times(rows: Rows, column: str, unit: str, latest: int | None, faults: Faults) -> Ints:
    """Times in ticks [rows]; 0 where there is a fault. A column that is not there is a fault of `check_names`.

    Args:
        latest: what lies after it lies in the future.
    """
    cells = rows.columns.get(column, [])
    known: dict[Any, int] = {}
    for number, cell in enumerate(cells):
        key = (type(cell), cell) if type(cell) in (str, int) else None
        if key is None or key not in known:
            ticks = _ticks(cell, unit, rows.text, rows.field(number, column), faults)
            if latest is not None and ticks > latest:
                faults.append((rows.field(number, column), f"{cell} lies in the future"))
            if key is not None:
                known[key] = ticks
    if faults or not cells:
        return np.zeros(rows.count, dtype=np.int64)
    return np.array([known[type(cell), cell] for cell in cells], dtype=np.int64)


def _ticks(cell: Any, unit: str, text: bool, field: str, faults: Faults) -> int:
    if is_counter(unit):
        count = int(cell) if text and type(cell) is str and COUNT.fullmatch(cell) else cell
        if type(count) is int and abs(count) < LARGEST_COUNT:
            return count
        faults.append((field, f"must be a whole number of {unit}"))
        return 0
    try:
        ticks = ticks_of(cell)
    except PydanticCustomError as error:
        faults.append((field, error.message()))
        return 0
    if ticks < 0:
        faults.append((field, f"{cell} lies before 1970"))
    return ticks


def ticks(field: str, text: Any, unit: str, latest: int | None = None) -> int:
    """One time in ticks, such as a parameter.

    Raises:
        Problem: 422, it is none, or lies in the future.
    """
    faults: Faults = []
    value = _ticks(text, unit, True, field, faults)
    if not faults and latest is not None and value > latest:
        faults.append((field, f"{text} lies in the future"))
    if faults:
        raise unfit(faults)
    return value


def numbers(rows: Rows, column: str, allowed: Sequence[float] | None, faults: Faults) -> Floats:
    """Numbers as float64 [rows], NaN where missing."""
    cells = rows.column(column)
    if rows.text:
        cells = [_number(cell) for cell in cells]
    if not NUMBERS.issuperset(map(type, cells)):
        place = next(n for n, cell in enumerate(cells) if type(cell) not in NUMBERS)
        point = rows.text and COMMA.fullmatch(cells[place])
        problem = (
            "must be written with a decimal point"
            if point
            else "must be a number, or null where it is missing"
        )
        faults.append((rows.field(place, column), problem))
        return np.full(rows.count, np.nan)
    values = np.array(cells, dtype=np.float64)
    low, high = allowed or (-math.inf, math.inf)
    outside = (values < low) | (values > high) | np.isinf(values)
    if outside.any():
        place = int(outside.argmax())
        between = f"between {low:g} and {high:g}" if allowed else "a finite number"
        faults.append(
            (rows.field(place, column), f"{cells[place]} must be {between}; is its unit right? {INSTEAD}")
        )
    return values


def _number(cell: str | None) -> float | str | None:
    """A CSV cell as a number, or as it stands if it is none: `nan` and `1_000` are not."""
    if cell is None:
        return None
    plain = cell.strip()
    if not plain.isascii() or "_" in plain or plain[-1:].isalpha():
        return cell
    try:
        return float(plain)
    except ValueError:
        return cell


def flags(rows: Rows, column: str, faults: Faults) -> npt.NDArray[np.bool_]:
    """True and false [rows]; true where it is missing."""
    cells = rows.column(column)
    if rows.text:
        read = {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}
        cells = [None if cell is None else read.get(cell.lower(), cell) for cell in cells]
    if not {bool, type(None)}.issuperset(map(type, cells)):
        place = next(n for n, cell in enumerate(cells) if type(cell) not in (bool, type(None)))
        faults.append((rows.field(place, column), "must be true or false"))
        return np.ones(rows.count, dtype=np.bool_)
    return np.array([cell is not False for cell in cells], dtype=np.bool_)
