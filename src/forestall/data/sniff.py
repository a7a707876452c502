"""What a folder's tables look like: how each file is written, and what kinds of columns it has."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from forestall.errors import InputError

SAMPLE_ROWS = 20_000
ISO = "ISO8601"
FORMATS = ["%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]
DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


@dataclass(frozen=True)
class Seen:
    """One table (a file, or files with one header): a sample of its rows, and how it is written."""

    files: str
    frame: pd.DataFrame
    separator: str
    decimal: str
    times: dict[str, str | None]

    @property
    def numeric(self) -> list[str]:
        """The columns that hold numbers."""
        return [str(name) for name in self.frame.select_dtypes("number").columns if name not in self.times]


def look(folder: Path) -> list[Seen]:
    """The tables in `folder`, the largest first; files whose names differ in digits alone are one table.

    Raises:
        InputError: there is no table.
    """
    files = sorted(
        f for f in folder.rglob("*") if f.suffix.lower() in (".csv", ".parquet", ".pq") and f.is_file()
    )
    if not files:
        raise InputError("no CSV or Parquet file", "Name the folder that holds the plant's tables", folder)
    groups: dict[tuple[str, ...], list[Path]] = {}
    for file in files:
        likeness = re.sub(r"\d+", "0", file.as_posix())
        key = (likeness, *map(str, _sample(file, rows=1)[0].columns))
        groups.setdefault(key, []).append(file)
    tables = [(sum(f.stat().st_size for f in group), _seen(folder, group)) for group in groups.values()]
    return [seen for _, seen in sorted(tables, key=lambda table: (-table[0], table[1].files))]


def _seen(folder: Path, group: list[Path]) -> Seen:
    frame, separator = _sample(group[0])
    decimal = "."
    times: dict[str, str | None] = {}
    for name in frame.columns:
        if not pd.api.types.is_string_dtype(frame[name]):
            if pd.api.types.is_datetime64_any_dtype(frame[name]):
                times[name] = None
                frame[name] = pd.to_datetime(frame[name], utc=True)
            continue
        cells = frame[name].dropna().astype(str).str.strip()
        if len(cells) and cells.str.fullmatch(DECIMAL_COMMA.pattern).mean() > 0.5:
            decimal = ","
            frame[name] = pd.to_numeric(frame[name].str.replace(",", "."), errors="coerce")
        elif len(cells) and (pattern := _time_format(cells)):
            times[name] = None if pattern == ISO else pattern
            frame[name] = pd.to_datetime(frame[name], format=pattern, errors="coerce", utc=True)
    return Seen(_pattern(folder, group), frame, separator, decimal, times)


def _pattern(folder: Path, group: list[Path]) -> str:
    first = group[0].relative_to(folder)
    if len(group) == 1:
        return first.as_posix()
    return re.sub(r"\d[\d_.-]*\d|\d", "*", first.with_suffix("").as_posix()) + first.suffix


def _time_format(cells: pd.Series[str]) -> str | None:
    """The format in which all cells are times, if there is one."""
    if not cells.head(100).str.contains(r"\d[-./]\d").all():
        return None
    for pattern in (ISO, *FORMATS):
        if pd.to_datetime(cells, format=pattern, errors="coerce", utc=True).notna().all():
            return pattern
    return None


def _sample(file: Path, rows: int = SAMPLE_ROWS) -> tuple[pd.DataFrame, str]:
    try:
        if file.suffix.lower() != ".csv":
            source = pq.ParquetFile(file)
            first = next(source.iter_batches(rows), source.schema_arrow.empty_table())
            return first.to_pandas(), ","
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
            separator = max(",;\t|", key=text.readline().count)
        return pd.read_csv(file, sep=separator, nrows=rows, encoding_errors="replace"), separator
    except (ValueError, csv.Error, OSError) as error:
        todo = "Export it again, or take it out of the folder"
        raise InputError(f"not readable as a table ({error})", todo, file) from error


def median_interval(frame: pd.DataFrame, machine: str, time: str) -> int:
    """Seconds (or counts) between two readings of one machine, at the median; at least 1."""
    ordered = frame.sort_values([machine, time])
    gaps = ordered.groupby(machine)[time].diff().dropna()
    steps = gaps.dt.total_seconds().to_numpy() if gaps.dtype.kind == "m" else gaps.to_numpy(dtype=float)
    steps = steps[steps > 0]
    return max(round(float(np.median(steps))), 1) if len(steps) else 3600
