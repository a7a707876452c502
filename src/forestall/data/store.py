"""The prepared tables as Parquet files: times are timestamps there, ticks in memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from forestall.data.dataset import Clock
from forestall.data.events import Events
from forestall.data.table_writer import TableWriter

TIMES = ("time", "start", "end")
TELEMETRY = "telemetry.parquet"
Frames = Iterator[pd.DataFrame]


class TelemetryWriter(TableWriter):
    """Writes clean telemetry, so that whole machines can be read at a time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder / TELEMETRY)
        self.clock = clock

    def write(self, frame: pd.DataFrame) -> None:
        """Append the rows of some machines."""
        self.append(to_arrow(frame, self.clock))


def read_telemetry(folder: Path, clock: Clock) -> Frames:
    """Clean telemetry, whole machines at a time."""
    with pq.ParquetFile(folder / TELEMETRY) as source:
        for group in range(source.num_row_groups):
            yield from_arrow(source.read_row_group(group), clock)


def last_readings(folder: Path, clock: Clock) -> dict[str, int]:
    """The time of each machine's last reading, in ticks."""
    rows = pq.read_table(folder / TELEMETRY, columns=["machine", "time"], filters=pc.field("measured"))
    last = rows.group_by("machine").aggregate([("time", "max")]).rename_columns(["machine", "time"])
    frame = from_arrow(last, clock)
    return dict(zip(frame["machine"], frame["time"].tolist(), strict=True))


def write_events(folder: Path, events: Events, clock: Clock) -> None:
    """The small tables, one file each."""
    for name, frame in vars(events).items():
        write_frame(folder / f"{name}.parquet", frame, clock)


def read_events(folder: Path, clock: Clock) -> Events:
    """The small tables as `write_events` wrote them."""
    names = Events.__dataclass_fields__
    return Events(**{name: read_frame(folder / f"{name}.parquet", clock) for name in names})


def write_frame(file: Path, frame: pd.DataFrame, clock: Clock) -> None:
    """One frame as Parquet."""
    pq.write_table(to_arrow(frame, clock), file)


def read_frame(file: Path, clock: Clock, columns: list[str] | None = None) -> pd.DataFrame:
    """One frame that `write_frame` wrote."""
    return from_arrow(pq.read_table(file, columns=columns), clock)


def with_stamps(frame: pd.DataFrame, clock: Clock) -> pd.DataFrame:
    """A frame with its times written as people write them."""
    if clock.own:
        return frame
    stamps = {
        name: frame[name].to_numpy().astype("datetime64[s]").astype(str) for name in TIMES if name in frame
    }
    return frame.assign(**stamps)


def to_arrow(frame: pd.DataFrame, clock: Clock) -> pa.Table:
    """A frame with times in ticks as an Arrow table without pandas' own metadata."""
    arrays = {}
    for column in frame.columns:
        values = frame[column].to_numpy()
        if column in TIMES and not clock.own:
            values = values.astype("datetime64[s]")
        arrays[column] = pa.array(values, type=pa.string() if values.dtype == object else None)
    return pa.table(arrays)


def from_arrow(table: pa.Table, clock: Clock) -> pd.DataFrame:
    """The frame that `to_arrow` was given."""
    frame: pd.DataFrame = table.to_pandas()
    for column in frame.columns:
        if column in TIMES and not clock.own:
            frame[column] = frame[column].to_numpy().astype("datetime64[s]").astype(np.int64)
        elif pd.api.types.is_string_dtype(frame[column]):
            frame[column] = frame[column].astype(object)
    return frame
