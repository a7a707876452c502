"""What a store has learnt since a plant's own tables ended, as files of its tables: `live/<table>-<month>.csv`.

A file is of one calendar month that is over. All are written again each time, so that what came late is in its month,
and those of which nothing came late have the same bytes: DVC stores only what is new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from forestall.data.dataset import Dataset
from forestall.data.events import is_last_row
from forestall.data.read_events import GOES_ON
from forestall.data.tables import Downtime, Table, TimedTable
from forestall.errors import ForestallError
from forestall.monitoring.merged import FEEDBACK, merged
from forestall.retraining.raw_rows import (
    downtime_cells,
    event_cells,
    is_zoned,
    machine_cells,
    months_of,
    telemetry_cells,
    write_rows,
)
from forestall.serving.bundle import Bundle
from forestall.serving.store.database import Store
from forestall.serving.store.events import KINDS, Kind, events_of, reported
from forestall.serving.store.machines import known_machines, machines_frame
from forestall.serving.store.readings import recent
from forestall.training.judging import repair_span

LIVE = "live"
MACHINES_AT_A_TIME = 500
LABELS = {"errors": "code", "maintenance": "component", "failures": "component"}
BEFORE = -(2**62)
File = tuple[str, Table, pd.DataFrame]  # its path, what it is of, its cells


@dataclass(frozen=True)
class Source:
    """Where a snapshot comes from.

    folder: of the dataset's tables. dataset: as it names the files there; the bundle may be of a branch that has more
    months, and was not merged. ends: each machine's last reading in the plant's own tables, in ticks; what is
    later is the store's. A machine that is not among them is new.
    """

    connection: Connection
    store: Store
    bundle: Bundle
    dataset: Dataset
    folder: Path
    ends: Mapping[str, int]


def snapshot(source: Source, into: Path, until: int) -> list[str]:
    """Write the months that are over at a time in ticks, below a folder; the files' paths there, by table and month.

    Raises:
        ForestallError: the plant's tables have no months, or the store knows less than the dataset has of it already.
    """
    dataset = source.dataset
    if dataset.own_clocks or is_last_row(dataset):
        raise ForestallError(
            "Machines with clocks of their own, or whose histories end with a failure, have no months to take from a "
            "service. Add the new histories to the plant's own tables."
        )
    end, files = _month_start(until), []
    for name, table, cells in (*_telemetry(source, end), *_events(source, end), *_machines(source)):
        _check_not_less(source.folder / name, table, len(cells))
        write_rows(into / name, table, cells)
        files.append(name)
    for held in sorted(source.folder.glob(f"{LIVE}/*-????-??.csv")):
        if held.relative_to(source.folder).as_posix() not in files:
            raise _less(held, 0)
    return sorted(files)


def _telemetry(source: Source, end: int) -> Iterator[File]:
    table = source.dataset.tables.telemetry
    zoned = is_zoned(source.folder, table, table.time)
    first = min(source.ends.values(), default=BEFORE)
    for start, stop in _months(source, first, end):
        parts = [part for part in _readings(source, start, stop) if len(part)]
        if parts:
            frame = pd.concat(parts, ignore_index=True)
            yield _name("telemetry", str(_month(start))), table, telemetry_cells(table, frame, zoned)


def _readings(source: Source, start: int, stop: int) -> Iterator[pd.DataFrame]:
    """Of a month, later than the own tables: by machine and time."""
    names = _names(source)
    sensors = list(source.bundle.reference.sensors)
    for at in range(0, len(names), MACHINES_AT_A_TIME):
        some = names[at : at + MACHINES_AT_A_TIME]
        frame = recent(source.connection, source.store, some, (start - 1, stop - 1), sensors)
        yield frame[_is_later(frame, source.ends)]


def _events(source: Source, end: int) -> Iterator[File]:
    tables = source.dataset.tables
    for kind in KINDS:
        table = getattr(tables, kind)
        if table is not None:
            frame = _rows(source, kind, end)
            time = "start" if kind == "downtime" else "time"
            zoned = is_zoned(source.folder, table, getattr(table, time))
            for month, some in frame.groupby(months_of(frame[time].to_numpy(dtype=np.int64))):
                cells = _cells(table, kind, some.reset_index(drop=True), zoned)
                yield _name(kind, str(month)), table, cells


def _cells(table: Table, kind: str, frame: pd.DataFrame, zoned: bool) -> pd.DataFrame:
    if isinstance(table, Downtime):
        return downtime_cells(table, frame, GOES_ON, zoned)
    assert isinstance(table, TimedTable)
    return event_cells(table, frame, LABELS[kind], zoned)


def _rows(source: Source, kind: Kind, end: int) -> pd.DataFrame:
    """What the own tables cannot have; people's reports only where the plant's system did not book the same."""
    if kind == "maintenance" or kind == "failures":
        known = reported(source.connection, kind, end - 1)
        frame = merged(known, repair_span(source.dataset))
        return frame[_is_later(frame, source.ends) | (frame["source"] == FEEDBACK)].drop(columns="source")
    time = "start" if kind == "downtime" else "time"
    every: pd.DataFrame = getattr(events_of(source.connection, _names(source), source.bundle, BEFORE), kind)
    later = _is_later(every, source.ends, time)
    if kind == "downtime":  # the own tables may have begun a stop that was not over when they ended
        later |= _is_later(every, source.ends, "end") & (every["end"].astype("int64") < end)
    new = every[(every[time] < end) & later]
    return new.sort_values([time, *new.columns], ignore_index=True)


def _machines(source: Source) -> Iterator[File]:
    """Machines that the own tables do not have."""
    table = source.dataset.tables.machines
    new = sorted(set(_names(source)) - set(source.ends))
    if table is not None and new:
        frame = machines_frame(source.connection, new, source.bundle)
        yield f"{LIVE}/machines.csv", table, machine_cells(table, frame)


def _check_not_less(held: Path, table: Table, rows: int) -> None:
    """A store that was emptied must not empty what was learnt from it."""
    if held.is_file() and rows < rows_in(held, table):
        raise _less(held, rows)


def rows_in(file: Path, table: Table) -> int:
    """How many rows a file of the service's has."""
    return len(file.read_bytes().splitlines()) - table.header


def _less(file: Path, rows: int) -> ForestallError:
    return ForestallError(
        f"{file}: the service knows {rows} rows of this month, fewer than there are. Is it the right database? If rows "
        "were taken out on purpose, remove the file first."
    )


def _names(source: Source) -> list[str]:
    return sorted(known_machines(source.connection))


def _is_later(frame: pd.DataFrame, ends: Mapping[str, int], time: str = "time") -> pd.Series[bool]:
    return frame[time].astype("int64") > frame["machine"].map(dict(ends)).fillna(BEFORE).astype("int64")


def _months(source: Source, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The months from that of the first new reading to the end, as [start, stop) in ticks."""
    known = [one.first for one in known_machines(source.connection).values() if one.first is not None]
    if not known:
        return
    for month in np.arange(_month(max(first, min(known))), _month(end)):
        start, stop = (int(one.astype("datetime64[s]").astype(np.int64)) for one in (month, month + 1))
        yield start, stop


def _month(time: int) -> np.datetime64:
    month: np.datetime64 = np.datetime64(time, "s").astype("datetime64[M]")
    return month


def _month_start(time: int) -> int:
    return int(_month(time).astype("datetime64[s]").astype(np.int64))


def _name(kind: str, month: str) -> str:
    return f"{LIVE}/{kind}-{month}.csv"
