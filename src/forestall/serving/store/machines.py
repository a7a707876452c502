"""The machines: their names and attributes, and what was done to them since they were scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Connection, Row, bindparam, case, func, select
from sqlalchemy.dialects import postgresql, sqlite

from forestall.errors import ForestallError
from forestall.serving.bundle import Bundle
from forestall.serving.store.database import Store
from forestall.serving.store.tables import machines

AT_A_TIME = 500  # names or numbers in one statement
Attributes = Mapping[str, str | float | None]


class UnknownMachineError(ForestallError):
    """A machine that the plant's machines table lacks."""

    def __init__(self, machine: str) -> None:
        super().__init__(f"machine {machine!r} is not known. Correct its name, or make it known first.")
        self.machine = machine


@dataclass(frozen=True)
class Machine:
    """A machine as the store has it; times in ticks.

    first, last: of its earliest and latest reading. version: counts what was learned of it. changed: the earliest time
    of which something new is known since it was scored; unsettled: the earliest renewal of a baseline that this may
    alter. scored_until: its last decision that was scored; model_id: by which model.
    """

    number: int
    name: str
    attributes: dict[str, Any]
    first: int | None
    last: int | None
    version: int
    changed: int | None
    unsettled: int | None
    scored_until: int | None
    model_id: int | None


def add_machines(connection: Connection, attributes: Mapping[str, Attributes]) -> int:
    """Machines by name; one that is known takes the new attributes. How many are new or changed."""
    held: dict[str, Any] = {}
    known = select(machines.c.name, machines.c.attributes)
    for some in pieces(list(attributes)):
        held |= dict(connection.execute(known.where(machines.c.name.in_(some))).all())
    new = {name: dict(given) for name, given in attributes.items() if name not in held}
    if new:
        rows = [
            {"name": name, "attributes": given, "version": 0, "scored_version": 0}
            for name, given in sorted(new.items())
        ]
        connection.execute(ignoring(connection, machines), rows)
        # Another may have added one meanwhile, and say something else of it.
        for some in pieces([name for name, given in new.items() if given]):
            held |= dict(connection.execute(known.where(machines.c.name.in_(some))).all())
    changed = {n: dict(given) for n, given in attributes.items() if n in held and dict(given) != held[n]}
    for name, given in changed.items():
        row = machines.update().where(machines.c.name == name)
        # Everything that was thought of it may change: `changed` is bounded where it is read.
        connection.execute(
            row.values(attributes=given, version=machines.c.version + 1, changed=machines.c.first)
        )
    return len(new) + len(changed)


def machine_named(connection: Connection, name: str) -> Machine | None:
    """One machine, or None."""
    row = connection.execute(select(machines).where(machines.c.name == name)).one_or_none()
    return None if row is None else _machine(row)


def known_machines(connection: Connection, names: Sequence[str] | None = None) -> dict[str, Machine]:
    """Machines by name, in order: all, or those of these names that are known."""
    every = select(machines).order_by(machines.c.name)
    queries = [every] if names is None else [every.where(machines.c.name.in_(p)) for p in pieces(list(names))]
    return {row.name: _machine(row) for query in queries for row in connection.execute(query)}


def mark_scored(connection: Connection, seen: Mapping[str, Machine], until: int, model: int) -> list[str]:
    """Note that machines as they were `seen` are scored until a decision; which of them still want it.

    Those do not that were meanwhile scored from a later state.
    """
    held = select(machines.c.name, machines.c.scored_version, machines.c.scored_until)
    fresh: list[str] = []
    for some in pieces(list(seen)):
        rows = connection.execute(
            held.where(machines.c.name.in_(some)).order_by(machines.c.id).with_for_update(key_share=True)
        )
        fresh += [
            name
            for name, version, decision in rows
            if version <= seen[name].version and not _scored_later(decision, seen[name].scored_until, until)
        ]
    unchanged = machines.c.version == bindparam("seen")
    values = {
        "scored_version": bindparam("seen"),
        "scored_until": bindparam("until"),
        "model_id": bindparam("model"),
        "changed": case((unchanged, None), else_=machines.c.changed),
        "unsettled": case((unchanged, None), else_=machines.c.unsettled),
    }
    marks = [
        {"number": seen[n].number, "seen": seen[n].version, "until": until, "model": model} for n in fresh
    ]
    if marks:
        connection.execute(
            machines.update().where(machines.c.id == bindparam("number")).values(values), marks
        )
    return fresh


def _scored_later(decision: int | None, seen: int | None, until: int) -> bool:
    """A bundle with other decision times may decide last before the last decision of the one before it."""
    return decision is not None and decision > until and decision != seen


def latest_reading(connection: Connection) -> int | None:
    """The time of the fleet's latest reading, in ticks."""
    return connection.execute(select(func.max(machines.c.last))).scalar()


def numbers_of(connection: Connection, store: Store, names: Iterable[str]) -> dict[str, int]:
    """The machines' numbers; where the plant has no machines table, one that is new is added.

    Raises:
        UnknownMachineError: the first that is not known, where the plant has a machines table.
    """
    wanted = list(dict.fromkeys(names))
    found = known_numbers(connection, wanted)
    missing = [name for name in wanted if name not in found]
    if missing and store.closed:
        raise UnknownMachineError(missing[0])
    if missing:
        add_machines(connection, {name: {} for name in missing})
        found |= known_numbers(connection, missing)
    return found


def machines_frame(connection: Connection, names: Sequence[str], bundle: Bundle) -> pd.DataFrame:
    """The machines table as the reader has it: machine, attributes."""
    table = bundle.plant.dataset.tables.machines
    wanted = table.attributes if table else {}
    held: dict[str, dict[str, Any]] = {}
    for some in pieces(list(names)):
        rows = connection.execute(
            select(machines.c.name, machines.c.attributes).where(machines.c.name.in_(some))
        )
        held |= dict(rows.all())
    columns: dict[str, Any] = {"machine": pd.Series(list(names), dtype=object)}
    for name, kind in wanted.items():
        values = [held[machine].get(name) for machine in names]
        columns[name] = pd.Series(values, dtype=object if kind == "category" else "float64")
    return pd.DataFrame(columns)


def attributes_of(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The rows of a machines table (machine, attributes) by machine; a missing number is None."""
    columns = [name for name in frame.columns if name != "machine"]
    found: dict[str, dict[str, Any]] = {}
    for row in frame.to_dict("records"):
        given = {str(name): row[name] for name in columns}
        found[str(row["machine"])] = {n: None if value != value else value for n, value in given.items()}
    return found


def touch(
    connection: Connection, changes: Mapping[int, tuple[int, int]], readings: bool = False, normal: int = 0
) -> None:
    """Note that something new is known of machines.

    Args:
        changes: by number, the earliest and the latest time of what is new.
        readings: whether those are times of readings.
        normal: from how long after the earliest time on a baseline may be another; ticks.
    """
    if not changes:
        return
    rows = [
        {"number": number, "low": low, "high": high, "renewal": low + normal}
        for number, (low, high) in changes.items()
    ]
    low, high, renewal = (bindparam(name, type_=BigInteger) for name in ("low", "high", "renewal"))
    values = {
        "version": machines.c.version + 1,
        "changed": _least(machines.c.changed, low),
        "unsettled": _least(machines.c.unsettled, renewal),
    }
    if readings:
        values["first"] = _least(machines.c.first, low)
        values["last"] = case((machines.c.last > high, machines.c.last), else_=high)
    connection.execute(machines.update().where(machines.c.id == bindparam("number")).values(values), rows)


def known_since(connection: Connection, first: Mapping[str, int]) -> None:
    """Note when machines' histories began, where it was before the first of their readings that is stored."""
    rows = [{"machine": name, "begun": time} for name, time in first.items()]
    begun = bindparam("begun", type_=BigInteger)
    earlier = machines.update().where(machines.c.name == bindparam("machine"), machines.c.first > begun)
    connection.execute(earlier.values(first=begun), rows)


def _least(column: Any, value: Any) -> Any:
    return case((column < value, column), else_=value)


def known_numbers(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The numbers of those of the machines that are known."""
    found: dict[str, int] = {}
    for some in pieces(list(names)):
        rows = connection.execute(select(machines.c.name, machines.c.id).where(machines.c.name.in_(some)))
        found |= dict(rows.all())
    return found


def pieces(values: list[Any]) -> Iterable[list[Any]]:
    """A list in parts that fit a statement."""
    return (values[start : start + AT_A_TIME] for start in range(0, len(values), AT_A_TIME))


def ignoring(connection: Connection, table: Any) -> Any:
    """An insert that leaves rows alone that are there already."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


def _machine(row: Row[Any]) -> Machine:
    names = [name for name in Machine.__dataclass_fields__ if name != "number"]
    return Machine(row.id, **{name: getattr(row, name) for name in names})
