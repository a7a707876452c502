"""Which cells of a column hold values that a dataset file names."""

from __future__ import annotations

from typing import Any

import pandas as pd

from forestall.data.tables import Scalar


def one_of(cells: pd.Series[Any], values: list[Scalar]) -> pd.Series[bool]:
    """Which cells hold one of `values`; numbers are compared as numbers, so that `1` finds `1.0`."""
    found = pd.Series(data=False, index=cells.index)
    for value in values:
        found |= _equals(cells, value)
    return found


def _equals(cells: pd.Series[Any], value: Scalar) -> pd.Series[bool]:
    if isinstance(value, bool):
        return cells.astype(str).str.strip().str.lower().isin(["true", "1"] if value else ["false", "0"])
    if isinstance(value, int | float):
        return pd.to_numeric(cells, errors="coerce") == value
    return cells.astype(str).str.strip() == value
