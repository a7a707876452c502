"""Alarms as they are stored: listed, and raised and ended by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Row, Select, or_, select

from forestall.errors import ForestallError
from forestall.serving.store.machines import pieces
from forestall.serving.store.tables import alarms, audit, machines

State = Literal["open", "acknowledged", "in work", "closed"]
Finding = Literal["confirmed", "no fault found", "replaced unseen"]
EndReason = Literal["replaced", "failed", "quiet", "horizon over", "withdrawn"]
STATES: tuple[State, ...] = get_args(State)
FINDINGS: tuple[Finding, ...] = get_args(Finding)


class UnknownAlarmError(ForestallError):
    """There is no alarm of that number."""


@dataclass(frozen=True)
class Alarm:
    """An alarm.

    opened, ended: decisions, in ticks; ended is None while the rules keep it open, and `end_reason` says what ended it.
    risk: at its opening. raised_at: when it was written, in seconds since 1970. The rest is what people say of it.
    """

    id: int
    machine: str
    component: str
    opened: int
    ended: int | None
    end_reason: EndReason | None
    risk: float
    threshold: float
    raised_at: int
    state: State
    finding: Finding | None
    assignee: str
    note: str
    version: int


@dataclass(frozen=True)
class Entry:
    """One change of an alarm: when (seconds since 1970), who, and the changed things before and after.

    `after` has also what a finding said of the part: `found`, in ticks, and whether it was `replaced`; and when it
    `failed`, in ticks, if no fault was found all the same.
    """

    id: int
    at: int
    who: str
    before: dict[str, Any]
    after: dict[str, Any]
    note: str


@dataclass(frozen=True)
class AlarmFilter:
    """Which alarms are listed; None asks for all. ended: whether the rules have ended them."""

    states: Sequence[State] = STATES
    machine: str | None = None
    component: str | None = None
    ended: bool | None = None


@dataclass(frozen=True)
class Page:
    """Some alarms, the newest first, and the number after which the next page begins: None after the last."""

    alarms: list[Alarm]
    next: int | None


def list_alarms(connection: Connection, wanted: AlarmFilter, limit: int, after: int | None = None) -> Page:
    """Alarms, the newest first.

    Args:
        after: what the page before said is next.
    """
    query = _filtered(all_alarms(), wanted).order_by(alarms.c.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(alarms.c.id < after)
    rows = [alarm_of(row) for row in connection.execute(query)]
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def _filtered(query: Select[Any], wanted: AlarmFilter) -> Select[Any]:
    query = query.where(alarms.c.state.in_(wanted.states))
    if wanted.machine is not None:
        query = query.where(machines.c.name == wanted.machine)
    if wanted.component is not None:
        query = query.where(alarms.c.component == wanted.component)
    if wanted.ended is not None:
        query = query.where(alarms.c.ended.is_not(None) if wanted.ended else alarms.c.ended.is_(None))
    return query


def get_alarm(connection: Connection, number: int) -> Alarm:
    """One alarm.

    Raises:
        UnknownAlarmError: there is none of that number.
    """
    row = connection.execute(all_alarms().where(alarms.c.id == number)).one_or_none()
    if row is None:
        raise UnknownAlarmError(f"There is no alarm {number}.")
    return alarm_of(row)


def audit_of(
    connection: Connection, number: int, limit: int | None = None, after: int | None = None
) -> list[Entry]:
    """Changes of an alarm, the first first; raises as `get_alarm` does.

    Args:
        after: the id of the last one of the page before.
    """
    get_alarm(connection, number)
    columns = (audit.c.id, audit.c.at, audit.c.who, audit.c.before, audit.c.after, audit.c.note)
    query = select(*columns).where(audit.c.alarm_id == number).order_by(audit.c.id).limit(limit)
    if after is not None:
        query = query.where(audit.c.id > after)
    return [Entry(*row) for row in connection.execute(query)]


def all_alarms() -> Select[Any]:
    """Every alarm with its machine's name, for `alarm_of`."""
    return select(alarms, machines.c.name).join(machines, machines.c.id == alarms.c.machine_id)


def alarm_of(row: Row[Any]) -> Alarm:
    """A row of `all_alarms`."""
    fields = {name: getattr(row, name) for name in Alarm.__dataclass_fields__ if name != "machine"}
    return Alarm(machine=row.name, **fields)


def running_alarms(
    connection: Connection, numbers: Sequence[int], since: int
) -> dict[tuple[int, str], list[Alarm]]:
    """By machine's number and component, alarms that have not ended or that opened at or after a time, in order."""
    found: dict[tuple[int, str], list[Alarm]] = {}
    for some in pieces(list(numbers)):
        query = all_alarms().where(
            alarms.c.machine_id.in_(some), or_(alarms.c.ended.is_(None), alarms.c.opened >= since)
        )
        for row in connection.execute(query.order_by(alarms.c.opened)):
            found.setdefault((row.machine_id, row.component), []).append(alarm_of(row))
    return found


def standing_alarms(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, str], Alarm]:
    """By machine's number and component, the alarm that the rules keep open."""
    found: dict[tuple[int, str], Alarm] = {}
    for some in pieces(list(numbers)):
        query = all_alarms().where(alarms.c.machine_id.in_(some), alarms.c.ended.is_(None))
        for row in connection.execute(query.order_by(alarms.c.opened)):
            found[row.machine_id, row.component] = alarm_of(row)
    return found


def raise_alarm(
    connection: Connection, number: int, component: str, opened: int, risk: float, threshold: float, now: int
) -> Alarm:
    """A new alarm about a machine's component."""
    row = {"machine_id": number, "component": component, "opened": opened, "risk": risk}
    row |= {
        "threshold": threshold,
        "raised_at": now,
        "state": "open",
        "assignee": "",
        "note": "",
        "version": 1,
    }
    number = connection.execute(alarms.insert().values(row).returning(alarms.c.id)).scalar_one()
    return get_alarm(connection, number)


def end_alarm(connection: Connection, number: int, ended: int | None, reason: EndReason | None) -> None:
    """What the rules say now of an alarm's end; its version stays, for people's part of it is the same."""
    connection.execute(alarms.update().where(alarms.c.id == number).values(ended=ended, end_reason=reason))
