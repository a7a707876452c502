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
from sqlalchemy import Connection, select

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
from forestall.serving.store import tables as stored
from forestall.serving.store.database import Store
from forestall.serving.store.machines import machines_frame
from forestall.serving.store.readings import recent
from forestall.training.judging import repair_span

LIVE = "live"
MACHINES_AT_A_TIME = 500
LABELS = {"errors": "code", "maintenance": "component", "failures": "component"}
BEFORE = -(2**62)


@dataclass(frozen=True)
class Source:
    """Where a snapshot comes from.

    ends: each machine's last reading in the plant's own tables, in ticks; what is later is the store's. A machine that
    is not among them is new.
    """

    connection: Connection
    store: Store
    bundle: Bundle
    ends: Mapping[str, int]


def snapshot(source: Source, folder: Path, until: int) -> list[Path]:
    """Write the months that are over at a time in ticks; the files, below `folder`, by table and month.

    Raises:
        ForestallError: the plant's tables have no months, or the store knows less than is written there already.
    """
    dataset = source.bundle.plant.dataset
    if dataset.own_clocks or is_last_row(dataset):
        raise ForestallError(
            "Machines with clocks of their own, or whose histories end with a failure, have no months to take from a "
            "service. Add the new histories to the plant's own tables."
        )
    end, before = _month_start(until), set(folder.glob(f"{LIVE}/*-????-??.csv"))
    files = [*_telemetry(source, folder, end), *_events(source, folder, end), *_machines(source, folder)]
    for lost in sorted(before - set(files)):
        raise _less(lost, 0)
    return sorted(files)


def _telemetry(source: Source, folder: Path, end: int) -> Iterator[Path]:
    table = source.bundle.plant.dataset.tables.telemetry
    zoned = is_zoned(folder, table, table.time)
    first = min(source.ends.values(), default=BEFORE)
    for start, stop in _months(source, first, end):
        parts = [part for part in _readings(source, start, stop) if len(part)]
        if parts:
            file = _file(folder, "telemetry", start)
            yield _written(file, table, telemetry_cells(table, pd.concat(parts, ignore_index=True), zoned))


def _readings(source: Source, start: int, stop: int) -> Iterator[pd.DataFrame]:
    """Of a month, later than the own tables: by machine and time."""
    names = _names(source)
    sensors = list(source.bundle.reference.sensors)
    for at in range(0, len(names), MACHINES_AT_A_TIME):
        some = names[at : at + MACHINES_AT_A_TIME]
        frame = recent(source.connection, source.store, some, (start - 1, stop - 1), sensors)
        yield frame[_is_later(frame, source.ends)]


def _events(source: Source, folder: Path, end: int) -> Iterator[Path]:
    tables = source.bundle.plant.dataset.tables
    for kind in ("errors", "maintenance", "failures", "downtime"):
        table = getattr(tables, kind)
        if table is not None:
            frame = _rows(source, kind, end)
            time = "start" if kind == "downtime" else "time"
            zoned = is_zoned(folder, table, getattr(table, time))
            for month, some in frame.groupby(months_of(frame[time].to_numpy(dtype=np.int64))):
                file = folder / LIVE / f"{kind}-{month}.csv"
                yield _written(file, table, _cells(table, kind, some.reset_index(drop=True), zoned))


def _cells(table: Table, kind: str, frame: pd.DataFrame, zoned: bool) -> pd.DataFrame:
    if isinstance(table, Downtime):
        return downtime_cells(table, frame, GOES_ON, zoned)
    assert isinstance(table, TimedTable)
    return event_cells(table, frame, LABELS[kind], zoned)


def _rows(source: Source, kind: str, end: int) -> pd.DataFrame:
    """What the own tables cannot have; people's reports only where the plant's system did not book the same."""
    table = stored.metadata.tables[kind]
    columns = [column for column in table.columns if column.name != "machine_id"]
    query = select(stored.machines.c.name.label("machine"), *columns)
    query = query.join(stored.machines, stored.machines.c.id == table.c.machine_id)
    time = table.c.start if kind == "downtime" else table.c.time
    rows = source.connection.execute(query.where(time < end).order_by(*columns[:1], stored.machines.c.name))
    frame = pd.DataFrame(rows.all(), columns=["machine", *(column.name for column in columns)], dtype=object)
    if "source" not in frame:
        return frame[_is_later(frame, source.ends, time.name)]
    frame = merged(frame, repair_span(source.bundle.plant.dataset))
    return frame[_is_later(frame, source.ends) | (frame["source"] == FEEDBACK)].drop(columns="source")


def _machines(source: Source, folder: Path) -> Iterator[Path]:
    """Machines that the own tables do not have."""
    table = source.bundle.plant.dataset.tables.machines
    new = sorted(set(_names(source)) - set(source.ends))
    if table is not None and new:
        file = folder / LIVE / "machines.csv"
        yield _written(
            file, table, machine_cells(table, machines_frame(source.connection, new, source.bundle))
        )


def _written(file: Path, table: Table, cells: pd.DataFrame) -> Path:
    """It, unless it would lose rows: a store that was emptied must not empty what was learnt from it."""
    if file.is_file() and len(cells) < _rows_of(file, table):
        raise _less(file, len(cells))
    write_rows(file, table, cells)
    return file


def _rows_of(file: Path, table: Table) -> int:
    return len(file.read_bytes().splitlines()) - table.header


def _less(file: Path, rows: int) -> ForestallError:
    return ForestallError(
        f"{file}: the service knows {rows} rows of this month, fewer than there are. Is it the right database? If rows "
        "were taken out on purpose, remove the file first."
    )


def _names(source: Source) -> list[str]:
    return sorted(source.connection.execute(select(stored.machines.c.name)).scalars())


def _is_later(frame: pd.DataFrame, ends: Mapping[str, int], time: str = "time") -> pd.Series[bool]:
    return frame[time].astype("int64") > frame["machine"].map(dict(ends)).fillna(BEFORE).astype("int64")


def _months(source: Source, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The months from that of the first new reading to the end, as [start, stop) in ticks."""
    known = source.connection.execute(
        select(stored.machines.c.first).order_by(stored.machines.c.first)
    ).scalar()
    if known is None:
        return
    begin = np.datetime64(max(first, int(known)), "s").astype("datetime64[M]")
    for month in np.arange(begin, np.datetime64(end, "s").astype("datetime64[M]")):
        start, stop = (int(one.astype("datetime64[s]").astype(np.int64)) for one in (month, month + 1))
        yield start, stop


def _month_start(time: int) -> int:
    return int(np.datetime64(time, "s").astype("datetime64[M]").astype("datetime64[s]").astype(np.int64))


def _file(folder: Path, kind: str, start: int) -> Path:
    return folder / LIVE / f"{kind}-{np.datetime64(start, 's').astype('datetime64[M]')}.csv"
