"""The fleet at a glance: each machine is counted once, and nothing is read but indices."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from forestall.features.labels import SHORT, STALE
from forestall.serving.opinions import NOT_APPLICABLE, Opinion
from forestall.serving.store.alarms import raise_alarm
from forestall.serving.store.database import Store
from forestall.serving.store.machines import known_numbers
from forestall.serving.store.opinions import write_opinions
from forestall.serving.store.summary import Summary, summary_of
from forestall.serving.store.tables import alarms
from tests import plant

WEEK = 7 * plant.DAY
UNTIL = plant.START + 9 * WEEK


def judged(store: Store, *opinions: Opinion) -> None:
    with store.writing() as connection:
        numbers = known_numbers(connection, [one.machine for one in opinions])
        write_opinions(connection, numbers, opinions)


def opinion(machine: str, component: str, risk: float | None, no_risk: str = "") -> Opinion:
    curve = () if risk is None else (risk / 2, risk)
    return Opinion(machine, component, UNTIL, no_risk, 0.5, curve)


def alarm(store: Store, machine: str, opened: int, **changed: Any) -> None:
    with store.writing() as connection:
        number = known_numbers(connection, [machine])[machine]
        new = raise_alarm(connection, number, "pump", opened, 0.5, 0.1, 1000)
        if changed:
            connection.execute(alarms.update().where(alarms.c.id == new.id).values(changed))


def summary(store: Store, weeks: int = 8) -> Summary:
    with store.reading() as connection:
        return summary_of(connection, WEEK, UNTIL, weeks)


def test_a_fleet_of_which_nothing_is_known(store: Store) -> None:
    found = summary(store)
    assert (found.machines, found.in_alarm, found.normal, found.no_opinion) == (6, 0, 0, 6)
    assert found.unseen == 0
    assert found.raised == (0,) * 8


def test_each_machine_is_counted_once(store: Store) -> None:
    judged(
        store,
        opinion("m0", "pump", 0.9),
        opinion("m0", "seal", 0.1),  # in alarm all the same
        opinion("m1", "pump", 0.9),
        opinion("m1", "seal", 0.5),
        opinion("m2", "pump", 0.1),
        opinion("m2", "seal", None, NOT_APPLICABLE),
        opinion("m3", "pump", None, STALE),
        opinion("m3", "seal", None, STALE),
        opinion("m4", "pump", None, SHORT),
        opinion("m4", "seal", None, NOT_APPLICABLE),
    )
    found = summary(store)
    assert (found.machines, found.in_alarm, found.normal, found.no_opinion) == (6, 2, 1, 3)


def test_alarms_that_stand_and_that_nobody_has_looked_at_are_counted(store: Store) -> None:
    for place, state in enumerate(["open", "open", "in work", "closed"]):
        alarm(store, f"m{place}", UNTIL, state=state)
    alarm(store, "m4", UNTIL, ended=UNTIL, end_reason="quiet")
    assert summary(store).unseen == 2


def test_alarms_are_counted_by_week(store: Store) -> None:
    for opened in (UNTIL + 1, UNTIL, UNTIL - WEEK + 1, UNTIL - WEEK, UNTIL - 3 * WEEK + 1, UNTIL - 3 * WEEK):
        alarm(store, "m0", opened, state="closed")
    assert summary(store, 3).raised == (1, 1, 2)
    assert summary(store).raised == (0, 0, 0, 0, 1, 1, 1, 2)


def test_no_statement_reads_opinions_or_alarms_themselves(store: Store) -> None:
    if not store.embedded:
        pytest.skip("PostgreSQL chooses by what it has counted")
    asked = list[tuple[str, Any]]()

    @event.listens_for(store.engine, "before_cursor_execute")
    def _note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    summary(store)
    plans = list[str]()
    with store.reading() as connection:
        for statement, parameters in list(asked):
            if "current" in statement or "alarms" in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans += [row.detail for row in rows]
    read = [plan for plan in plans if " current" in plan or " alarms" in plan]
    assert len(read) > 3
    assert [plan for plan in read if "COVERING INDEX" not in plan] == []
    assert [plan for plan in plans if "TEMP B-TREE" in plan and "GROUP BY" not in plan] == []
