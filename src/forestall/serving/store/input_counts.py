"""How the model's inputs were spread in each machine's weeks: counts of decisions in bins, for monitoring.

Bins are a bundle's, told apart by `kind`; a bundle with other bins counts anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, select

from forestall.serving.store.machines import pieces
from forestall.serving.store.tables import input_counts, machines

Counts = npt.NDArray[np.int32]
PACKED = np.dtype("<i4")


@dataclass(frozen=True, eq=False)
class WeekCounts:
    """Decisions of a machine in one week, by bin: the first, the last, and counts [bins]. Times in ticks."""

    number: int
    start: int
    first: int
    last: int
    counts: Counts


@dataclass(frozen=True, eq=False)
class CountedWeeks:
    """Counts [weeks, bins] of machines' weeks, by machine's name and start."""

    machine: npt.NDArray[np.object_]
    start: npt.NDArray[np.int64]
    counts: Counts


def add_counts(connection: Connection, kind: str, weeks: Sequence[WeekCounts]) -> None:
    """Add decisions to what was counted; those that are counted already, by another scorer, are left out."""
    held = _held(connection, kind, {one.number for one in weeks}, {one.start for one in weeks})
    rows = []
    for one in weeks:
        until, counts = held.get((one.number, one.start), (None, np.zeros_like(one.counts)))
        if until is None or until < one.first:
            packed = (counts + one.counts).astype(PACKED).tobytes()
            about = {"machine_id": one.number, "kind": kind, "start": one.start}
            rows.append(about | {"until": one.last, "counts": packed})
    if rows:
        same = (input_counts.c.machine_id == bindparam("number"), input_counts.c.start == bindparam("week"))
        gone = [{"number": row["machine_id"], "week": row["start"]} for row in rows]
        connection.execute(input_counts.delete().where(*same, input_counts.c.kind == kind), gone)
        connection.execute(input_counts.insert(), rows)


def _held(
    connection: Connection, kind: str, numbers: Collection[int], starts: Collection[int]
) -> dict[tuple[int, int], tuple[int, Counts]]:
    found: dict[tuple[int, int], tuple[int, Counts]] = {}
    table = input_counts.c
    for some in pieces(sorted(numbers)):
        wanted = (table.kind == kind, table.machine_id.in_(some), table.start.in_(sorted(starts)))
        query = select(table.machine_id, table.start, table.until, table.counts).where(*wanted)
        for number, start, until, blob in connection.execute(query):
            found[number, start] = (until, np.frombuffer(blob, dtype=PACKED))
    return found


def counts_between(connection: Connection, kind: str, size: int, low: int, high: int) -> CountedWeeks:
    """What was counted in bins of a kind, `size` of them, in weeks that start in [low, high]."""
    query = (
        select(machines.c.name, input_counts.c.start, input_counts.c.counts)
        .join(machines, machines.c.id == input_counts.c.machine_id)
        .where(input_counts.c.kind == kind, input_counts.c.start.between(low, high))
        .order_by(machines.c.name, input_counts.c.start)
    )
    rows = connection.execute(query).all()
    blobs = b"".join(row.counts for row in rows)
    return CountedWeeks(
        machine=np.array([row.name for row in rows], dtype=object),
        start=np.array([row.start for row in rows], dtype=np.int64),
        counts=np.frombuffer(blobs, dtype=PACKED).reshape(len(rows), size),
    )
