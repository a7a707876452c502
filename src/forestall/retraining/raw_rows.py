"""Rows of the store as the plant's own tables would have them: its columns, its times, its marks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forestall.data.read import read_pieces
from forestall.data.tables import Downtime, Machines, Scalar, Table, Telemetry, TimedTable
from forestall.training.series import Ints

ZONE = re.compile(r"([Zz]|[+-]\d\d:?\d\d)$")
OFF = (0, "off")  # what stands for a machine that does not run, where numbers or words say that it does
Cells = dict[str, Any]


def telemetry_cells(table: Telemetry, frame: pd.DataFrame, zoned: bool) -> pd.DataFrame:
    """Readings: machine, time, running, sensors. Long tables get a row for each value that there is."""
    cells: Cells = {table.machine: frame["machine"], table.time: _times(table, frame["time"], zoned)}
    if table.running is not None:
        marks = list(table.running.values)
        cells[table.running.column] = np.where(frame["running"], marks[0], _off(marks))
    columns = {sensor.column or name: frame[name] for name, sensor in table.sensors.items()}
    if table.tag is None:
        return _marked(table, pd.DataFrame(cells | columns))
    head = pd.DataFrame(cells)
    value = str(table.value)
    parts = [
        pd.concat([head, pd.DataFrame({table.tag: name, value: values})], axis=1)
        for name, values in columns.items()
    ]
    return _marked(table, pd.concat(parts, ignore_index=True).dropna(subset=value))


def event_cells(table: TimedTable, frame: pd.DataFrame, label: str, zoned: bool) -> pd.DataFrame:
    """Errors, replacements or failures: machine, time and the label, `code` or `component`."""
    cells: Cells = {table.machine: frame["machine"], table.time: _times(table, frame["time"], zoned)}
    column = getattr(table, label)
    if column is not None:
        cells[column] = frame[label]
    return _marked(table, pd.DataFrame(cells))


def downtime_cells(table: Downtime, frame: pd.DataFrame, goes_on: int, zoned: bool) -> pd.DataFrame:
    """Stops: machine, start, end; the end of one that goes on is empty. goes_on: its end, in ticks."""
    ends = frame["end"].to_numpy(dtype=np.int64)
    known = pd.Series(np.minimum(ends, goes_on - 1), index=frame.index)
    cells: Cells = {
        table.machine: frame["machine"],
        table.start: _times(table, frame["start"], zoned),
        table.end: _times(table, known, zoned).where(ends < goes_on, ""),
    }
    return _marked(table, pd.DataFrame(cells))


def machine_cells(table: Machines, frame: pd.DataFrame) -> pd.DataFrame:
    """Machines and their attributes."""
    return _marked(table, frame.rename(columns={"machine": table.machine}))


def is_zoned(folder: Path, table: Table, column: str) -> bool:
    """Whether the times of a table's own files have a zone: all do, or none."""
    pattern = getattr(table, "time_format", None)
    if pattern is not None:
        return "%z" in pattern or "%Z" in pattern
    cells = (cell for piece in read_pieces(folder, table, [column]) for cell in piece.frame[column].dropna())
    first = next(cells, "")
    if isinstance(first, pd.Timestamp):
        return first.tzinfo is not None
    return ZONE.search(str(first).strip()) is not None


def write_rows(file: Path, table: Table, cells: pd.DataFrame) -> None:
    """Write a CSV file as the dataset file describes the table's, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}")
    columns = list(table.columns or cells.columns)
    whole = cells.reindex(columns=columns)
    whole.to_csv(
        draft,
        index=False,
        header=table.header,
        sep=table.separator,
        decimal=table.decimal,
        encoding=table.encoding,
        lineterminator="\n",
    )
    draft.replace(file)


def _marked(table: Table, cells: pd.DataFrame) -> pd.DataFrame:
    """With what `where` asks of its rows."""
    marks = {name: one[0] if isinstance(one, list) else one for name, one in table.where.items()}
    return cells.assign(**{name: value for name, value in marks.items() if name not in cells})


def _times(table: TimedTable | Downtime, ticks: pd.Series[int], zoned: bool) -> pd.Series[str]:
    stamps = pd.Series(pd.to_datetime(ticks.to_numpy(dtype=np.int64), unit="s", utc=zoned), index=ticks.index)
    pattern = table.time_format or ("%Y-%m-%dT%H:%M:%SZ" if zoned else "%Y-%m-%d %H:%M:%S")
    return stamps.dt.strftime(pattern)


def _off(values: list[Scalar]) -> Scalar:
    number, word = OFF
    return (
        number if all(isinstance(value, int | float) for value in values) and number not in values else word
    )


def months_of(ticks: Ints) -> np.ndarray[Any, np.dtype[np.str_]]:
    """The calendar month of each time, such as 2024-12, as the plant's tables write it."""
    return ticks.astype("datetime64[s]").astype("datetime64[M]").astype(str)
