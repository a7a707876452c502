"""Raw tables to clean ones: read in pieces, gathered by machine, repaired, checked against each other."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forestall.data import parse
from forestall.data.clean import ConflictError, clean_telemetry, reading_spans
from forestall.data.dataset import Dataset
from forestall.data.events import Events, is_last_row
from forestall.data.read import find_files, read_pieces, text_bytes
from forestall.data.read_events import read_events
from forestall.data.repairs import Repairs
from forestall.data.tables import LastRow
from forestall.data.telemetry import check_known, locate, typed, wanted_columns, wide_of
from forestall.errors import InputError

BUCKET_BYTES = 128 << 20
Progress = Callable[[str], None]


@dataclass
class Summary:
    """Rows read, and slots between machines' first and last readings.

    spans: machine, and the time of its first (min) and last (max) reading.
    """

    rows_in: int = 0
    rows_out: int = 0
    spans: pd.DataFrame = field(default_factory=pd.DataFrame)


def prepare(
    folder: Path,
    dataset: Dataset,
    carry_forward: int,
    write: Callable[[pd.DataFrame], None],
    progress: Progress,
    scratch: Path,
) -> tuple[Events, Repairs, Summary]:
    """Read and clean the tables below `folder`; clean telemetry goes to `write`, some machines at a time.

    Args:
        scratch: a folder for what does not fit in memory; it is removed, with what a killed run left there.

    Returns:
        The clean small tables, what was repaired, and the counts.

    Raises:
        InputError: something is not safe to repair.
    """
    repairs, summary = Repairs([]), Summary()
    events, zones = read_events(folder, dataset, repairs)
    known = set(events.machines["machine"]) if dataset.tables.machines else None
    spans: list[pd.DataFrame] = []
    health = {name: _Varies() for name in dataset.tables.telemetry.sensors}
    for raw in _by_machine(folder, dataset, zones, known, summary, progress, scratch):
        clean = _clean(raw, events, folder, dataset, carry_forward, repairs)
        for name, seen in health.items():
            seen.add(clean[name].to_numpy())
        spans.append(reading_spans(clean))
        summary.rows_out += len(clean) - carry_forward * len(spans[-1])
        write(clean)
    _check_sensors(health, folder, dataset)
    summary.spans = pd.concat(spans, ignore_index=True)
    if rule := is_last_row(dataset):
        _check_alive(rule, summary, folder, dataset)
        events = replace(events, failures=_last_rows(rule, summary.spans, dataset))
    return events, repairs, summary


def _clean(
    raw: pd.DataFrame, events: Events, folder: Path, dataset: Dataset, carry_forward: int, repairs: Repairs
) -> pd.DataFrame:
    try:
        wide = wide_of(raw, dataset, repairs) if dataset.tables.telemetry.tag else raw
        return clean_telemetry(wide, events.downtime, dataset, carry_forward, repairs)
    except ConflictError as conflict:
        raise locate(conflict, folder, dataset) from conflict


def _last_rows(rule: LastRow, spans: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Failures of run-to-failure histories: each machine's last time, but for those still alive."""
    failed = spans[~spans["machine"].isin([str(value) for value in rule.alive])]
    ends = failed[["machine", "max"]].rename(columns={"max": "time"}).reset_index(drop=True)
    component = next(iter(dataset.components))
    return ends.assign(component=pd.Series(component, index=ends.index, dtype=object))


def _check_alive(rule: LastRow, summary: Summary, folder: Path, dataset: Dataset) -> None:
    machines = set(summary.spans["machine"])
    unknown = next((value for value in rule.alive if str(value) not in machines), None)
    if unknown is not None:
        telemetry = dataset.tables.telemetry
        todo = "Correct `tables.failures.alive` in the dataset file"
        problem = f"machine {str(unknown)!r}, named in `alive`, has no telemetry"
        raise InputError(problem, todo, folder / str(telemetry.files), column=telemetry.machine)


class _Varies:
    """Whether a sensor ever had two different values."""

    def __init__(self) -> None:
        self.low, self.high = np.inf, -np.inf

    def add(self, values: np.ndarray[Any, Any]) -> None:
        present = values[~np.isnan(values)]
        if present.size:
            self.low, self.high = min(self.low, present.min()), max(self.high, present.max())


def _check_sensors(health: dict[str, _Varies], folder: Path, dataset: Dataset) -> None:
    telemetry = dataset.tables.telemetry
    for name, seen in health.items():
        column = telemetry.sensors[name].column or name
        todo = f"Repair the export, or take {name!r} out of `sensors` in the dataset file"
        if seen.low > seen.high:
            raise InputError(
                "every value is missing or impossible", todo, folder / str(telemetry.files), column=column
            )
        if seen.low == seen.high:
            raise InputError(
                f"the value is always {seen.low:g}", todo, folder / str(telemetry.files), column=column
            )


def _by_machine(
    folder: Path,
    dataset: Dataset,
    zones: dict[str, bool],
    known: set[str] | None,
    summary: Summary,
    progress: Progress,
    scratch: Path,
) -> Iterator[pd.DataFrame]:
    """All rows of some machines at a time; tables larger than a bucket go by way of the folder `scratch`."""
    telemetry = dataset.tables.telemetry
    columns = wanted_columns(telemetry)
    size = sum(text_bytes(file, len(columns)) for file in find_files(folder, telemetry))
    buckets = 1 + size // BUCKET_BYTES
    with _emptied(scratch):
        running = 0
        spill = _Spill(scratch, buckets)
        for piece in read_pieces(folder, telemetry, columns):
            frame, zoned = typed(piece, dataset)
            parse.check_zones(piece, telemetry.time, zones, "telemetry", zoned)
            if known is not None:
                check_known(piece, frame["machine"], known)
            summary.rows_in += len(frame)
            running += int(frame["running"].sum())
            progress(f"{summary.rows_in:,} rows read")
            spill.add(frame)
        if summary.rows_in == 0:
            todo = "Export it again, or correct `files` and `where` in the dataset file"
            raise InputError("the table is empty", todo, folder / str(telemetry.files))
        if telemetry.running and not running:
            problem = "no row has one of the values that mean on"
            todo = "Correct `running.values` in the dataset file"
            raise InputError(problem, todo, folder / str(telemetry.files), column=telemetry.running.column)
        yield from spill.frames()


@contextmanager
def _emptied(scratch: Path) -> Iterator[None]:
    """An empty folder that is removed at the end."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Spill:
    """Rows dealt out to buckets by machine, in memory for one bucket and on disk for several."""

    def __init__(self, folder: Path, buckets: int) -> None:
        self.folder, self.buckets = folder, buckets
        self.memory: list[pd.DataFrame] = []
        self.writers: dict[int, pq.ParquetWriter] = {}

    def add(self, frame: pd.DataFrame) -> None:
        if self.buckets == 1:
            self.memory.append(frame)
            return
        machines = frame["machine"].unique()
        bucket = {machine: zlib.crc32(machine.encode()) % self.buckets for machine in machines}
        for number, rows in frame.groupby(frame["machine"].map(bucket)):
            table = pa.Table.from_pandas(rows, preserve_index=False)
            if number not in self.writers:
                self.writers[number] = pq.ParquetWriter(self.folder / f"{number}.parquet", table.schema)
            self.writers[number].write_table(table)

    def frames(self) -> Iterator[pd.DataFrame]:
        if self.buckets == 1:
            yield pd.concat(self.memory, ignore_index=True)
        for number in sorted(self.writers):
            self.writers[number].close()
            yield pq.read_table(self.folder / f"{number}.parquet").to_pandas()
