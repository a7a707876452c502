"""Events: errors, replacements, failures and stops. Adding the same one twice adds it once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal, get_args

import pandas as pd
from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from forestall.data.events import Events
from forestall.features.reference import Reference
from forestall.serving.bundle import Bundle
from forestall.serving.opinions import Opinion
from forestall.serving.store import tables
from forestall.serving.store.database import Store
from forestall.serving.store.machines import ignoring, machines_frame, numbers_of, pieces, touch
from forestall.serving.store.readings import Added

PLANT, FEEDBACK = "plant", "feedback"
Kind = Literal["errors", "maintenance", "failures", "downtime"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Row = tuple[Any, ...]
NEVER = 2**61  # ticks: errors and replacements alter no baseline


@dataclass(frozen=True)
class EventRecord:
    """One row of the failures or the maintenance table and where it comes from; time in ticks."""

    machine: str
    time: int
    component: str
    source: str


@dataclass(frozen=True)
class Happened:
    """What became of a part after a decision: failed or replaced, and when, in ticks."""

    what: Literal["failed", "replaced"]
    time: int


def add_events(
    connection: Connection,
    store: Store,
    kind: Kind,
    frame: pd.DataFrame,
    reference: Reference,
    source: str = PLANT,
) -> Added:
    """Rows of one small table, as in `forestall.data.events.Events`, within the connection's transaction.

    A stop that is known takes the new end.

    Args:
        frame: machine, time (ticks) and code or component; or machine, start, end.

    Raises:
        UnknownMachineError: a machine that the plant's machines table lacks.
    """
    if frame.empty:
        return Added(0, 0)
    table, numbers = tables.metadata.tables[kind], numbers_of(connection, store, frame["machine"])
    key = [column.name for column in table.columns if column.name != "source"]
    columns = [frame["machine"].map(numbers), *(frame[name] for name in key[1:])]
    # In one order, so that two who send the same rows wait for each other and not each for the other. Of a stop that
    # is said twice the later one is taken.
    given = dict.fromkeys(zip(*(column.tolist() for column in columns), strict=True))
    rows = sorted(given, key=itemgetter(0, 1) if kind == "downtime" else None)
    held = _held(connection, table, key, rows)
    new = [dict(zip(key, row, strict=True)) for row in rows if row not in held]
    if new and "source" in table.columns:
        new = [row | {"source": source} for row in new]
    if new:
        connection.execute(_replacing(connection) if kind == "downtime" else ignoring(connection, table), new)
    _touch(connection, kind, new, reference)
    return Added(len(new), len(frame) - len(new))


def events_of(connection: Connection, names: Sequence[str], bundle: Bundle, errors_after: int) -> Events:
    """All that is known of some machines, but of errors only those after a time in ticks."""
    frames = {
        kind: _frame(
            connection, tables.metadata.tables[kind], names, errors_after if kind == "errors" else None
        )
        for kind in KINDS
    }
    return Events(machines=machines_frame(connection, names, bundle), **frames)


def happened_since(
    connection: Connection, opinions: Iterable[Opinion], until: int
) -> dict[tuple[str, str], Happened]:
    """By machine and component, the last failure or replacement after the opinion's decision, where there was one.

    Args:
        until: what lies after it is not known yet; ticks.
    """
    decided = {(one.machine, one.component): one.time for one in opinions}
    found: dict[tuple[str, str], Happened] = {}
    first = min(decided.values(), default=0)
    tell: tuple[tuple[Table, Literal["failed", "replaced"]], ...] = (
        (tables.failures, "failed"),
        (tables.maintenance, "replaced"),
    )
    for table, what in tell:
        for some in pieces(sorted({machine for machine, _ in decided})):
            query = (
                select(tables.machines.c.name, table.c.component, func.max(table.c.time))
                .join(tables.machines, tables.machines.c.id == table.c.machine_id)
                .where(tables.machines.c.name.in_(some), table.c.time > first, table.c.time <= until)
                .group_by(tables.machines.c.name, table.c.component)
            )
            for machine, component, time in connection.execute(query):
                pair = (machine, component)
                known = max(decided.get(pair, time), found[pair].time if pair in found else time - 1)
                if time > known:
                    found[pair] = Happened(what, time)
    return found


def event_records(connection: Connection, kind: Literal["maintenance", "failures"]) -> Iterator[EventRecord]:
    """Every row of a table, by machine and time."""
    table, machines = tables.metadata.tables[kind], tables.machines
    query = (
        select(machines.c.name, table.c.time, table.c.component, table.c.source)
        .join(machines, machines.c.id == table.c.machine_id)
        .order_by(machines.c.name, table.c.time, table.c.component)
    )
    return (EventRecord(*row) for row in connection.execute(query))


def reported(connection: Connection, kind: Literal["maintenance", "failures"], until: int) -> pd.DataFrame:
    """machine, time, component, source of every row until a time in ticks."""
    rows = [(one.machine, one.time, one.component, one.source) for one in event_records(connection, kind)]
    frame = pd.DataFrame(rows, columns=["machine", "time", "component", "source"], dtype=object)
    return frame[frame["time"].astype("int64") <= until]


def _held(connection: Connection, table: Table, key: list[str], rows: list[Row]) -> set[Row]:
    """Which rows of these machines, in the span of these rows' times, are there."""
    ids, times = sorted({row[0] for row in rows}), [row[1] for row in rows]
    within = table.c[key[1]].between(min(times), max(times))
    columns = [table.c[name] for name in key]
    held: set[Row] = set()
    for some in pieces(ids):
        held |= set(connection.execute(select(*columns).where(table.c.machine_id.in_(some), within)))
    return held


def _frame(connection: Connection, table: Table, names: Sequence[str], after: int | None) -> pd.DataFrame:
    machines = tables.machines
    columns = [column for column in table.columns if column.name not in ("machine_id", "source")]
    found: list[Row] = []
    for some in pieces(list(names)):
        query = (
            select(machines.c.name, *columns)
            .join(machines, machines.c.id == table.c.machine_id)
            .where(machines.c.name.in_(some))
            .order_by(machines.c.name, *columns)
        )
        found += connection.execute(query if after is None else query.where(table.c.time > after))
    frame = pd.DataFrame(found, columns=["machine", *(column.name for column in columns)], dtype=object)
    times = {name: "int64" for name in ("time", "start", "end") if name in frame}
    return frame.astype(times)


def _replacing(connection: Connection) -> Any:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(tables.downtime)
    return insert.on_conflict_do_update(
        index_elements=["machine_id", "start"], set_={"end": insert.excluded["end"]}
    )


def _touch(connection: Connection, kind: Kind, new: list[dict[str, Any]], reference: Reference) -> None:
    """A failure says what was healthy before it; a stop what was running: both may alter baselines after them."""
    if not new:
        return
    at = "start" if kind == "downtime" else "time"
    changes: dict[int, tuple[int, int]] = {}
    for row in new:
        low, high = changes.get(row["machine_id"], (row[at], row[at]))
        changes[row["machine_id"]] = (min(low, row[at]), max(high, row[at]))
    normal = {"failures": 0, "downtime": reference.spans.horizon}.get(kind, NEVER)
    touch(connection, changes, normal=normal)
