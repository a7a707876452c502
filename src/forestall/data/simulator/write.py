"""Writing a simulated fleet as the CSV files that a plant would export."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from forestall.data.simulator.catalogue import START, TELEMETRY_NAMES
from forestall.data.simulator.fleet import FleetChunk, simulate_fleet
from forestall.data.simulator.settings import SimulateParams
from forestall.data.simulator.tables import TRUTH_COLUMNS

COLUMNS = {
    "errors": ["machine", "time", "code"],
    "maintenance": ["machine", "time", "component"],
    "failures": ["machine", "time", "component"],
    "machines": ["machine", "model", "age"],
    "downtime": ["machine", "start", "end"],
}


def write_fleet(params: SimulateParams, folder: Path, truth: Path) -> None:
    """Simulate a fleet into `folder`, and what really happened into the file `truth`, outside of it.

    `folder` gets telemetry/YYYY-MM.csv, errors.csv, maintenance.csv, failures.csv, machines.csv and
    downtime.csv; what stood there before is removed.
    """
    if folder.resolve() in truth.resolve().parents:
        raise ValueError(f"{truth} lies inside {folder}: what reads the fleet must not find the truth")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "telemetry").mkdir(parents=True)
    truth.parent.mkdir(parents=True, exist_ok=True)
    files = {folder / f"{name}.csv": columns for name, columns in COLUMNS.items()} | {truth: TRUTH_COLUMNS}
    months = [folder / "telemetry" / f"{month}.csv" for month in _months(params)]
    files |= {month: ["machine", "time", *TELEMETRY_NAMES] for month in months}
    for file, columns in files.items():
        file.write_bytes((",".join(columns) + "\n").encode())
    for chunk in simulate_fleet(params):
        for name in COLUMNS:
            _append(getattr(chunk, name), folder / f"{name}.csv")
        _append(chunk.truth, truth)
        _append_telemetry(chunk, folder / "telemetry")


def _months(params: SimulateParams) -> list[str]:
    last = START + np.timedelta64(params.days, "D") - np.timedelta64(1, "h")
    months = np.arange(START.astype("datetime64[M]"), last.astype("datetime64[M]") + 1)
    return [str(month) for month in months]


def _append_telemetry(chunk: FleetChunk, folder: Path) -> None:
    month = chunk.telemetry["time"].to_numpy().astype("datetime64[M]")
    for one in np.unique(month):
        _append(chunk.telemetry[month == one], folder / f"{one}.csv")


def _append(frame: pd.DataFrame, file: Path) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = [_as_text(column) for column in table.columns]
    table = pa.table(columns, names=table.column_names)
    options = pa_csv.WriteOptions(include_header=False, quoting_style="none")
    with file.open("ab") as sink:
        pa_csv.write_csv(table, sink, options)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Names as plain strings: the writer of CSV knows no dictionaries."""
    if pa.types.is_dictionary(column.type):
        return column.cast(pa.string())
    return column
