"""Reading files: how they are written, where their rows are."""

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from forestall.data import read
from forestall.data.tables import Machines, Scalar, Table
from forestall.errors import InputError
from tests.data.case import TELEMETRY, Case

SEVEN = "m,v\n" + "".join(f"a,{n}\n" for n in range(7))


def read_all(folder: Path, table: Table, *columns: str) -> pd.DataFrame:
    return pd.concat(piece.frame for piece in read.read_pieces(folder, table, list(columns)))


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + TELEMETRY.encode(),
        TELEMETRY.replace("\n", "\r\n").encode(),
        TELEMETRY.rstrip().encode(),
        TELEMETRY.replace("\n", "\n\n").encode(),
        TELEMETRY.replace("a,", '"a",').replace("machine", '"machine"').encode(),
        TELEMETRY.replace(" ", "T").encode(),
        TELEMETRY.replace(",", " , ")
        .replace(" , volt , ", ",volt,")
        .replace("machine , time", "machine,time")
        .encode(),
    ],
    ids=["bom", "crlf", "no last newline", "blank lines", "quotes", "T", "blanks"],
)
def test_ways_of_writing_a_csv_file(case: Case, text: bytes) -> None:
    expected = case.run().telemetry
    case.write("telemetry", text)
    pd.testing.assert_frame_equal(case.run().telemetry, expected)


def test_a_bom_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfa,1\nb,2\n")
    table = Machines(files="t.csv", machine="m", header=False, columns=["m", "v"])
    assert list(read_all(tmp_path, table, "m")["m"]) == ["a", "b"]


def test_semicolons_and_decimal_commas_when_they_are_declared(case: Case) -> None:
    expected = case.run().telemetry
    case.tables["telemetry"] |= {"separator": ";", "decimal": ","}
    case.write("telemetry", TELEMETRY.replace(",", ";").replace(".", ","))
    pd.testing.assert_frame_equal(case.run().telemetry, expected)


def test_another_encoding(case: Case) -> None:
    case.tables["errors"]["encoding"] = "cp1252"
    case.write("errors", "machine,time,code\na,2024-01-01 01:30:00,Störung\n".encode("cp1252"))
    assert list(case.run().events.errors["code"]) == ["Störung"]


def test_utf_16_as_spreadsheets_export_it(case: Case) -> None:
    case.tables["errors"] |= {"encoding": "utf-16", "separator": "\t"}
    case.write("errors", "machine\ttime\tcode\na\t2024-01-01 01:30:00\tStörung\n".encode("utf-16"))
    assert list(case.run().events.errors["code"]) == ["Störung"]


def test_a_table_of_nothing_but_a_bad_row(case: Case) -> None:
    case.write("errors", "machine,time,code\na,2024-01-01\n")
    case.refused("errors.csv", 2, None, ("2 cells where 3 were expected",))


def test_an_empty_table_without_a_header(case: Case) -> None:
    case.tables["errors"] |= {"header": False, "columns": ["machine", "time", "code"]}
    case.write("errors", "")
    case.refused("errors.csv", None, None, ("the table is empty",))


def test_parquet_is_read_as_csv_is(case: Case) -> None:
    expected = case.run().telemetry
    frame = pd.read_csv(case.folder / "telemetry.csv", parse_dates=["time"])
    frame.to_parquet(case.folder / "telemetry.parquet")
    case.tables["telemetry"]["files"] = "telemetry.parquet"
    pd.testing.assert_frame_equal(case.run().telemetry, expected)


def test_files_without_a_header(case: Case) -> None:
    expected = case.run().telemetry
    case.tables["telemetry"] |= {"header": False, "columns": ["machine", "time", "volt", "spin"]}
    case.write("telemetry", TELEMETRY.split("\n", 1)[1])
    pd.testing.assert_frame_equal(case.run().telemetry, expected)
    case.write("telemetry", TELEMETRY.split("\n", 1)[1] + "\na,x\n")
    case.refused("telemetry.csv", 7, None, ("2 cells",))


def test_globs_in_order_of_their_names_and_each_file_once(case: Case) -> None:
    expected = case.run().telemetry
    lines = TELEMETRY.splitlines(keepends=True)
    for day, rows in (("1", lines[1:3]), ("2", lines[3:]), ("3", [])):
        case.write(f"days/{day}", lines[0] + "".join(rows))
    case.tables["telemetry"]["files"] = ["days/*.csv", "days/1.csv"]
    pd.testing.assert_frame_equal(case.run().telemetry, expected)
    assert [file.name for file in read.find_files(case.folder, case.dataset.tables.telemetry)] == [
        "1.csv",
        "2.csv",
        "3.csv",
    ]


def test_where_takes_a_list(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("m,kind\na,repair\nb,inspection\nc,planned\n")
    table = Machines(files="t.csv", machine="m", where={"kind": ["repair", "planned"]})
    assert pd.concat(piece.frame for piece in read.read_pieces(tmp_path, table, ["m"]))["m"].tolist() == [
        "a",
        "c",
    ]


@pytest.mark.parametrize(("value", "found"), [(1, 2), (1.0, 2), (True, 1), ("1", 1), ("yes", 1), (2, 0)])
def test_where_compares_numbers_as_numbers(tmp_path: Path, value: Scalar, found: int) -> None:
    (tmp_path / "t.csv").write_text("m,flag\na,1\nb,1.0\nc,0\nd,yes\n")
    table = Machines(files="t.csv", machine="m", where={"flag": value})
    assert sum(len(piece.frame) for piece in read.read_pieces(tmp_path, table, ["m"])) == found


def test_only_the_wanted_columns_are_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("m,v,w\na,1,\n")
    piece = next(read.read_pieces(tmp_path, Machines(files="t.csv", machine="m"), ["v"]))
    assert list(piece.frame.columns) == ["v"]


def test_pieces_count_their_records_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "PIECE_BYTES", 16)
    monkeypatch.setattr(read, "PIECE_ROWS", 2)
    (tmp_path / "t.csv").write_text(SEVEN)
    pd.DataFrame({"m": "a", "v": range(7)}).to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        frame = read_all(tmp_path, Machines(files=name, machine="m"), "v")
        assert list(frame.index) == list(range(7))
        assert list(frame["v"].astype(int)) == list(range(7))


def test_the_row_of_a_bad_cell_in_a_later_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "PIECE_BYTES", 16)
    (tmp_path / "t.csv").write_text(SEVEN + "\na,7,8\n")
    with pytest.raises(InputError) as caught:
        read_all(tmp_path, Machines(files="t.csv", machine="m"), "v")
    assert caught.value.row == 10


def test_line_numbers_count_blank_lines(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("m\n\na\n\n\nb\n")
    table = Machines(files="t.csv", machine="m")
    assert [read.line_number(file, index, table) for index in (0, 1)] == [3, 6]


def test_line_numbers_count_the_lines_of_quoted_cells(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text('m;note\na;"two\nlines; of ""text"""\nb;5" pipe\nc;x\n', encoding="utf-16")
    table = Machines(files="t.csv", machine="m", separator=";", encoding="utf-16")
    assert [read.line_number(file, index, table) for index in (0, 1, 2)] == [2, 4, 5]


def test_a_quoted_line_break_at_the_edge_of_a_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "PIECE_BYTES", 64)
    rows = [f'a,{number},"{"x" * number}\ny,y"' for number in range(20)]
    (tmp_path / "t.csv").write_text("m,v,note\n" + "\n".join(rows) + "\n")
    frame = read_all(tmp_path, Machines(files="t.csv", machine="m"), "v")
    assert list(frame["v"].astype(int)) == list(range(20))


def test_identifiers_do_not_depend_on_what_else_a_piece_holds(case: Case) -> None:
    case.one_component()
    case.tables["failures"] = {"last_row": True}
    case.tables["telemetry"]["files"] = "*.parquet"
    for name, machines in (("one", [7.0, 8.0]), ("two", [7.0, 7.5])):
        stamps = pd.to_datetime([f"2024-01-0{1 + (name == 'two')}"] * 2)
        frame = pd.DataFrame({"machine": machines, "time": stamps, "volt": [1.0, 2.0], "spin": [3.0, 4.0]})
        frame.to_parquet(case.folder / f"{name}.parquet")
    assert set(case.run().telemetry["machine"]) == {"7", "8", "7.5"}


def test_parquet_dates_and_decimals(case: Case) -> None:
    frame = pd.read_csv(case.folder / "machines.csv", dtype=str)
    frame["age"] = frame["age"].map(Decimal)
    frame.to_parquet(case.folder / "machines.parquet")
    case.tables["machines"]["files"] = "machines.parquet"
    assert list(case.run().events.machines["age"]) == [3.0, 5.0, 1.0]
