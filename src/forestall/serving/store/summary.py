"""The fleet at a glance: how many machines stand how, and what alarms there are. Counted from indices alone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from forestall.features.labels import STALE
from forestall.serving.store.alarms import Finding, State
from forestall.serving.store.tables import alarms, audit, current, machines


@dataclass(frozen=True)
class Summary:
    """Counts of machines and alarms.

    machines: all; in_alarm: those with a part in alarm now; normal: with a part that is judged, and none in alarm;
    no_opinion: the others, also those that were never scored. unseen: alarms that stand and that nobody has looked at.
    raised: alarms by the week of their decision, the latest week last, whatever became of them.
    """

    machines: int
    in_alarm: int
    normal: int
    no_opinion: int
    unseen: int
    raised: tuple[int, ...]


def summary_of(connection: Connection, week: int, until: int, weeks: int = 8) -> Summary:
    """The fleet at a glance.

    Args:
        week: its length in ticks. until: when the last of the `weeks` ends, in ticks.
    """
    count, in_alarm, normal, _ = machines_by_status(connection)
    return Summary(
        machines=count,
        in_alarm=in_alarm,
        normal=normal,
        no_opinion=count - in_alarm - normal,
        unseen=_unseen(connection),
        raised=_raised(connection, week, until, weeks),
    )


def newest(connection: Connection) -> str:
    """A text that changes with what lists show: a new decision, a new alarm, something that somebody did."""
    latest = [
        select(func.max(column)).scalar_subquery()
        for column in (machines.c.scored_until, alarms.c.id, audit.c.id)
    ]
    return "-".join(str(value or 0) for value in connection.execute(select(*latest)).one())


def machines_by_status(connection: Connection) -> tuple[int, int, int, int]:
    """How many machines there are, are in alarm, are normal and not in alarm, have stale data."""
    in_alarm, normal, stale = (
        # By both columns this is a run of the index in the order of machines: nothing is sorted.
        select(current.c.machine_id)
        .where(current.c.status == status, current.c.no_risk == no_risk)
        .distinct()
        for status, no_risk in (("alarm", ""), ("normal", ""), ("no opinion", STALE))
    )
    judged = normal.subquery()
    only_normal = select(judged.c.machine_id).where(judged.c.machine_id.not_in(in_alarm))
    counts = [
        select(func.count()).select_from(some.subquery()).scalar_subquery()
        for some in (select(machines.c.id), in_alarm, only_normal, stale)
    ]
    found = connection.execute(select(*counts)).one()
    return found[0], found[1], found[2], found[3]


def alarm_counts(connection: Connection) -> dict[tuple[str, State, Finding | None], int]:
    """How many alarms there ever were, by component, state and finding."""
    by = (alarms.c.component, alarms.c.state, alarms.c.finding)
    rows = connection.execute(select(*by, func.count()).group_by(*by).order_by(*by))
    return {(component, state, finding): count for component, state, finding, count in rows}


def reach(connection: Connection) -> tuple[int | None, int | None]:
    """Times of the fleet's latest reading, and of the latest decision that a machine was scored at, in ticks."""
    found = connection.execute(select(func.max(machines.c.last), func.max(machines.c.scored_until))).one()
    return found[0], found[1]


def _unseen(connection: Connection) -> int:
    query = select(func.count()).where(alarms.c.state == "open", alarms.c.ended.is_(None))
    return int(connection.execute(query).scalar_one())


def _raised(connection: Connection, week: int, until: int, weeks: int) -> tuple[int, ...]:
    since = until - weeks * week
    place = ((alarms.c.opened - since - 1) // week).label("place")
    query = select(place, func.count()).where(alarms.c.opened > since, alarms.c.opened <= until)
    found: dict[int, int] = dict(connection.execute(query.group_by(place)).all())
    return tuple(found.get(at, 0) for at in range(weeks))
