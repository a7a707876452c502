"""What the store has learnt, as files of the plant's own tables: read with them, they are the whole history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.data.prepare import prepare
from forestall.data.read_events import GOES_ON
from forestall.errors import ForestallError
from forestall.retraining.raw_rows import (
    downtime_cells,
    event_cells,
    is_zoned,
    machine_cells,
    telemetry_cells,
    write_rows,
)
from forestall.retraining.snapshot import Source, snapshot
from forestall.serving.bundle import Bundle
from forestall.serving.store.database import Store
from forestall.serving.store.machines import add_machines
from tests import plant
from tests.serving.feeding import between, send, send_events

FRAME = plant.with_signal(plant.telemetry(6, 70), plant.events(6, 70))
STOPS = pd.DataFrame({"machine": ["m1", "m2"], "start": [14, 66], "end": [30, 0]}).astype({"machine": object})
EVENTS = replace(
    plant.events(6, 70),
    downtime=STOPS.assign(
        start=plant.START + STOPS["start"] * plant.DAY,
        end=(plant.START + STOPS["end"] * plant.DAY).where(STOPS["end"] > 0, GOES_ON),
    ),
)
OWN_END = plant.START + 20 * plant.DAY
MARCH = plant.START + 60 * plant.DAY
DOWNTIME = {"files": "downtime.csv", "machine": "machine", "start": "start", "end": "end"}
FORMATS: dict[str, dict[str, Any]] = {
    "plain": {},
    "german": {"separator": ";", "decimal": ",", "time_format": "%d.%m.%Y %H:%M:%S", "encoding": "cp1252"},
    "with a zone": {"time_format": "%Y-%m-%dT%H:%M:%S%z"},
    "long": {"tag": "sensor", "value": "reading"},
    "marked": {"where": {"kind": "reading"}, "running": {"column": "state", "values": ["RUN"]}},
    "without a header": {"header": False, "columns": ["machine", "nothing", "time", "volt", "spin"]},
}
TELEMETRY_ONLY = ("tag", "value", "running", "where", "header", "columns", "decimal")


def dataset_of(changes: dict[str, Any]) -> Dataset:
    """The small plant's, its tables written otherwise."""
    tables = plant.dataset().tables.model_dump(mode="json", exclude_none=True)
    events = {name: value for name, value in changes.items() if name not in TELEMETRY_ONLY}
    shared = {name: value for name, value in events.items() if name != "time_format"}
    tables["telemetry"] |= changes
    for name in ("errors", "maintenance", "failures"):
        tables[name] |= events
    tables["machines"] |= shared
    tables["downtime"] = DOWNTIME | events
    return plant.dataset(tables=tables)


def write_own(folder: Path, dataset: Dataset, frame: pd.DataFrame, events: Events, zoned: bool) -> None:
    """The plant's own export."""
    tables = dataset.tables
    write_rows(folder / "telemetry.csv", tables.telemetry, telemetry_cells(tables.telemetry, frame, zoned))
    for name, label in (("errors", "code"), ("maintenance", "component"), ("failures", "component")):
        table = getattr(tables, name)
        write_rows(folder / str(table.files), table, event_cells(table, getattr(events, name), label, zoned))
    assert tables.downtime is not None and tables.machines is not None
    write_rows(
        folder / "downtime.csv",
        tables.downtime,
        downtime_cells(tables.downtime, events.downtime, GOES_ON, zoned),
    )
    write_rows(folder / "machines.csv", tables.machines, machine_cells(tables.machines, events.machines))


def until(events: Events, time: int) -> Events:
    names = ("errors", "maintenance", "failures")
    early = {name: between(getattr(events, name), 0, time) for name in names}
    stops = between(events.downtime, 0, time, "start")
    stops["end"] = stops["end"].where(stops["end"] <= time, GOES_ON)
    return replace(events, downtime=stops, **early)


def with_live(dataset: Dataset, folder: Path) -> Dataset:
    """The dataset, its tables with their files from the service."""
    tables = dataset.tables.model_dump(mode="json", exclude_none=True)
    for name, table in tables.items():
        if list(folder.glob(f"live/{name}*.csv")):
            table["files"] = [table["files"], f"live/{name}*.csv"]
    return plant.dataset(tables=tables)


def read(folder: Path, dataset: Dataset, scratch: Path) -> tuple[pd.DataFrame, Events]:
    parts: list[pd.DataFrame] = []
    events, _, _ = prepare(folder, dataset, 0, parts.append, lambda _: None, scratch)
    return pd.concat(parts, ignore_index=True), events


@pytest.fixture
def source(store: Store, bundle: Bundle) -> Source:
    """A store that was filled from the last days of the own tables, and went on."""
    send(store, between(FRAME, OWN_END - 5 * plant.DAY, MARCH + plant.DAY), bundle)
    send_events(store, EVENTS, bundle)
    with store.reading() as connection:
        ends = dict.fromkeys(sorted(set(FRAME["machine"])), OWN_END)
        return Source(connection, store, bundle, bundle.plant.dataset, Path(), ends)


def taken(source: Source, dataset: Dataset, folder: Path, until_: int = MARCH) -> list[str]:
    plant_of = replace(source.bundle.plant, dataset=dataset)
    with source.store.reading() as connection:
        bundle = replace(source.bundle, plant=plant_of)
        own = replace(source, connection=connection, bundle=bundle, dataset=dataset, folder=folder)
        return snapshot(own, folder, until_)


@pytest.mark.parametrize("name", FORMATS)
def test_own_tables_and_the_service_s_are_the_whole_history(
    name: str, source: Source, tmp_path: Path
) -> None:
    dataset, zoned = dataset_of(FORMATS[name]), name == "with a zone"
    own, whole = tmp_path / "own", tmp_path / "whole"
    write_own(own, dataset, between(FRAME, 0, OWN_END), until(EVENTS, OWN_END), zoned)
    write_own(whole, dataset, between(FRAME, 0, MARCH - 1), until(EVENTS, MARCH - 1), zoned)
    files = taken(source, dataset, own)
    assert files[-2:] == ["live/telemetry-2024-01.csv", "live/telemetry-2024-02.csv"]
    frame, events = read(own, with_live(dataset, own), tmp_path / "scratch1")
    expected, known = read(whole, dataset, tmp_path / "scratch2")
    pd.testing.assert_frame_equal(frame, expected)
    for kind in ("errors", "maintenance", "failures", "machines", "downtime"):
        one, other = (getattr(found, kind) for found in (events, known))
        order = list(other.columns)
        pd.testing.assert_frame_equal(
            one.sort_values(order, ignore_index=True),
            other.sort_values(order, ignore_index=True),
            check_dtype=False,
        )


def test_another_month_adds_its_files_and_leaves_the_others(source: Source, tmp_path: Path) -> None:
    dataset = dataset_of({})
    write_own(tmp_path, dataset, between(FRAME, 0, OWN_END), until(EVENTS, OWN_END), False)
    first = taken(source, dataset, tmp_path, MARCH - plant.DAY)
    kept = {file: (tmp_path / file).read_bytes() for file in first}
    assert all("2024-02" not in file for file in first)
    second = taken(source, dataset, tmp_path)
    assert set(second) > set(first) and any("2024-02" in file for file in second)
    assert {file: (tmp_path / file).read_bytes() for file in first} == kept


def test_a_machine_that_the_own_tables_lack_is_new(source: Source, tmp_path: Path) -> None:
    dataset = dataset_of({})
    write_own(tmp_path, dataset, between(FRAME, 0, OWN_END), until(EVENTS, OWN_END), False)
    ends = {name: end for name, end in source.ends.items() if name != "m3"}
    assert "live/machines.csv" in taken(replace(source, ends=ends), dataset, tmp_path)
    rows = pd.read_csv(tmp_path / "live/telemetry-2024-01.csv")
    starts = rows.groupby("machine")["time"].min()
    assert starts["m3"] < starts["m1"] == starts["m2"]


def test_a_machine_without_any_reading_hides_nothing_of_the_others(source: Source, tmp_path: Path) -> None:
    dataset = dataset_of({})
    write_own(tmp_path, dataset, between(FRAME, 0, OWN_END), until(EVENTS, OWN_END), False)
    with source.store.writing() as connection:
        add_machines(connection, {"new": {"model": "big", "age": 1.0}})
    assert "live/telemetry-2024-02.csv" in taken(source, dataset, tmp_path)


@pytest.mark.parametrize(
    ("cell", "zoned"), [("2024-01-01 00:00:00", False), ("2024-01-01T00:00:00Z", True), (None, False)]
)
def test_whether_own_times_have_a_zone(cell: str | None, zoned: bool, tmp_path: Path) -> None:
    table = dataset_of({}).tables.telemetry
    rows = [] if cell is None else [("m1", cell, 1.0, 1.0)]
    frame = pd.DataFrame(rows, columns=["machine", "time", "volt", "spin"])
    frame.to_csv(tmp_path / "telemetry.csv", index=False)
    assert is_zoned(tmp_path, table, "time") == zoned


def test_a_plant_that_counts_has_no_months(source: Source, tmp_path: Path) -> None:
    from tests import engines

    with pytest.raises(ForestallError, match="clocks of their own"):
        taken(source, engines.dataset(), tmp_path)
