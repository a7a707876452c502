"""Readings: added in batches, all or nothing, and read back as the frame that scoring starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, select

from forestall.errors import ForestallError
from forestall.features.history import Floats, Ints
from forestall.features.reference import Reference
from forestall.serving.store.database import Store
from forestall.serving.store.machines import known_numbers, numbers_of, pieces, touch
from forestall.serving.store.tables import readings

PACKED = np.dtype("<f8")
Row = tuple[Any, ...]  # machine's number, time, running, packed values


class OtherReadingError(ForestallError):
    """A reading of that machine and time is stored with other values; time in ticks, row in the batch."""

    def __init__(self, machine: str, time: int, row: int) -> None:
        super().__init__(
            f"machine {machine!r} has another reading of the same time. Correct one, or its time."
        )
        self.machine, self.time, self.row = machine, time, row


@dataclass(frozen=True)
class Readings:
    """A batch of readings.

    machine: [rows]. time: ticks [rows]. running: [rows]. sensors: names of the columns of `values` [rows, sensors], NaN
    where missing; a sensor that is not named is missing in all rows.
    """

    machine: Sequence[str]
    time: Ints
    running: npt.NDArray[np.bool_]
    sensors: tuple[str, ...]
    values: Floats

    def __len__(self) -> int:
        return len(self.machine)


@dataclass(frozen=True)
class Added:
    """How many rows of a batch are new, and how many were known already."""

    new: int
    known: int


def add_readings(connection: Connection, store: Store, batch: Readings, reference: Reference) -> Added:
    """Store a batch within the connection's transaction.

    Raises:
        UnknownMachineError: a machine that the plant's machines table lacks.
        OtherReadingError: one machine has two different readings of one time, in the batch or with what is stored.
    """
    if not len(batch):
        return Added(0, 0)
    rows = _rows(connection, store, batch)
    # In one order, so that two who send the same rows wait for each other and not each for the other.
    new = _insert(connection, sorted(rows, key=itemgetter(0, 1)))
    if new < len(rows):
        _refuse_conflicts(connection, rows, batch)
    if new:
        spans = _spans([row[0] for row in rows], batch.time)
        touch(connection, spans, readings=True, normal=reference.spans.horizon)
    return Added(new, len(rows) - new)


def replace_readings(connection: Connection, store: Store, batch: Readings, reference: Reference) -> int:
    """Store a batch, in the place of other readings of the same machines and times; how many are new or other.

    Raises:
        UnknownMachineError: a machine that the plant's machines table lacks.
    """
    rows = _rows(connection, store, batch) if len(batch) else []
    held = _held(connection, rows)
    new = [row for row in rows if not _same(row, held.get((row[0], row[1])))]
    if new:
        _insert(connection, new, 'DO UPDATE SET running = excluded.running, "values" = excluded."values"')
        spans = _spans([row[0] for row in new], np.array([row[1] for row in new], dtype=np.int64))
        touch(connection, spans, readings=True, normal=reference.spans.horizon)
    return len(new)


def recent(
    connection: Connection,
    store: Store,
    names: Sequence[str],
    span: tuple[int, int],
    sensors: Sequence[str],
    limit: int | None = None,
) -> pd.DataFrame:
    """Readings in a span (after, until] as they were sent: machine, time, running, sensors; by machine and time.

    Args:
        limit: of one machine, at most so many.
    """
    name_of = {number: name for name, number in known_numbers(connection, names).items()}
    after, until = span
    found: list[tuple[Any, ...]] = []
    for some in pieces(sorted(name_of)):
        # Plain text, whose rows come as the driver has them: columns with types take three times as long.
        query = (
            'SELECT machine_id, "time", running, "values" FROM readings '
            f"WHERE machine_id IN ({', '.join(map(str, some))}) "
            f'AND "time" > {int(after)} AND "time" <= {int(until)} ORDER BY machine_id, "time"'
        )
        query += "" if limit is None else f" LIMIT {int(limit)}"
        found += connection.exec_driver_sql(query).all()
    number, time, running, blobs = zip(*found, strict=True) if found else ((), (), (), ())
    values = unpacked(blobs, len(store.sensors))
    places = [store.sensors.index(sensor) for sensor in sensors]
    frame: dict[str, Any] = {
        "machine": pd.Series([name_of[one] for one in number], dtype=object),
        "time": np.array(time, dtype=np.int64),
        "running": np.array(running, dtype=np.bool_),
    }
    return pd.DataFrame(frame | {s: values[:, place] for s, place in zip(sensors, places, strict=True)})


def unpacked(blobs: Sequence[bytes], count: int) -> Floats:
    """Values [rows, count]; what was stored before a sensor was known is missing.

    What another service stored of sensors that are not known here is left out.
    """
    size = count * PACKED.itemsize
    if set(map(len, blobs)) <= {size}:
        return np.frombuffer(b"".join(blobs), dtype=PACKED).reshape(len(blobs), count)
    padded = b"".join(_padded(bytes(blob), size)[:size] for blob in blobs)
    return np.frombuffer(padded, dtype=PACKED).reshape(len(blobs), count)


def _padded(blob: bytes, size: int) -> bytes:
    """Packed values, and missing ones up to a size in bytes."""
    return blob + np.full(max(0, size - len(blob)) // PACKED.itemsize, np.nan, dtype=PACKED).tobytes()


def _rows(connection: Connection, store: Store, batch: Readings) -> list[Row]:
    numbers = numbers_of(connection, store, batch.machine)
    ids = [numbers[name] for name in batch.machine]
    columns = (ids, batch.time.tolist(), batch.running.tolist(), _packed(batch, store.sensors))
    return list(zip(*columns, strict=True))


def _packed(batch: Readings, order: tuple[str, ...]) -> list[bytes]:
    """Each row's values as bytes; one missing value and one zero, so that equal readings are equal bytes."""
    values = np.full((len(batch), len(order)), np.nan, dtype=PACKED)
    for column, name in enumerate(batch.sensors):
        values[:, order.index(name)] = batch.values[:, column]  # noqa: PD011
    values = np.where(np.isnan(values), np.nan, values + 0.0).astype(PACKED)
    whole, size = values.tobytes(), len(order) * PACKED.itemsize
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def _insert(connection: Connection, rows: list[Row], meeting: str = "DO NOTHING") -> int:
    """How many of the rows were not there; `meeting` says what to do with those that are."""
    if connection.dialect.name == "sqlite":
        # The driver itself, with rows as tuples: half of the time of an ingest otherwise goes into mappings.
        statement = f"INSERT INTO readings VALUES (?, ?, ?, ?) ON CONFLICT (machine_id, time) {meeting}"
        return int(connection.exec_driver_sql(statement, rows).rowcount)
    ids, times, running, blobs = (list(column) for column in zip(*rows, strict=True))
    statement = (
        'INSERT INTO readings (machine_id, "time", running, "values") '
        "SELECT * FROM unnest(%s::int[], %s::bigint[], %s::bool[], %s::bytea[]) "
        f'ON CONFLICT (machine_id, "time") {meeting}'
    )
    return int(connection.exec_driver_sql(statement, (ids, times, running, blobs)).rowcount)


def _held(connection: Connection, rows: Sequence[Row]) -> dict[tuple[int, int], tuple[bool, bytes]]:
    """What is stored of these machines in the span of these rows' times, each machine its own."""
    held: dict[tuple[int, int], tuple[bool, bytes]] = {}
    spans = _spans([row[0] for row in rows], np.array([row[1] for row in rows], dtype=np.int64))
    for number, (low, high) in spans.items():
        query = select(readings.c.time, readings.c.running, readings.c["values"]).where(
            readings.c.machine_id == number, readings.c.time >= low, readings.c.time <= high
        )
        held |= {(number, row[0]): (row[1], bytes(row[2])) for row in connection.execute(query)}
    return held


def _same(row: Row, held: tuple[bool, bytes] | None) -> bool:
    if held is None:
        return False
    (_, _, running, blob), (was, values) = row, held
    size = max(len(blob), len(values))
    return bool(was == running and _padded(values, size) == _padded(blob, size))


def _refuse_conflicts(connection: Connection, rows: list[Row], batch: Readings) -> None:
    held = _held(connection, rows)
    for place, row in enumerate(rows):
        if not _same(row, held[row[0], row[1]]):
            raise OtherReadingError(batch.machine[place], row[1], place)


def _spans(ids: list[int], time: Ints) -> dict[int, tuple[int, int]]:
    """By machine's number the earliest and the latest of its times."""
    by_number = pd.Series(time).groupby(np.array(ids, dtype=np.int64)).agg(["min", "max"])
    return {number: (low, high) for number, low, high in by_number.itertuples(name=None)}
