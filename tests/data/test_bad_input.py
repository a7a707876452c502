"""What cannot be used is refused, with its file, row and column, and with what to do."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import plant
from tests.data.case import ERRORS, FAILURES, MACHINES, MAINT, TELEMETRY, Case


def test_the_plant_is_sound_to_begin_with(case: Case) -> None:
    assert len(case.run().telemetry) == 5


@pytest.mark.parametrize("name", ["telemetry", "errors", "maint", "failures", "machines"])
def test_a_missing_table(case: Case, name: str) -> None:
    (case.folder / f"{name}.csv").unlink()
    case.refused(f"{name}.csv", says=("no such file", "`dvc pull` it, copy it there, or correct `files`"))


@pytest.mark.parametrize("name", ["telemetry", "errors", "maint", "failures", "machines"])
@pytest.mark.parametrize("keep", [0, 1])
def test_an_empty_table(case: Case, name: str, keep: int) -> None:
    file = case.folder / f"{name}.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:keep]))
    case.refused(f"{name}.csv", says=("empty", "Export it again"))


def test_a_misspelt_column(case: Case) -> None:
    case.write("telemetry", TELEMETRY.replace("volt", "vollt"))
    case.refused("telemetry.csv", 1, "volt", ("no such column", "Did you mean 'vollt'?"))


def test_a_missing_column(case: Case) -> None:
    case.write("errors", ERRORS.replace("code", "xyzzy"))
    case.refused("errors.csv", 1, "code", ("The file has: machine, time, xyzzy",))


def test_two_columns_of_one_name(case: Case) -> None:
    case.write("telemetry", TELEMETRY.replace("spin", "volt"))
    case.refused("telemetry.csv", 1, "volt", ("two columns", "Rename one"))


def test_text_in_a_number_column(case: Case) -> None:
    case.write("telemetry", TELEMETRY.replace("171.5", "broken"))
    case.refused("telemetry.csv", 3, "volt", ("'broken' is not a number", "Correct or empty the cell"))


@pytest.mark.parametrize("cell", ["1_000", "0x10", "+-3", "True", "1e", "１.5.2"])
def test_what_only_looks_like_a_number(case: Case, cell: str) -> None:
    case.write("telemetry", TELEMETRY.replace("171.5", cell))
    case.refused("telemetry.csv", 3, "volt", ("is not a number",))


def test_text_in_an_attribute(case: Case) -> None:
    case.write("machines", MACHINES.replace("5", "old"))
    case.refused("machines.csv", 3, "age", ("'old' is not a number",))


@pytest.mark.parametrize("cell", ["yesterday", "2024-13-01 01:00:00", "1704067200", "01:00", "2024-02-30"])
def test_an_unreadable_time(case: Case, cell: str) -> None:
    case.write("telemetry", TELEMETRY.replace("2024-01-01 03:00:00", cell))
    case.refused("telemetry.csv", 4, "time", (f"{cell!r} is not an ISO 8601 time", "Set `time_format`"))


def test_two_time_formats_in_one_column(case: Case) -> None:
    case.write("errors", ERRORS + "b,01.02.2024 03:00,e2\n")
    case.refused("errors.csv", 3, "time", ("'01.02.2024 03:00'",))


def test_a_time_that_does_not_fit_the_format(case: Case) -> None:
    case.tables["errors"]["time_format"] = "%d.%m.%Y %H:%M"
    case.write("errors", "machine,time,code\na,01.02.2024 03:00,e1\nb,2024-02-01 03:00,e2\n")
    case.refused("errors.csv", 3, "time", ("does not fit time_format", "all be written in one way"))


@pytest.mark.parametrize("zone", ["Z", "+01:00", " +0100"])
def test_time_zones_in_some_rows(case: Case, zone: str) -> None:
    case.write("telemetry", TELEMETRY.replace("02:00:00,161.5", f"02:00:00{zone},161.5"))
    case.refused("telemetry.csv", 6, "time", ("some times have a time zone", "UTC at best"))


def test_time_zones_in_some_tables(case: Case) -> None:
    case.write("failures", FAILURES.replace("02:30:00", "02:30:00Z"))
    case.refused("telemetry.csv", 2, "time", ("the times of failures have a time zone", "Export all tables"))


def test_time_zones_in_some_files(case: Case) -> None:
    case.tables["telemetry"]["files"] = "day*.csv"
    case.one_component()
    case.tables["failures"] = {"last_row": True}
    case.write("day1", TELEMETRY)
    case.write("day2", "machine,time,volt,spin\na,2024-01-02 01:00:00Z,1,2\n")
    case.refused("day2.csv", 2, "time", ("time zone",))


def test_a_machine_that_the_machines_table_lacks(case: Case) -> None:
    case.write("telemetry", TELEMETRY.replace("b,", "x,", 1))
    case.refused("telemetry.csv", 5, "machine", ("'x' is not in the machines table", "Add it"))


@pytest.mark.parametrize(("name", "text"), [("errors", ERRORS), ("maint", MAINT), ("failures", FAILURES)])
def test_an_event_of_an_unknown_machine(case: Case, name: str, text: str) -> None:
    case.write(name, text + text.splitlines()[1].replace("a,", "x,", 1) + "\n")
    case.refused(f"{name}.csv", 3, "machine", ("'x'", "not in the machines table"))


def test_a_machine_without_telemetry_is_allowed(case: Case) -> None:
    assert set(case.run().events.machines["machine"]) == {"a", "b", "c"}


@pytest.mark.parametrize("name", ["maint", "failures"])
def test_an_unknown_component(case: Case, name: str) -> None:
    case.write(name, (case.folder / f"{name}.csv").read_text() + "b,2024-01-01 02:00:00,pumpe\n")
    case.refused(f"{name}.csv", 3, "component", ("unknown component 'pumpe'", "Did you mean 'pump'?"))


def test_a_component_that_the_machine_lacks(case: Case) -> None:
    case.write("failures", FAILURES + "b,2024-01-01 02:00:00,seal\n")
    case.refused("failures.csv", 3, "component", ("machine 'b' has no component 'seal'", "absent_on"))


def test_a_machine_that_stands_twice(case: Case) -> None:
    case.write("machines", MACHINES + "a,large,4\n")
    case.refused("machines.csv", 5, "machine", ("machine 'a' stands twice", "Keep one"))


def test_an_empty_identifier(case: Case) -> None:
    case.write("telemetry", TELEMETRY.replace("a,2024-01-01 03", ",2024-01-01 03"))
    case.refused("telemetry.csv", 4, "machine", ("the cell is empty", "Fill it in"))


def test_a_parquet_file_that_was_cut_off(case: Case) -> None:
    file = case.folder / "telemetry.parquet"
    pd.DataFrame({"machine": ["a"], "time": ["2024-01-01"], "volt": [1.0], "spin": [2.0]}).to_parquet(file)
    file.write_bytes(file.read_bytes()[:-20])
    case.tables["telemetry"]["files"] = file.name
    case.refused("telemetry.parquet", says=("not a whole Parquet file", "Export or copy it again"))


def test_a_constant_sensor(case: Case) -> None:
    frame = pd.read_csv(case.folder / "telemetry.csv").assign(volt=7)
    case.write("telemetry", frame.to_csv(index=False))
    case.refused("telemetry.csv", None, "volt", ("the value is always 7", "take 'volt' out of `sensors`"))


@pytest.mark.parametrize("cell", ["", "NA", "null", "9999"])
def test_a_sensor_without_any_value(case: Case, cell: str) -> None:
    frame = pd.read_csv(case.folder / "telemetry.csv").assign(volt=cell)
    case.write("telemetry", frame.to_csv(index=False))
    case.refused("telemetry.csv", None, "volt", ("every value is missing or impossible",))


def test_a_nul_byte(case: Case) -> None:
    case.write("telemetry", TELEMETRY.replace("171.5", "17\0").encode())
    case.refused("telemetry.csv", 3, None, ("NUL byte", "export it again"))


def test_bytes_that_are_not_text(case: Case) -> None:
    case.write("errors", ERRORS.encode() + "b,2024-01-01 02:00:00,Störung\n".encode("latin-1"))
    case.refused("errors.csv", 3, None, ("not utf-8 text", "Set `encoding`"))


def test_semicolons(case: Case) -> None:
    case.write("telemetry", TELEMETRY.replace(",", ";"))
    case.refused("telemetry.csv", 1, "machine", ("separated by ';'", "set `separator`"))


def test_decimal_commas(case: Case) -> None:
    case.tables["telemetry"]["separator"] = ";"
    case.write("telemetry", TELEMETRY.replace(",", ";").replace(".", ","))
    case.refused("telemetry.csv", 2, "volt", ("'170,5' is not a number", 'Set `decimal: ","`'))


def test_points_among_decimal_commas(case: Case) -> None:
    case.tables["telemetry"] |= {"separator": ";", "decimal": ","}
    case.write("telemetry", TELEMETRY.replace(",", ";").replace("171.5", "1.715"))
    case.refused("telemetry.csv", 2, "volt", ("'170.5' is not a number", "take out `decimal`"))


@pytest.mark.parametrize(
    ("cells", "found"), [("a,2024-01-01 04:00:00,1", 3), ("a,2024-01-01 04:00:00,1,2,3", 5)]
)
def test_rows_with_too_few_or_too_many_cells(case: Case, cells: str, found: int) -> None:
    case.write("telemetry", TELEMETRY + "\n" + cells + "\n")
    says = (f"{found} cells where 4 were expected", "Complete or quote the row")
    case.refused("telemetry.csv", 8, None, says)


def test_conflicting_readings(case: Case) -> None:
    case.write("telemetry", TELEMETRY + "a,2024-01-01 02:00:00,171.5,999\n")
    says = (
        "machine 'a' has two different readings of 2024-01-01 02:00:00",
        "999 after 451",
        "Keep the right one",
    )
    case.refused("telemetry.csv", 7, "spin", says)


def test_conflicting_readings_of_a_tag(case: Case) -> None:
    del case.tables["telemetry"]["sensors"]["spin"]
    case.tables["telemetry"] |= {"tag": "tag", "value": "value"}
    rows = "a,2024-01-01 01:00:00,volt,1\na,2024-01-01 01:00:00,volt,2\n"
    case.write("telemetry", "machine,time,tag,value\n" + rows)
    case.refused("telemetry.csv", 3, "value", ("2 after 1",))


def test_an_unknown_tag(case: Case) -> None:
    case.tables["telemetry"] |= {"tag": "tag", "value": "value"}
    case.write("telemetry", "machine,time,tag,value\na,2024-01-01 01:00:00,heat,1\n")
    case.refused("telemetry.csv", 2, "tag", ("unknown sensor 'heat'", "drop its rows with `where`"))


def test_a_stop_that_ends_before_it_starts(case: Case) -> None:
    case.tables["downtime"] = {"files": "off.csv", "machine": "machine", "start": "start", "end": "end"}
    case.write("off", "machine,start,end\na,2024-01-01 03:00:00,2024-01-01 02:00:00\n")
    case.refused("off.csv", 2, "end", ("the end is before the start",))


def test_an_unknown_machine_among_those_alive(case: Case) -> None:
    case.one_component()
    case.tables["failures"] = {"last_row": True, "alive": ["z"]}
    case.refused("telemetry.csv", None, "machine", ("'z', named in `alive`",))


def test_one_wrong_year_does_not_take_all_memory(case: Case) -> None:
    case.write("telemetry", TELEMETRY + "a,9024-01-01 01:00:00,1,2\n")
    case.refused("telemetry.csv", None, "time", ("machine 'a' span 2024-01-01 01:00:00 to 9024", "Correct"))


def test_nothing_left_by_where(case: Case) -> None:
    case.tables["failures"]["where"] = {"component": "none"}
    case.refused("failures.csv", None, None, ("the table is empty", "`where`"))


@pytest.mark.parametrize("column", ["code", "note"])
def test_a_quote_that_is_never_closed_swallows_no_rows(case: Case, column: str) -> None:
    rows = [[*line.split(","), "x"] for line in (ERRORS + "a,2024-01-01 02:30:00,e2\n").splitlines()]
    rows[0][3] = "note"
    rows[1][rows[0].index(column)] = '"A pump'
    case.write("errors", "\n".join(map(",".join, rows)) + "\n")
    case.refused("errors.csv", 2, None, ("a quote that is never closed", "double it"))


def test_a_quote_within_a_cell_is_text(case: Case) -> None:
    case.write("errors", ERRORS.replace("e1", '5" pipe'))
    assert list(case.run().events.errors["code"]) == ['5" pipe']


def test_a_line_break_in_an_identifier(case: Case) -> None:
    case.write("errors", ERRORS + 'a,2024-01-01 02:30:00,"e2\nb,2024-01-01 02:30:00,"e3\n')
    case.refused("errors.csv", 3, "code", ("a line break in the cell", "Close the quote"))


def test_a_bad_cell_after_a_quoted_line_break(case: Case) -> None:
    case.write("errors", 'machine,time,code,note\na,2024-01-01 01:30:00,e1,"two\nlines"\na,never,e1,x\n')
    case.refused("errors.csv", 4, "time", ("'never'",))


def test_a_blank_identifier(case: Case) -> None:
    case.write("errors", ERRORS.replace("e1", "  "))
    case.refused("errors.csv", 2, "code", ("the cell is empty",))


def test_a_header_alone_without_a_line_end(case: Case) -> None:
    case.write("errors", "machine,time,code")
    case.refused("errors.csv", says=("the table is empty",))


def test_an_infinite_machine(case: Case) -> None:
    frame = pd.read_csv(case.folder / "telemetry.csv").assign(machine=[1.0, 1.0, 1.0, 2.0, float("inf")])
    frame.to_parquet(case.folder / "telemetry.parquet")
    case.tables["telemetry"]["files"] = "telemetry.parquet"
    case.refused("telemetry.parquet", 5, "machine", ("an infinite number",))


def test_two_columns_of_one_name_in_parquet(case: Case) -> None:
    frame = pd.read_csv(case.folder / "telemetry.csv", dtype=str)
    table = pa.Table.from_pandas(frame)
    pq.write_table(table.append_column("volt", table["spin"]), case.folder / "telemetry.parquet")
    case.tables["telemetry"]["files"] = "telemetry.parquet"
    case.refused("telemetry.parquet", 1, "volt", ("two columns", "Rename one"))


@pytest.mark.parametrize("count", ["1e30", "-1e18", "inf"])
def test_a_count_beyond_all_counting(case: Case, count: str) -> None:
    case.one_component()
    case.content |= plant.counter_sections()
    case.tables["failures"] = {"last_row": True}
    case.tables["telemetry"]["interval"] = "1cycles"
    case.write("telemetry", f"machine,time,volt,spin\na,1,1,2\na,{count},2,3\n")
    case.refused("telemetry.csv", 3, "time", ("not a count",))


def test_a_running_flag_that_is_never_on(case: Case) -> None:
    case.tables["telemetry"]["running"] = {"column": "on", "values": ["Yes"]}
    case.write("telemetry", "machine,time,volt,spin,on\na,2024-01-01 01:00:00,1,2,yes\n")
    case.refused(
        "telemetry.csv", None, "on", ("no row has one of the values that mean on", "`running.values`")
    )


def test_zone_names_in_some_tables(case: Case) -> None:
    case.tables["errors"]["time_format"] = "%Y-%m-%d %H:%M:%S %Z"
    case.write("errors", ERRORS.replace("01:30:00", "01:30:00 UTC"))
    case.refused("telemetry.csv", 2, "time", ("the times of errors have a time zone",))
