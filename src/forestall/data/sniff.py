"""What a folder's tables look like: how each file is written, and what kinds of columns it has."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from forestall.errors import InputError

SAMPLE_ROWS = 20_000
TAIL_BYTES = 1_000_000
SAMPLE_FILES = 5
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
    encoding: str
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
        key = (likeness, *_columns(file))
        groups.setdefault(key, []).append(file)
    tables = [(sum(f.stat().st_size for f in group), _seen(folder, group)) for group in groups.values()]
    return [seen for _, seen in sorted(tables, key=lambda table: (-table[0], table[1].files))]


def _seen(folder: Path, group: list[Path]) -> Seen:
    # The first and the last files, for the span of time; neighbours, for the time between two readings.
    chosen = list(dict.fromkeys(group[:SAMPLE_FILES] + group[-SAMPLE_FILES:]))
    frame = pd.concat([_sample(file) for file in chosen], ignore_index=True)
    separator, encoding = _written(group[0]) if _is_csv(group[0]) else (",", "utf-8")
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
    return Seen(_pattern(folder, group), frame, separator, decimal, encoding, times)


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


def _is_csv(file: Path) -> bool:
    return file.suffix.lower() == ".csv"


def _columns(file: Path) -> list[str]:
    if not _is_csv(file):
        return list(map(str, _parquet(file).schema_arrow.names))
    separator, encoding = _written(file)
    return [str(name) for name in _read(file, file, separator, encoding, 0).columns]


def _sample(file: Path) -> pd.DataFrame:
    """The first rows and the last: a table in order of time shows its whole span only so."""
    if not _is_csv(file):
        table = _parquet(file)
        if table.metadata.num_rows <= SAMPLE_ROWS:
            whole: pd.DataFrame = table.read().to_pandas()
            return whole
        first: pd.DataFrame = next(table.iter_batches(SAMPLE_ROWS)).to_pandas()
        last: pd.DataFrame = table.read_row_group(table.num_row_groups - 1).to_pandas().tail(SAMPLE_ROWS)
        return pd.concat([first, last], ignore_index=True)
    separator, encoding = _written(file)
    first = _read(file, file, separator, encoding, SAMPLE_ROWS)
    if len(first) < SAMPLE_ROWS or encoding == "utf-16":
        return first
    last = _read(file, _tail(file), separator, encoding, None)
    return pd.concat([first, last], ignore_index=True)


def _parquet(file: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> InputError:
    return InputError(
        f"not readable as a table ({error})", "Export it again, or take it out of the folder", file
    )


def _tail(file: Path) -> io.BytesIO:
    """The header and the last whole lines."""
    with file.open("rb") as source:
        header = source.readline()
        source.seek(max(len(header), file.stat().st_size - TAIL_BYTES))
        source.readline()
        return io.BytesIO(header + source.read())


def _read(
    file: Path, source: Path | io.BytesIO, separator: str, encoding: str, rows: int | None
) -> pd.DataFrame:
    try:
        return pd.read_csv(
            source, sep=separator, nrows=rows, encoding=encoding, encoding_errors="replace", low_memory=False
        )
    except (ValueError, csv.Error) as error:
        raise _unreadable(file, error) from error


def _written(file: Path) -> tuple[str, str]:
    """A CSV file's separator and encoding."""
    with file.open("rb") as source:
        head = source.read(TAIL_BYTES)
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        encoding = "cp1252"
    header = head.decode(encoding, errors="replace").partition("\n")[0]
    return max(",;\t|", key=header.count), encoding


def median_interval(frame: pd.DataFrame, machine: str, time: str) -> int:
    """Seconds (or counts) between two readings of one machine, at the median; at least 1."""
    ordered = frame.sort_values([machine, time])
    gaps = ordered.groupby(machine)[time].diff().dropna()
    steps = gaps.dt.total_seconds().to_numpy() if gaps.dtype.kind == "m" else gaps.to_numpy(dtype=float)
    steps = steps[steps > 0]
    return max(round(float(np.median(steps))), 1) if len(steps) else 3600
