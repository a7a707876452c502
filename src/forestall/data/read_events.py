"""The small tables, read whole and checked: errors, maintenance, failures, machines, downtime.

While they are checked, the columns `file` and `index` say where a row came from.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from forestall.data import parse
from forestall.data.dataset import Dataset
from forestall.data.events import Events, absent_pairs
from forestall.data.read import Piece, line_number, read_pieces
from forestall.data.repairs import Repairs
from forestall.data.tables import Downtime, Machines, Table, TimedTable
from forestall.errors import InputError

ORIGIN = ["file", "index"]
GOES_ON = 2**37  # the end, in ticks, of a stop without one: as a timestamp in the year 6325


def read_events(folder: Path, dataset: Dataset, repairs: Repairs) -> tuple[Events, dict[str, bool]]:
    """The small tables below `folder`, and for each timed table whether its times have a zone.

    Raises:
        InputError: a cell cannot be read, a machine stands twice, a component is unknown, a table is empty.
    """
    tables, zones = dataset.tables, dict[str, bool]()
    frames: dict[str, pd.DataFrame] = {}
    for name, label in (("errors", "code"), ("maintenance", "component"), ("failures", "component")):
        table = getattr(tables, name)
        frames[name] = _empty("time", label=label)
        if isinstance(table, TimedTable):
            frames[name], zones[name] = _timed(folder, table, name, label, dataset)
    frames["downtime"] = _empty("start", "end")
    if tables.downtime is not None:
        stops, zones["downtime"] = _downtime(folder, tables.downtime, dataset)
        frames["downtime"] = _ended_once(stops, repairs)
    frames = {name: _without_copies(frame, name, repairs) for name, frame in frames.items()}
    machines = _machines(folder, tables.machines)
    for name in ("maintenance", "failures"):
        _check_components(frames[name], name, machines, dataset)
    for name, frame in frames.items():
        if tables.machines is not None:
            check_machines_known(frame, name, machines)
    frames |= {"machines": machines}
    clean = {name: frame.drop(columns=ORIGIN, errors="ignore") for name, frame in frames.items()}
    return Events(**clean), zones


def where(frame: pd.DataFrame, position: int, column: str) -> tuple[Path, int, str | None]:
    """File, line and the file's own name of `column`, for a row of a frame that has its origin."""
    file, index = frame["file"].iloc[position], frame["index"].iloc[position]
    table: Table = frame.attrs["table"]
    return file, line_number(file, int(index), table), getattr(table, column)


def check_machines_known(frame: pd.DataFrame, name: str, machines: pd.DataFrame) -> None:
    """Refuse a machine that the machines table lacks.

    Raises:
        InputError: the first row of such a machine.
    """
    unknown = ~frame["machine"].isin(list(machines["machine"])).to_numpy()
    if unknown.any():
        position = int(unknown.argmax())
        machine = frame["machine"].iloc[position]
        todo = "Add it to the machines table, or correct the identifier"
        problem = f"machine {machine!r} of {name} is not in the machines table"
        raise InputError(problem, todo, *where(frame, position, "machine"))


def _empty(*ticks: str, label: str | None = None) -> pd.DataFrame:
    columns: dict[str, pd.Series[Any]] = {"machine": pd.Series(dtype=object)}
    columns |= {name: pd.Series(dtype="int64") for name in ticks}
    return pd.DataFrame(columns | ({label: pd.Series(dtype=object)} if label else {}))


def _with_origin(frame: pd.DataFrame, piece: Piece) -> pd.DataFrame:
    frame["file"], frame["index"] = pd.Series([piece.file] * len(frame), frame.index), frame.index
    return frame


def _joined(frames: list[pd.DataFrame], table: Table, folder: Path) -> pd.DataFrame:
    if not frames:
        todo = "Export it again, correct `where`, or take the table out of the dataset file"
        raise InputError("the table is empty", todo, folder / str(table.files))
    joined = pd.concat(frames, ignore_index=True)
    joined.attrs["table"] = table
    return joined


def _timed(
    folder: Path, table: TimedTable, name: str, label: str, dataset: Dataset
) -> tuple[pd.DataFrame, bool]:
    source: str | None = getattr(table, label)
    columns = [table.machine, table.time, *([source] if source else [])]
    frames, zones = [], dict[str, bool]()
    for piece in read_pieces(folder, table, columns):
        stamps, zoned = parse.times(piece, table.time, dataset.clock, table.time_format)
        parse.check_zones(piece, table.time, zones, name, zoned)
        frame = pd.DataFrame({"machine": parse.names(piece, table.machine), "time": stamps})
        only = pd.Series(next(iter(dataset.components)), index=frame.index, dtype=object)
        frame[label] = parse.names(piece, source) if source else only
        frames.append(_with_origin(frame, piece))
    joined = _joined(frames, table, folder)
    return joined.sort_values(["machine", "time", label], kind="stable"), zones[name]


def _machines(folder: Path, table: Machines | None) -> pd.DataFrame:
    if table is None:
        return pd.DataFrame({"machine": pd.Series(dtype=object)})
    frames = []
    for piece in read_pieces(folder, table, [table.machine, *table.attributes]):
        columns: dict[str, Any] = {"machine": parse.names(piece, table.machine)}
        for attribute, kind in table.attributes.items():
            columns[attribute] = (parse.names if kind == "category" else parse.numbers)(piece, attribute)
        frames.append(_with_origin(pd.DataFrame(columns), piece))
    machines = _joined(frames, table, folder)
    twice = machines["machine"].duplicated().to_numpy()
    if twice.any():
        position = int(twice.argmax())
        problem = f"machine {machines['machine'].iloc[position]!r} stands twice"
        raise InputError(problem, "Keep one of its rows", *where(machines, position, "machine"))
    return machines.sort_values("machine", kind="stable", ignore_index=True)


def _downtime(folder: Path, table: Downtime, dataset: Dataset) -> tuple[pd.DataFrame, bool]:
    frames, zones = [], dict[str, bool]()
    for piece in read_pieces(folder, table, [table.machine, table.start, table.end]):
        frame = pd.DataFrame({"machine": parse.names(piece, table.machine)})
        for name, column, some in (("start", table.start, piece), ("end", table.end, _ended(piece, table))):
            if some.frame.empty:
                frame[name] = GOES_ON
                continue
            times, zoned = parse.times(some, column, dataset.clock, table.time_format)
            parse.check_zones(some, column, zones, "downtime", zoned)
            frame[name] = times.reindex(frame.index, fill_value=GOES_ON)
        wrong = (frame["end"] < frame["start"]).to_numpy()
        if wrong.any():
            index = piece.frame.index[int(wrong.argmax())]
            raise piece.error(index, table.end, "the end is before the start", "Correct the row")
        frames.append(_with_origin(frame, piece))
    joined = _joined(frames, table, folder)
    return joined.sort_values(["machine", "start"], kind="stable"), zones["downtime"]


def _ended(piece: Piece, table: Downtime) -> Piece:
    """The stops that have an end."""
    return replace(piece, frame=piece.frame[piece.frame[table.end].notna()])


def _ended_once(stops: pd.DataFrame, repairs: Repairs) -> pd.DataFrame:
    """Without stops that go on in one export and have an end in a later one."""
    open_end = stops["end"] == GOES_ON
    over = pd.MultiIndex.from_frame(stops.loc[~open_end, ["machine", "start"]])
    known = open_end & pd.MultiIndex.from_frame(stops[["machine", "start"]]).isin(over)
    repairs.add("downtime", "", "open stop removed that another row ends", int(known.sum()))
    return stops[~known].reset_index(drop=True)


def _without_copies(frame: pd.DataFrame, name: str, repairs: Repairs) -> pd.DataFrame:
    columns = [column for column in frame.columns if column not in ORIGIN]
    copies = frame.duplicated(columns)
    repairs.add(name, "", "exact duplicate removed", int(copies.sum()))
    return frame[~copies].reset_index(drop=True)


def _check_components(frame: pd.DataFrame, name: str, machines: pd.DataFrame, dataset: Dataset) -> None:
    unknown = ~frame["component"].isin(list(dataset.components)).to_numpy()
    if unknown.any():
        position = int(unknown.argmax())
        component = frame["component"].iloc[position]
        close = difflib.get_close_matches(component, dataset.components, n=1)
        todo = f"Did you mean {close[0]!r}? " if close else ""
        todo += "Correct it, add it to `components` in the dataset file, or drop its rows with `where`"
        raise InputError(
            f"unknown component {component!r} in {name}", todo, *where(frame, position, "component")
        )
    absent = absent_pairs(machines, dataset)
    for position, pair in enumerate(zip(frame["machine"], frame["component"], strict=True)):
        if pair in absent:
            todo = "Correct the row, or `absent_on` in the dataset file"
            problem = f"machine {pair[0]!r} has no component {pair[1]!r}, by the dataset file"
            raise InputError(problem, todo, *where(frame, position, "component"))
