"""The small tables, as they come and checked against each other."""

import pytest

from forestall.data.events import absent_pairs
from tests import plant
from tests.data.case import ERRORS, FAILURES, MAINT, TELEMETRY, Case

TIME = plant.START + 2 * plant.HOUR


def test_the_small_tables(case: Case) -> None:
    events = case.run().events
    assert events.errors[["machine", "time", "code"]].to_numpy().tolist() == [["a", TIME - 1800, "e1"]]
    assert events.failures[["machine", "time", "component"]].to_numpy().tolist() == [
        ["a", TIME + 1800, "pump"]
    ]
    assert events.machines[["machine", "model", "age"]].to_numpy().tolist() == [
        ["a", "large", 3.0],
        ["b", "small", 5.0],
        ["c", "large", 1.0],
    ]
    assert events.downtime.empty


def test_events_may_lie_outside_the_telemetry(case: Case) -> None:
    case.write("errors", ERRORS + "c,2020-01-01 00:00:00,e9\n")
    assert case.run().events.errors["machine"].tolist() == ["a", "c"]


def test_rows_are_sorted_and_exact_copies_go(case: Case) -> None:
    case.write(
        "errors", ERRORS + "b,2023-01-01 00:00:00,e2\na,2023-01-01 00:00:00,e2\n" + ERRORS.split("\n", 1)[1]
    )
    found = case.run()
    assert found.events.errors["machine"].tolist() == ["a", "a", "b"]
    assert found.events.errors["code"].tolist() == ["e2", "e1", "e2"]
    assert found.repairs == {("errors", "", "exact duplicate removed"): 1}


def test_failures_of_two_components_at_once_are_two_failures(case: Case) -> None:
    case.write("failures", FAILURES + "a,2024-01-01 02:30:00,seal\n")
    assert case.run().events.failures["component"].tolist() == ["pump", "seal"]


def test_missing_optional_tables(case: Case) -> None:
    case.one_component()
    events = case.run().events
    assert [len(frame) for frame in vars(events).values()] == [0, 0, 1, 0, 0]
    assert list(events.errors.columns) == ["machine", "time", "code"]
    assert events.errors["time"].dtype == "int64"


def test_without_a_component_column_there_is_one_component(case: Case) -> None:
    case.one_component()
    assert case.run().events.failures["component"].tolist() == ["machine"]


def test_failures_that_are_a_flag_in_the_telemetry(case: Case) -> None:
    case.one_component()
    rows = TELEMETRY.splitlines()
    flags = ["failure", "0", "1", "0", "0", "1"]
    lines = [f"{row},{flag}" for row, flag in zip(rows, flags, strict=True)]
    case.write("telemetry", "\n".join(lines) + "\n")
    case.tables["failures"] = {
        "files": "telemetry.csv",
        "machine": "machine",
        "time": "time",
        "where": {"failure": 1},
    }
    failures = case.run().events.failures
    assert failures[["machine", "time"]].to_numpy().tolist() == [["a", TIME], ["b", TIME]]


def test_failures_that_are_the_last_rows(case: Case) -> None:
    case.one_component()
    case.tables["failures"] = {"last_row": True, "alive": ["b"]}
    failures = case.run().events.failures
    assert failures.to_numpy().tolist() == [["a", TIME + plant.HOUR, "machine"]]


def test_machines_alive_are_named_as_numbers_or_text(case: Case) -> None:
    case.one_component()
    case.write("telemetry", TELEMETRY.replace("a,", "1,").replace("b,", "2,"))
    case.tables["failures"] = {"last_row": True, "alive": [2]}
    assert case.run().events.failures["machine"].tolist() == ["1"]


def test_downtime_turns_running_off_after_its_start_and_until_its_end(case: Case) -> None:
    case.tables["downtime"] = {"files": "off.csv", "machine": "machine", "start": "start", "end": "end"}
    case.write("off", "machine,start,end\na,2024-01-01 01:00:00,2024-01-01 02:00:00\n")
    found = case.run()
    assert found.of("a")["running"].tolist() == [True, False, True]
    assert found.of("b")["running"].tolist() == [True, True]


def test_a_stop_that_goes_on_is_ended_by_a_later_export(case: Case) -> None:
    case.tables["downtime"] = {"files": "off*.csv", "machine": "machine", "start": "start", "end": "end"}
    case.write("off1", "machine,start,end\na,2024-01-01 01:00:00,\nb,2024-01-01 01:00:00,\n")
    case.write("off2", "machine,start,end\na,2024-01-01 01:00:00,2024-01-01 02:00:00\n")
    found = case.run()
    assert found.of("a")["running"].tolist() == [True, False, True]
    assert found.of("b")["running"].tolist() == [True, False]
    assert found.repairs[("downtime", "", "open stop removed that another row ends")] == 1


def test_where_in_an_event_table(case: Case) -> None:
    case.write("maint", "machine,time,component,kind\na,2023-12-01,pump,done\na,2023-12-02,pump,planned\n")
    case.tables["maintenance"]["where"] = {"kind": "done"}
    assert len(case.run().events.maintenance) == 1


def test_absent_pairs(case: Case) -> None:
    assert absent_pairs(case.run().events.machines, case.dataset) == {("b", "seal")}


@pytest.mark.parametrize("zone", ["Z", "+00:00"])
def test_all_tables_with_a_zone(case: Case, zone: str) -> None:
    expected = case.run()
    for name, text in (
        ("telemetry", TELEMETRY),
        ("errors", ERRORS),
        ("maint", MAINT),
        ("failures", FAILURES),
    ):
        case.write(name, text.replace(":00,", f":00{zone},"))
    found = case.run()
    assert found.telemetry.equals(expected.telemetry)
    assert found.events.failures["time"].tolist() == expected.events.failures["time"].tolist()
