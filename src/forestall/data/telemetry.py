"""Telemetry as it comes, wide or long, to one row a machine and time with a column a sensor."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd

from forestall.data import parse
from forestall.data.cells import one_of
from forestall.data.clean import ConflictError
from forestall.data.dataset import Dataset
from forestall.data.read import Piece, read_pieces
from forestall.data.repairs import Repairs
from forestall.data.tables import Telemetry
from forestall.errors import InputError


def wanted_columns(telemetry: Telemetry) -> list[str]:
    """The columns of the files that are read."""
    columns = [telemetry.machine, telemetry.time]
    if telemetry.tag and telemetry.value:
        return [*columns, telemetry.tag, telemetry.value]
    running = [telemetry.running.column] if telemetry.running else []
    return [*columns, *running, *(sensor.column or name for name, sensor in telemetry.sensors.items())]


def typed(piece: Piece, dataset: Dataset) -> tuple[pd.DataFrame, bool]:
    """A piece's rows (machine, ticks, running, sensors or tag and value), and whether its times have a zone.

    Raises:
        InputError: a cell cannot be read.
    """
    telemetry = dataset.tables.telemetry
    stamps, zoned = parse.times(piece, telemetry.time, dataset.clock, telemetry.time_format)
    columns: dict[str, Any] = {
        "machine": parse.names(piece, telemetry.machine),
        "time": stamps,
        "running": True,
    }
    if telemetry.tag and telemetry.value:
        columns |= {"tag": _tags(piece, telemetry), "value": parse.numbers(piece, telemetry.value)}
        return pd.DataFrame(columns), zoned
    if telemetry.running:
        running = telemetry.running
        columns["running"] = one_of(piece.frame[running.column], running.values)
    for name, sensor in telemetry.sensors.items():
        columns[name] = parse.numbers(piece, sensor.column or name)
    return pd.DataFrame(columns), zoned


def _tags(piece: Piece, telemetry: Telemetry) -> pd.Series[str]:
    sensor_of = {sensor.column or name: name for name, sensor in telemetry.sensors.items()}
    tags = parse.names(piece, telemetry.tag or "")
    unknown = ~tags.isin(list(sensor_of)).to_numpy()
    if unknown.any():
        index = tags.index[int(unknown.argmax())]
        todo = "Add it to `sensors` in the dataset file, or drop its rows with `where`"
        raise piece.error(index, telemetry.tag, f"unknown sensor {tags[index]!r}", todo)
    return tags.map(sensor_of)


def wide_of(long: pd.DataFrame, dataset: Dataset, repairs: Repairs) -> pd.DataFrame:
    """Long rows as wide ones, sorted by machine and time.

    Raises:
        ConflictError: one tag of a machine has two values of one time.
    """
    copies = long.duplicated()
    repairs.add("telemetry", "", "exact duplicate removed", int(copies.sum()))
    long = long[~copies]
    twice = long.duplicated(["machine", "time", "tag"]).to_numpy()
    if twice.any():
        row = long.iloc[int(twice.argmax())]
        raise ConflictError(row["machine"], int(row["time"]), dataset.clock)
    wide = long.set_index(["machine", "time", "tag"])["value"].unstack("tag").reset_index()  # noqa: PD010
    wide.columns.name = None
    wide["running"] = True
    return wide.reindex(columns=["machine", "time", "running", *dataset.tables.telemetry.sensors])


def check_known(piece: Piece, machines: pd.Series[str], known: set[str]) -> None:
    """Refuse a machine that the machines table lacks.

    Raises:
        InputError: the first row of such a machine.
    """
    unknown = ~machines.isin(list(known)).to_numpy()
    if unknown.any():
        index = machines.index[int(unknown.argmax())]
        todo = "Add it to the machines table, or correct the identifier"
        problem = f"machine {machines[index]!r} is not in the machines table"
        raise piece.error(index, piece.table.machine, problem, todo)


def locate(conflict: ConflictError, folder: Path, dataset: Dataset) -> InputError:
    """The error about a conflict, with the row and column in which the later reading differs."""
    telemetry = dataset.tables.telemetry
    first: dict[str, dict[Hashable, Any]] = {}
    for piece in read_pieces(folder, telemetry, wanted_columns(telemetry)):
        frame, _ = typed(piece, dataset)
        rows = frame[(frame["machine"] == conflict.machine) & (frame["time"] == conflict.time)]
        for index, row in zip(rows.index, rows.to_dict("records"), strict=True):
            seen = first.setdefault(row.get("tag", ""), row)
            differing = next((name for name in row if repr(row[name]) != repr(seen[name])), None)
            if differing is not None:
                column = _column_of(str(differing), telemetry)
                problem = f"{conflict}: {row[differing]:g} after {seen[differing]:g}"
                return piece.error(
                    index, column, problem, "Keep the right one: which it is cannot be guessed"
                )
    return InputError(str(conflict), "Keep the right one", folder / str(telemetry.files))


def _column_of(name: str, telemetry: Telemetry) -> str:
    if name == "running" and telemetry.running:
        return telemetry.running.column
    if name == "value" and telemetry.value:
        return telemetry.value
    return telemetry.sensors[name].column or name
