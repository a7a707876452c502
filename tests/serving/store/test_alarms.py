"""What people make of alarms: states, findings that become the plant's records, and who changed what."""

from __future__ import annotations

import pandas as pd
import pytest

from forestall.serving.bundle import Bundle
from forestall.serving.store.alarm_changes import (
    Change,
    ContradictionError,
    RefusedChangeError,
    StaleAlarmError,
    change_alarm,
)
from forestall.serving.store.alarms import (
    Alarm,
    AlarmFilter,
    UnknownAlarmError,
    audit_of,
    end_alarm,
    get_alarm,
    list_alarms,
    raise_alarm,
)
from forestall.serving.store.database import Store
from forestall.serving.store.events import EventRecord, add_events, event_records
from forestall.serving.store.machines import known_numbers, machine_named
from tests import plant

T = plant.START + 10 * plant.DAY


def raised(store: Store, machine: str = "m1", component: str = "pump", opened: int = T) -> Alarm:
    with store.writing() as connection:
        number = known_numbers(connection, [machine])[machine]
        return raise_alarm(connection, number, component, opened, 0.5, 0.1, 1000)


def change(store: Store, bundle: Bundle, alarm: Alarm, **wanted: object) -> Alarm:
    with store.writing() as connection:
        asked, read = Change("ann", 2000, **wanted), {alarm.version}  # type: ignore[arg-type]
        return change_alarm(connection, store, alarm.id, read, asked, bundle.reference)


def test_an_alarm_goes_its_way_and_every_step_is_kept(store: Store, bundle: Bundle) -> None:
    alarm = raised(store)
    assert (alarm.state, alarm.version, alarm.ended) == ("open", 1, None)
    seen = change(store, bundle, alarm, state="acknowledged", assignee="bob")
    work = change(store, bundle, seen, state="in work", note="noisy")
    done = change(store, bundle, work, state="closed", finding="confirmed", found=T + 60, replaced=True)
    with store.reading() as connection:
        assert get_alarm(connection, alarm.id) == done
        entries = audit_of(connection, alarm.id)
        assert list(event_records(connection, "failures")) == [EventRecord("m1", T + 60, "pump", "feedback")]
        assert list(event_records(connection, "maintenance")) == [
            EventRecord("m1", T + 60, "pump", "feedback")
        ]
        machine = machine_named(connection, "m1")
    assert machine is not None
    assert machine.changed == T + 60
    assert [(e.at, e.who, e.before, e.after, e.note) for e in entries] == [
        (2000, "ann", {"state": "open", "assignee": ""}, {"state": "acknowledged", "assignee": "bob"}, ""),
        (2000, "ann", {"state": "acknowledged", "note": ""}, {"state": "in work", "note": "noisy"}, "noisy"),
        (
            2000,
            "ann",
            {"state": "in work", "finding": None, "found": None, "replaced": None},
            {"state": "closed", "finding": "confirmed", "found": T + 60, "replaced": True},
            "",
        ),
    ]
    assert done.version == 4


@pytest.mark.parametrize(
    ("finding", "found", "failures", "maintenance"),
    [("no fault found", None, 0, 0), ("replaced unseen", T + 5, 0, 1), ("confirmed", T + 5, 1, 0)],
)
def test_a_finding_becomes_the_rows_that_it_says(
    store: Store, bundle: Bundle, finding: str, found: int | None, failures: int, maintenance: int
) -> None:
    change(store, bundle, raised(store), state="closed", finding=finding, found=found)
    with store.reading() as connection:
        assert len(list(event_records(connection, "failures"))) == failures
        assert len(list(event_records(connection, "maintenance"))) == maintenance


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("note", {"note": "a\0b"}),
        ("note", {"note": "\ud83d"}),
        ("assignee", {"assignee": "x" * 201}),
        ("finding", {"state": "closed"}),
        ("finding", {"finding": "confirmed", "found": T + 1}),
        ("found", {"state": "closed", "finding": "confirmed"}),
        ("found", {"state": "closed", "finding": "no fault found", "found": T + 1}),
        ("found", {"state": "closed", "finding": "confirmed", "found": T - 1}),
        ("replaced", {"state": "closed", "finding": "replaced unseen", "found": T + 1, "replaced": True}),
    ],
)
def test_a_change_that_cannot_be_names_its_field(
    store: Store, bundle: Bundle, field: str, wanted: dict[str, object]
) -> None:
    alarm = raised(store)
    with pytest.raises(RefusedChangeError) as error:
        change(store, bundle, alarm, **wanted)
    assert error.value.field == field
    with store.reading() as connection:
        assert get_alarm(connection, alarm.id) == alarm


def test_no_state_goes_back(store: Store, bundle: Bundle) -> None:
    work = change(store, bundle, raised(store), state="in work")
    with pytest.raises(RefusedChangeError, match="does not go back to 'acknowledged'"):
        change(store, bundle, work, state="acknowledged")
    done = change(store, bundle, work, state="closed", finding="no fault found")
    with pytest.raises(RefusedChangeError, match="is closed"):
        change(store, bundle, done, note="later")


def test_who_read_an_older_version_is_told(store: Store, bundle: Bundle) -> None:
    alarm = raised(store)
    change(store, bundle, alarm, assignee="bob")
    with pytest.raises(StaleAlarmError) as error:
        change(store, bundle, alarm, assignee="eve")
    assert error.value.now == 2
    with store.reading() as connection, pytest.raises(UnknownAlarmError):
        get_alarm(connection, 999)


def test_whatever_was_read_may_be_changed_by_who_asks_for_that(store: Store, bundle: Bundle) -> None:
    alarm = raised(store)
    change(store, bundle, alarm, assignee="bob")
    for versions in (None, {1, 2}):
        with store.writing() as connection:
            asked = Change("ann", 2000, note=str(versions))
            change_alarm(connection, store, alarm.id, versions, asked, bundle.reference)
            assert get_alarm(connection, alarm.id).note == str(versions)
            connection.rollback()


def fail(store: Store, bundle: Bundle, at: int, component: str = "pump") -> None:
    with store.writing() as connection:
        frame = pd.DataFrame({"machine": ["m1"], "time": [at], "component": [component]})
        add_events(connection, store, "failures", frame, bundle.reference)


def test_who_found_nothing_in_a_part_that_failed_says_how_that_can_be(store: Store, bundle: Bundle) -> None:
    alarm = raised(store)
    fail(store, bundle, T + 90)
    fail(store, bundle, T + 900)
    with pytest.raises(ContradictionError) as error:
        change(store, bundle, alarm, state="closed", finding="no fault found")
    assert error.value.failed == T + 90
    with store.reading() as connection:
        assert get_alarm(connection, alarm.id) == alarm
        assert audit_of(connection, alarm.id) == []
    change(store, bundle, alarm, state="closed", finding="no fault found", note="a forklift")
    with store.reading() as connection:
        (entry,) = audit_of(connection, alarm.id)
    assert (entry.after["failed"], entry.after["finding"]) == (T + 90, "no fault found")


@pytest.mark.parametrize(("at", "component"), [(T, "pump"), (T + 101, "pump"), (T + 50, "seal")])
def test_a_failure_of_another_part_or_time_contradicts_nothing(
    store: Store, bundle: Bundle, at: int, component: str
) -> None:
    alarm = raised(store)
    with store.writing() as connection:
        end_alarm(connection, alarm.id, T + 100, "quiet")
    fail(store, bundle, at, component)
    assert change(store, bundle, alarm, state="closed", finding="no fault found").state == "closed"
    with store.reading() as connection:
        assert "failed" not in audit_of(connection, alarm.id)[0].after


def test_changes_are_listed_a_page_at_a_time(store: Store, bundle: Bundle) -> None:
    alarm = raised(store)
    for number in range(5):
        alarm = change(store, bundle, alarm, assignee=f"n{number}")
    with store.reading() as connection:
        whole = audit_of(connection, alarm.id)
        first = audit_of(connection, alarm.id, 2)
        assert first + audit_of(connection, alarm.id, 9, first[-1].id) == whole
        assert len(first) == 2 and len(whole) == 5


def test_a_change_that_changes_nothing_is_none(store: Store, bundle: Bundle) -> None:
    alarm = raised(store)
    assert change(store, bundle, alarm, state="open", assignee="") == alarm
    with store.reading() as connection:
        assert audit_of(connection, alarm.id) == []


def test_alarms_are_listed_newest_first_a_page_at_a_time(store: Store, bundle: Bundle) -> None:
    made = [raised(store, f"m{n % 3}", ("pump", "seal")[n % 2], T + n) for n in range(6)]
    change(store, bundle, made[2], state="acknowledged")
    with store.reading() as connection:
        first = list_alarms(connection, AlarmFilter(), 4)
        assert [one.id for one in first.alarms] == [one.id for one in reversed(made[2:])]
        second = list_alarms(connection, AlarmFilter(), 4, first.next)
        assert [one.id for one in second.alarms] == [made[1].id, made[0].id]
        assert second.next is None

        def listed(wanted: AlarmFilter) -> list[Alarm]:
            return list_alarms(connection, wanted, 9).alarms

        assert [one.id for one in listed(AlarmFilter(["acknowledged"]))] == [made[2].id]
        assert {one.machine for one in listed(AlarmFilter(machine="m1"))} == {"m1"}
        assert {one.component for one in listed(AlarmFilter(component="seal"))} == {"seal"}
        assert listed(AlarmFilter(ended=True)) == []
