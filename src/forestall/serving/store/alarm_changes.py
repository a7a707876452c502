"""What people change of an alarm: who did what when, and what closing it tells of the part."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from forestall.errors import ForestallError
from forestall.features.reference import Reference
from forestall.serving.store.alarms import FINDINGS, STATES, Alarm, Finding, State, get_alarm
from forestall.serving.store.database import Store
from forestall.serving.store.events import FEEDBACK, Kind, add_events
from forestall.serving.store.tables import alarms, audit, failures, machines

LONGEST = {"assignee": 200, "note": 10_000}
EDITABLE = ("state", "finding", "assignee", "note")


class StaleAlarmError(ForestallError):
    """The alarm was changed since it was read; `now` is its version."""

    def __init__(self, now: int) -> None:
        super().__init__("The alarm was changed since it was read. Read it again.")
        self.now = now


class ContradictionError(ForestallError):
    """Nothing was found of a part that is known to have failed during the alarm, at `failed` in ticks."""

    def __init__(self, failed: int) -> None:
        super().__init__("The part failed during this alarm.")
        self.failed = failed


class RefusedChangeError(ForestallError):
    """A change that cannot be; `field` of the change is why."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


@dataclass(frozen=True)
class Change:
    """What somebody wants to be different; None leaves a thing as it is, an empty text empties it.

    at: when they say so, in seconds since 1970.
    finding: needed to close. found: when the fault was seen or the part replaced, in ticks; needed with the findings
    `confirmed` and `replaced unseen`. replaced: whether the part was replaced, too, with `confirmed`.
    """

    who: str
    at: int
    state: State | None = None
    finding: Finding | None = None
    found: int | None = None
    replaced: bool = False
    assignee: str | None = None
    note: str | None = None


def change_alarm(
    connection: Connection,
    store: Store,
    number: int,
    versions: Collection[int] | None,
    change: Change,
    reference: Reference,
) -> Alarm:
    """Change what people say of an alarm, and keep who did when; what closing tells of the part becomes events.

    Args:
        versions: of the alarm as it may have been read; None for any.

    Raises:
        UnknownAlarmError, StaleAlarmError, RefusedChangeError, ContradictionError: see there; nothing is changed.
    """
    held = connection.execute(
        select(alarms.c.id).where(alarms.c.id == number).with_for_update()
    ).one_or_none()
    alarm = get_alarm(connection, number)
    if held is None or (versions is not None and alarm.version not in versions):
        raise StaleAlarmError(alarm.version)
    _check(alarm, change)
    new = {name: getattr(change, name) for name in EDITABLE if getattr(change, name) is not None}
    new = {name: value for name, value in new.items() if value != getattr(alarm, name)}
    if not new:
        return alarm
    told = _told(connection, alarm, change)
    changed = {"version": alarm.version + 1, **new}
    connection.execute(alarms.update().where(alarms.c.id == number).values(changed))
    before = {name: getattr(alarm, name, None) for name in (new | told)}
    row = {"alarm_id": number, "at": change.at, "who": change.who, "before": before, "after": new | told}
    connection.execute(audit.insert(), row | {"note": change.note or ""})
    if change.state == "closed":
        _add_feedback(connection, store, alarm, change, reference)
    return replace(alarm, **changed)


def _told(connection: Connection, alarm: Alarm, change: Change) -> dict[str, Any]:
    """What the audit keeps beside what is changed: what a finding says of the part.

    Raises:
        ContradictionError: nothing was found, the part failed during the alarm, and no note says how that can be.
    """
    if change.finding == "confirmed":
        return {"found": change.found, "replaced": change.replaced}
    if change.finding == "replaced unseen":
        return {"found": change.found}
    failed = _failure_during(connection, alarm) if change.finding == "no fault found" else None
    if failed is not None and not change.note:
        raise ContradictionError(failed)
    return {} if failed is None else {"failed": failed}


def _failure_during(connection: Connection, alarm: Alarm) -> int | None:
    """The first failure of the alarm's part since it was opened and until it ended."""
    query = select(func.min(failures.c.time)).join(machines, machines.c.id == failures.c.machine_id)
    query = query.where(machines.c.name == alarm.machine, failures.c.component == alarm.component)
    query = query.where(failures.c.time > alarm.opened)
    ended = query if alarm.ended is None else query.where(failures.c.time <= alarm.ended)
    return connection.execute(ended).scalar()


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


def _add_feedback(
    connection: Connection, store: Store, alarm: Alarm, change: Change, reference: Reference
) -> None:
    kinds: list[Kind] = ["failures"] if change.finding == "confirmed" else []
    if change.replaced or change.finding == "replaced unseen":
        kinds.append("maintenance")
    row = {"machine": [alarm.machine], "time": [change.found], "component": [alarm.component]}
    for kind in kinds:
        add_events(connection, store, kind, pd.DataFrame(row), reference, FEEDBACK)
