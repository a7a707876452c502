"""Alarms: what the rules made of the risks, what people made of the alarms, and who changed what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import pandas as pd
from sqlalchemy import Connection, Row, Select, func, select

from forestall.errors import ForestallError
from forestall.features.reference import Reference
from forestall.serving.store.database import Store
from forestall.serving.store.events import FEEDBACK, Kind, add_events
from forestall.serving.store.tables import alarms, audit, machines

State = Literal["open", "acknowledged", "in work", "closed"]
Finding = Literal["confirmed", "no fault found", "replaced unseen"]
EndReason = Literal["replaced", "failed", "quiet", "horizon over", "withdrawn"]
STATES: tuple[State, ...] = get_args(State)
FINDINGS: tuple[Finding, ...] = get_args(Finding)
LONGEST = {"assignee": 200, "note": 10_000}
PEOPLES = ("state", "finding", "assignee", "note")


class UnknownAlarmError(ForestallError):
    """There is no alarm of that number."""


class StaleAlarmError(ForestallError):
    """The alarm was changed since it was read; `now` is its version."""

    def __init__(self, now: int) -> None:
        super().__init__("The alarm was changed since it was read. Read it again.")
        self.now = now


class RefusedChangeError(ForestallError):
    """A change that cannot be; `field` of the change is why."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


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
class Change:
    """What somebody wants to be different; None leaves a thing as it is.

    finding: needed to close. found: when the fault was seen or the part replaced, in ticks; needed with the findings
    `confirmed` and `replaced unseen`. replaced: whether the part was replaced, too, with `confirmed`.
    """

    state: State | None = None
    finding: Finding | None = None
    found: int | None = None
    replaced: bool = False
    assignee: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Entry:
    """One change of an alarm: when (seconds since 1970), who, and the changed things before and after."""

    at: int
    who: str
    before: dict[str, Any]
    after: dict[str, Any]
    note: str


@dataclass(frozen=True)
class Page:
    """Some alarms, the newest first, and the number after which the next page begins: None after the last."""

    alarms: list[Alarm]
    next: int | None


def list_alarms(
    connection: Connection,
    limit: int,
    states: Sequence[State] = STATES,
    machine: str | None = None,
    component: str | None = None,
    ended: bool | None = None,
    after: int | None = None,
) -> Page:
    """Alarms, the newest first.

    Args:
        ended: whether the rules have ended them; None for both.
        after: what the page before said is next.
    """
    query = all_alarms().where(alarms.c.state.in_(states)).order_by(alarms.c.id.desc()).limit(limit + 1)
    if machine is not None:
        query = query.where(machines.c.name == machine)
    if component is not None:
        query = query.where(alarms.c.component == component)
    if ended is not None:
        query = query.where(alarms.c.ended.is_not(None) if ended else alarms.c.ended.is_(None))
    if after is not None:
        query = query.where(alarms.c.id < after)
    rows = [alarm_of(row) for row in connection.execute(query)]
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def get_alarm(connection: Connection, number: int) -> Alarm:
    """One alarm.

    Raises:
        UnknownAlarmError: there is none of that number.
    """
    row = connection.execute(all_alarms().where(alarms.c.id == number)).one_or_none()
    if row is None:
        raise UnknownAlarmError(f"There is no alarm {number}.")
    return alarm_of(row)


def audit_of(connection: Connection, number: int) -> list[Entry]:
    """Every change of an alarm, the first first; raises as `get_alarm` does."""
    get_alarm(connection, number)
    columns = (audit.c.at, audit.c.who, audit.c.before, audit.c.after, audit.c.note)
    query = select(*columns).where(audit.c.alarm_id == number).order_by(audit.c.id)
    return [Entry(*row) for row in connection.execute(query)]


def change_alarm(
    connection: Connection,
    store: Store,
    number: int,
    version: int,
    change: Change,
    who: str,
    now: int,
    reference: Reference,
) -> Alarm:
    """Change what people say of an alarm, and keep who did when; what closing tells of the part becomes events.

    Args:
        version: of the alarm as it was read. now: seconds since 1970.

    Raises:
        UnknownAlarmError, StaleAlarmError, RefusedChangeError: see there; nothing is changed.
    """
    held = connection.execute(
        select(alarms.c.id).where(alarms.c.id == number).with_for_update()
    ).one_or_none()
    alarm = get_alarm(connection, number)
    if held is None or alarm.version != version:
        raise StaleAlarmError(alarm.version)
    _check(alarm, change)
    new = {name: getattr(change, name) for name in PEOPLES if getattr(change, name) is not None}
    new = {name: value for name, value in new.items() if value != getattr(alarm, name)}
    if not new:
        return alarm
    before = {name: getattr(alarm, name) for name in new}
    connection.execute(alarms.update().where(alarms.c.id == number).values(version=version + 1, **new))
    row = {
        "alarm_id": number,
        "at": now,
        "who": who,
        "before": before,
        "after": new,
        "note": change.note or "",
    }
    connection.execute(audit.insert(), row)
    if change.state == "closed":
        _tell(connection, store, alarm, change, reference)
    return replace(alarm, version=version + 1, **new)


def count_open(connection: Connection) -> dict[State, int]:
    """How many alarms there are in each state."""
    rows = connection.execute(select(alarms.c.state, func.count()).group_by(alarms.c.state))
    return dict.fromkeys(STATES, 0) | dict(rows.all())


def all_alarms() -> Select[Any]:
    """Every alarm with its machine's name, for `alarm_of`."""
    return select(alarms, machines.c.name).join(machines, machines.c.id == alarms.c.machine_id)


def alarm_of(row: Row[Any]) -> Alarm:
    """A row of `all_alarms`."""
    fields = {name: getattr(row, name) for name in Alarm.__dataclass_fields__ if name != "machine"}
    return Alarm(machine=row.name, **fields)


def _check(alarm: Alarm, change: Change) -> None:
    to = change.state or alarm.state
    if alarm.state == "closed":
        raise RefusedChangeError(
            "state", "The alarm is closed, and its finding is among the plant's records."
        )
    if STATES.index(to) < STATES.index(alarm.state):
        raise RefusedChangeError("state", f"An alarm that is {alarm.state!r} does not go back to {to!r}.")
    if to == "closed" and change.finding is None:
        raise RefusedChangeError("finding", f"To close an alarm, say what was found: {', '.join(FINDINGS)}.")
    if to != "closed" and change.finding is not None:
        raise RefusedChangeError("finding", "A finding closes an alarm: set `state` to 'closed', too.")
    _check_time(alarm, change)
    for field, text in (("assignee", change.assignee), ("note", change.note)):
        _check_text(field, text or "")


def _check_text(field: str, text: str) -> None:
    """No database takes half a character, PostgreSQL none that is 0."""
    longest = LONGEST[field]
    if len(text) > longest:
        raise RefusedChangeError(field, f"That is longer than {longest:,} characters.")
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise RefusedChangeError(field, "There is a character in it that cannot be stored.")


def _check_time(alarm: Alarm, change: Change) -> None:
    dated = change.finding in ("confirmed", "replaced unseen")
    if dated and change.found is None:
        raise RefusedChangeError("found", f"With the finding {change.finding!r}, say when.")
    if not dated and change.found is not None:
        raise RefusedChangeError("found", "A time goes with the findings 'confirmed' and 'replaced unseen'.")
    if change.found is not None and change.found <= alarm.opened:
        raise RefusedChangeError("found", "That is before the alarm was opened.")
    if change.replaced and change.finding != "confirmed":
        raise RefusedChangeError("replaced", "This goes with the finding 'confirmed' only.")


def _tell(connection: Connection, store: Store, alarm: Alarm, change: Change, reference: Reference) -> None:
    kinds: list[Kind] = ["failures"] if change.finding == "confirmed" else []
    if change.replaced or change.finding == "replaced unseen":
        kinds.append("maintenance")
    row = {"machine": [alarm.machine], "time": [change.found], "component": [alarm.component]}
    for kind in kinds:
        add_events(connection, store, kind, pd.DataFrame(row), reference, FEEDBACK)
