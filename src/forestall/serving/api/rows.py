"""Batches of rows as columns: from a JSON array, NDJSON or CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from forestall.serving.api.problems import Problem, unfit
from forestall.serving.api.strict_json import loads

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
TYPES = (JSON, NDJSON, CSV)
MOST_ROWS = 50_000
MOST_NAMES = 10_000  # of columns
# Columns are as long as there are rows: where every row has names of its own, a small body would take all memory.
MOST_CELLS = 8_000_000
OTHERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
Faults = list[tuple[str, str]]


@dataclass(frozen=True)
class Rows:
    """Rows by column. A cell that is missing is None.

    what: the rows' name in errors, such as `readings`. text: whether all cells are text, as in CSV. places: where the
    rows stand in the body, if they are some of it.
    """

    what: str
    count: int
    columns: dict[str, list[Any]]
    text: bool = False
    places: Sequence[int] | None = None

    def field(self, row: int, column: str) -> str:
        """How an error names a cell."""
        return f"{self.what}[{row if self.places is None else self.places[row]}].{column}"

    def only(self, places: Sequence[int]) -> Rows:
        """Some of the rows, without the columns that are missing in all of them."""
        columns = {name: [cells[n] for n in places] for name, cells in self.columns.items()}
        there = {name: cells for name, cells in columns.items() if any(cell is not None for cell in cells)}
        return Rows(self.what, len(places), there, self.text, places)

    def column(self, name: str) -> list[Any]:
        """A column's cells; all missing if it is not there."""
        return self.columns.get(name) or [None] * self.count


def read_rows(body: bytes, kind: str, what: str) -> Rows:
    """The rows of a body of media type `kind`.

    Raises:
        Problem: 400, the body cannot be read; 422, it is not a list of objects, or too many.
    """
    if kind == CSV:
        return _of_csv(body, what)
    records = _lines(body, what) if kind == NDJSON else _listed(loads(body), what)
    if len(records) > MOST_ROWS:
        raise _too_many(what, len(records))
    if not set(map(type, records)) <= {dict}:
        place = next(n for n, record in enumerate(records) if type(record) is not dict)
        raise unfit([(f"{what}[{place}]", "must be an object")])
    names = dict.fromkeys(name for record in _shapes(records) for name in record)
    _check_size(what, len(records), len(names))
    return Rows(what, len(records), {name: [record.get(name) for record in records] for name in names})


def _shapes(records: list[dict[str, Any]]) -> Iterable[tuple[str, ...]]:
    """The different sets of keys: usually one."""
    return dict.fromkeys(map(tuple, records))


def _check_size(what: str, rows: int, names: int) -> None:
    if names > MOST_NAMES or rows * names > MOST_CELLS:
        raise unfit([(what, f"{names} different names in {rows} rows; send fewer of them at once")])


def _listed(content: Any, what: str) -> list[Any]:
    if type(content) is dict:
        if other := sorted(content.keys() - {what}):
            raise unfit([(name[:100], f"is not known beside `{what}`") for name in other])
        content = content.get(what)
    if type(content) is not list:
        raise unfit([(what, f'must be a list of objects, or {{"{what}": [list of objects]}}')])
    return content


def _lines(body: bytes, what: str) -> list[Any]:
    lines = body.split(b"\n")
    return [loads(line, f"{what}[{n}]") for n, line in enumerate(lines) if line and not line.isspace()]


def _of_csv(body: bytes, what: str) -> Rows:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 at byte {error.start}"
        raise Problem(400, f"The body cannot be used: {problem}.", [("body", problem)]) from None
    if "\0" in text:
        raise Problem(400, "The body cannot be used: it holds a NUL.", [("body", "holds a NUL")])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        records = [record for record in islice(reader, MOST_ROWS + 1) if record]
    except csv.Error as error:
        problem = f"no CSV at line {reader.line_num}: {error}"
        raise Problem(400, f"The body cannot be used: {problem}.", [("body", problem)]) from None
    _check_delimiter(header)
    return _by_column(header, records, what)


def _check_delimiter(header: list[str]) -> None:
    """Refuse a header in one piece that another delimiter would cut.

    Raises:
        Problem: 400, with the delimiter that it is.
    """
    other = next((name for sign, name in OTHERS.items() if len(header) == 1 and sign in header[0]), None)
    if other is not None:
        problem = f"its columns are separated by {other}; send commas between them, and numbers with a decimal point"
        raise Problem(400, f"The body cannot be used: {problem}.", [("body", problem)])


def _by_column(header: list[str], records: list[list[str]], what: str) -> Rows:
    if len(records) > MOST_ROWS:
        raise _too_many(what, len(records))
    if len(set(header)) < len(header):
        twice = next(name for name, count in Counter(header).items() if count > 1)
        # curl's -d takes the line ends away: all of a table is its header then.
        hint = "" if records else " and there are no rows; curl keeps a file's lines with --data-binary"
        problem = f"stands twice in the header{hint}"
        raise Problem(400, f"The column {twice[:100]!r} {problem}.", [(twice[:100], problem)])
    _check_size(what, len(records), len(header))
    for number, record in enumerate(records):
        if len(record) != len(header):
            more = "; is there a decimal comma?" if len(record) > len(header) else ""
            cells = f"has {len(record)} cells; the header has {len(header)}{more}"
            raise unfit([(f"{what}[{number}]", cells)])
    by_column = zip(*records, strict=True) if records else ([] for _ in header)
    columns = {
        name: [cell or None for cell in column] for name, column in zip(header, by_column, strict=True)
    }
    return Rows(what, len(records), columns, text=True)


def _too_many(what: str, count: int) -> Problem:
    return unfit([(what, f"{count} rows; send at most {MOST_ROWS} at once")])
