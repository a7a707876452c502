"""Alarms as the rules raise and end them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, or_

from forestall.serving.store.alarms import Alarm, EndReason, alarm_of, all_alarms, get_alarm
from forestall.serving.store.machines import pieces
from forestall.serving.store.tables import alarms


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
