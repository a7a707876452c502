"""Reading a table's files, CSV or Parquet, piece by piece, with the place of every cell known.

A piece is a frame of the wanted columns whose index is the record's number in its file, from 0.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from forestall.data.cells import one_of
from forestall.data.tables import Table, Values, first_twice
from forestall.errors import InputError

PIECE_BYTES = 32 << 20
PIECE_ROWS = 1 << 19
CELL_BYTES = 10
NO_ROWS = ("Empty CSV", "file is too short or header is larger")  # what Arrow says of a header alone
MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]


@dataclass(frozen=True)
class Piece:
    """Some records of one file: `frame` holds strings (CSV) or typed values (Parquet)."""

    frame: pd.DataFrame
    file: Path
    table: Table

    def error(self, index: int, column: str | None, problem: str, todo: str) -> InputError:
        """An error about the record with this index."""
        return InputError(problem, todo, self.file, line_number(self.file, index, self.table), column)


def find_files(folder: Path, table: Table) -> list[Path]:
    """The table's files below `folder`, in order of their names.

    Raises:
        InputError: a pattern matches nothing.
    """
    patterns = [table.files] if isinstance(table.files, str) else table.files
    found: list[Path] = []
    for pattern in patterns:
        matches = sorted(p for p in folder.glob(pattern) if p.is_file())
        if not matches:
            todo = "`dvc pull` it, copy it there, or correct `files` in the dataset file"
            raise InputError("no such file", todo, folder / pattern)
        found += matches
    return list(dict.fromkeys(found))


def read_pieces(folder: Path, table: Table, columns: list[str]) -> Iterator[Piece]:
    """The wanted `columns` (and those of `where`) of a table's files, filtered by `where`; no piece is empty.

    Raises:
        InputError: a file is missing, empty, cut off, not text, or lacks a column.
    """
    wanted = list(dict.fromkeys([*columns, *table.where]))
    for file in find_files(folder, table):
        read = _read_parquet if file.suffix in (".parquet", ".pq") else _read_csv
        for frame in read(file, table, wanted):
            kept = _filter(frame, table.where)
            if not kept.empty:
                yield Piece(kept, file, table)


def line_number(file: Path, index: int, table: Table) -> int:
    """The line (CSV) at which record `index` begins, or its row (Parquet), from 1.

    Blank lines, and those within a quoted cell, are counted as lines.
    """
    if file.suffix in (".parquet", ".pq"):
        return index + 1
    wanted, first = index + 1 + table.header, 1
    with file.open(encoding=table.encoding, errors="replace", newline="") as source:
        records = csv.reader(source, delimiter=table.separator)
        for record in records:
            wanted -= bool(record)
            if wanted == 0:
                return first
            first = records.line_num + 1
    return index + 1 + table.header


def text_bytes(file: Path, columns: int) -> int:
    """About how large a file's wanted columns are as text: Parquet packs many times as much into a byte.

    Raises:
        InputError: it is not a whole Parquet file.
    """
    if file.suffix not in (".parquet", ".pq"):
        return file.stat().st_size
    with _whole(file), pq.ParquetFile(file) as source:
        return int(source.metadata.num_rows) * columns * CELL_BYTES


@contextmanager
def _whole(file: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"not a whole Parquet file ({error})", "Export or copy it again", file) from error


def _filter(frame: pd.DataFrame, where: dict[str, Values]) -> pd.DataFrame:
    for column, values in where.items():
        frame = frame[one_of(frame[column], values if isinstance(values, list) else [values])]
    return frame


def _read_parquet(file: Path, _: Table, columns: list[str]) -> Iterator[pd.DataFrame]:
    with _whole(file), pq.ParquetFile(file) as source:
        names = source.schema_arrow.names
        if twice := first_twice(name for name in names if name in columns):
            raise InputError(f"two columns are called {twice!r}", "Rename one", file, 1, twice)
        _check_columns(file, names, columns)
        start = 0
        for batch in source.iter_batches(PIECE_ROWS, columns=columns):
            frame = _plain(batch).to_pandas()
            frame.index = pd.RangeIndex(start, start + len(frame))
            start += len(frame)
            yield frame


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Dates as timestamps and decimals as floats, which pandas would hold as objects."""
    fields = []
    for field in batch.schema:
        kind = pa.timestamp("s") if pa.types.is_date(field.type) else field.type
        fields.append(pa.field(field.name, pa.float64() if pa.types.is_decimal(kind) else kind))
    return batch.cast(pa.schema(fields))


def _read_csv(file: Path, table: Table, columns: list[str]) -> Iterator[pd.DataFrame]:
    if not table.encoding.startswith("utf-16"):
        _check_bytes(file, table)
    names = table.columns or _header(file, table)
    _check_columns(file, names, columns)
    bad: list[pa_csv.InvalidRow] = []
    try:
        reader = _open_csv(file, table, names, columns, bad)
        start = 0
        for batch in reader:
            frame = batch.select(columns).to_pandas()
            frame.index = pd.RangeIndex(start, start + len(frame))
            start += len(frame)
            if bad:
                break
            yield frame
    except UnicodeDecodeError as error:
        raise _not_text(file, table) from error
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise _not_text(file, table) from error
        # A day without events is a file without rows; an empty table is refused by who reads it.
        if not bad and not any(words in str(error) for words in NO_ROWS):
            todo = "Correct the file or its description"
            raise InputError(f"not readable as CSV ({error})", todo, file) from error
    if bad:
        raise _wrong_cells(file, table, bad[0])


def _wrong_cells(file: Path, table: Table, row: pa_csv.InvalidRow) -> InputError:
    # Arrow's number counts the header and leaves out blank lines.
    line = line_number(file, row.number - 1 - table.header, table)
    problem = f"{row.actual_columns} cells where {row.expected_columns} were expected"
    todo = "Complete or quote the row, or correct `separator` in the dataset file"
    return InputError(problem, todo, file, line)


def _open_csv(
    file: Path, table: Table, names: list[str], columns: list[str], bad: list[pa_csv.InvalidRow]
) -> pa_csv.CSVStreamingReader:
    def on_invalid_row(row: pa_csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    return pa_csv.open_csv(
        file,
        read_options=pa_csv.ReadOptions(
            use_threads=False,  # with threads Arrow does not know the number of a bad row
            block_size=PIECE_BYTES,
            column_names=names,
            skip_rows=1 if table.header else 0,
            encoding=table.encoding,
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=table.separator, newlines_in_values=True, invalid_row_handler=on_invalid_row
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=columns,
            null_values=MISSING,
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _check_bytes(file: Path, table: Table) -> None:
    line, quotes = 1, 0
    with file.open("rb") as source:
        while chunk := source.read(PIECE_BYTES):
            at = chunk.find(b"\0")
            if at >= 0:
                row = line + chunk.count(b"\n", 0, at)
                raise InputError("a NUL byte", "The file is damaged or not text: export it again", file, row)
            line += chunk.count(b"\n")
            quotes += chunk.count(b'"')
    if quotes % 2 and (unclosed := _unclosed_quote(file, table)):
        todo = "Close it, or double it if it belongs to the text"
        raise InputError("a quote that is never closed would swallow the rows after it", todo, file, unclosed)


def _unclosed_quote(file: Path, table: Table) -> int | None:
    """The line at which the record begins whose quote is still open at the file's end."""
    first, begins, closed = 1, 1, False
    with file.open(encoding=table.encoding, errors="replace", newline="") as source:
        records = csv.reader(chain(source, ["the end"]), delimiter=table.separator)
        for record in records:
            begins, first = first, records.line_num + 1
            closed = record == ["the end"]
    return None if closed else begins


def _header(file: Path, table: Table) -> list[str]:
    encoding = "utf-8-sig" if table.encoding == "utf-8" else table.encoding
    try:
        with file.open(encoding=encoding, newline="") as source:
            names = next(csv.reader(source, delimiter=table.separator), [])
    except UnicodeDecodeError as error:
        raise _not_text(file, table) from error
    if not names:
        raise InputError(
            "the file is empty", "Export it again, or take the table out of the dataset file", file
        )
    if twice := first_twice(names):
        raise InputError(f"two columns are called {twice!r}", "Rename one", file, 1, twice)
    return names


def _check_columns(file: Path, names: list[str], wanted: list[str]) -> None:
    for column in wanted:
        if column in names:
            continue
        if len(names) == 1 and (other := next((s for s in ";\t|," if s in names[0]), None)):
            todo = f"The file looks separated by {other!r}: set `separator` in the dataset file"
        elif close := difflib.get_close_matches(column, names, n=1):
            todo = f"Did you mean {close[0]!r}? Correct the dataset file or the header"
        else:
            todo = f"The file has: {', '.join(names)}. Correct the dataset file or the header"
        raise InputError("no such column", todo, file, 1, column)


def _not_text(file: Path, table: Table) -> InputError:
    number = 1
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):  # noqa: B007  (where the loop stopped)
            try:
                line.decode(table.encoding)
            except UnicodeDecodeError:
                break
    todo = "Set `encoding` in the dataset file (latin-1 and cp1252 are common)"
    return InputError(f"not {table.encoding} text", todo, file, number)


def trimmed(cells: pd.Series[Any]) -> pa.Array:
    """A column of strings without blanks around them, as an Arrow array."""
    text = cells if pd.api.types.is_string_dtype(cells) else cells.astype(str).where(cells.notna(), None)
    array = pa.array(text, type=pa.string(), from_pandas=True)
    return pc.utf8_trim_whitespace(array)
