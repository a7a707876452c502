"""A dataset file guessed from five CSV files is one that runs."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forestall.data import sniff
from forestall.data.dataset import Dataset
from forestall.data.prepare import prepare
from forestall.data.propose import propose
from forestall.data.settings import read_yaml, validate
from forestall.errors import InputError
from tests import engines, plant

HEAD = {"Machine_ID": "machine", "Timestamp": "time"}


def five_files(folder: Path, **how: Any) -> Path:
    """A plant as a historian and a maintenance system export it."""
    folder.mkdir()
    names = {new: old for old, new in {v: k for k, v in HEAD.items()}.items()}
    tables = vars(plant.events()) | {"telemetry": plant.telemetry().drop(columns="running")}
    tables["telemetry"]["spin"] = tables["telemetry"]["spin"].round(3)
    files = {
        "telemetry": "sensor_data",
        "errors": "alarms",
        "maintenance": "work_orders",
        "failures": "breakdowns",
    }
    for name, file in (files | {"machines": "machine_master"}).items():
        frame = tables[name].copy()
        if "time" in frame:
            frame["time"] = pd.to_datetime(frame["time"], unit="s").dt.strftime(
                how.get("stamp", "%Y-%m-%d %H:%M:%S")
            )
        frame = frame.rename(columns={old: new for new, old in names.items()})
        frame.to_csv(
            folder / f"{file}.csv", index=False, sep=how.get("sep", ","), decimal=how.get("decimal", ".")
        )
    return folder


def proposed(folder: Path) -> Dataset:
    file = folder.parent / "proposed.yaml"
    file.write_text(propose(folder), encoding="utf-8")
    return validate(Dataset, read_yaml(file), file)


def rows(folder: Path, dataset: Dataset) -> int:
    frames: list[pd.DataFrame] = []
    prepare(folder, dataset, 0, frames.append, lambda _: None, folder.with_name("scratch"))
    return sum(map(len, frames))


@pytest.mark.parametrize(
    "how",
    [{}, {"sep": ";", "decimal": ","}, {"sep": "\t"}, {"stamp": "%d.%m.%Y %H:%M"}],
    ids=["plain", "semicolons", "tabs", "days first"],
)
def test_five_csv_files(tmp_path: Path, how: dict[str, str]) -> None:
    folder = five_files(tmp_path / "plant", **how)
    dataset = proposed(folder)
    tables = dataset.tables
    assert tables.telemetry.files == "sensor_data.csv"
    assert (tables.telemetry.machine, tables.telemetry.time) == ("Machine_ID", "Timestamp")
    assert list(tables.telemetry.sensors) == ["volt", "spin"]
    assert tables.telemetry.interval == "1h"
    assert tables.errors is not None and (tables.errors.files, tables.errors.code) == ("alarms.csv", "code")
    assert tables.maintenance is not None and tables.maintenance.files == "work_orders.csv"
    assert tables.failures.model_dump()["component"] == "component"
    assert tables.machines is not None
    assert tables.machines.attributes == {"model": "category", "age": "number"}
    assert sorted(dataset.components) == ["pump", "seal"]
    assert rows(folder, dataset) == 3 * 40 * 24


def test_it_is_in_block_style_and_says_what_to_check(tmp_path: Path) -> None:
    text = propose(five_files(tmp_path / "plant"))
    assert text.count("CHECK") >= 8
    assert "# Seen: " in text
    assert "[" not in text and "{" not in text


def test_daily_exports_are_one_table(tmp_path: Path) -> None:
    folder = five_files(tmp_path / "plant")
    frame = pd.read_csv(folder / "sensor_data.csv")
    (folder / "sensor_data.csv").unlink()
    (folder / "days").mkdir()
    for day, part in frame.groupby(frame["Timestamp"].str[:10]):
        part.to_csv(folder / "days" / f"readings_{day}.csv", index=False)
    dataset = proposed(folder)
    assert dataset.tables.telemetry.files == "days/readings_*.csv"
    assert rows(folder, dataset) == 3 * 40 * 24


def test_folds_are_shares_of_the_whole_span_of_daily_exports(tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    frame = plant.telemetry(days=50).drop(columns="running")
    frame["time"] = pd.to_datetime(frame["time"], unit="s")
    frame["volt"] = frame["time"].dt.day_of_year
    for day, part in frame.groupby(frame["time"].dt.date):
        part.to_csv(tmp_path / "days" / f"readings_{day}.csv", index=False)
    assert proposed(tmp_path).split.test == "9d"
    assert "# Seen: 1 to 51." in propose(tmp_path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_folds_are_shares_of_the_whole_span_of_one_file(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sniff, "SAMPLE_ROWS", 100)
    monkeypatch.setattr(sniff, "TAIL_BYTES", 5000)
    frame = plant.telemetry(days=50).drop(columns="running").sort_values("time", kind="stable")
    frame["time"] = pd.to_datetime(frame["time"], unit="s")
    if kind == "csv":
        frame.to_csv(tmp_path / "readings.csv", index=False)
    else:
        frame.to_parquet(tmp_path / "readings.parquet")
    assert proposed(tmp_path).split.test == "9d"


def test_one_reading_in_each_daily_export(tmp_path: Path) -> None:
    frame = plant.telemetry(days=30).drop(columns="running").iloc[5::24]
    frame["time"] = pd.to_datetime(frame["time"], unit="s")
    for day, part in frame.groupby(frame["time"].dt.date):
        part.to_csv(tmp_path / f"readings_{day}.csv", index=False)
    assert proposed(tmp_path).tables.telemetry.interval == "24h"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_german_names_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    folder = five_files(tmp_path / "plant", sep=";", decimal=",", stamp="%d.%m.%Y %H:%M")
    german = {
        "sensor_data": "messwerte",
        "alarms": "störmeldungen",
        "work_orders": "aufträge",
        "breakdowns": "ausfälle",
        "machine_master": "anlagen",
    }
    heads = {"Machine_ID": "Anlage", "Timestamp": "Zeit", "component": "Bauteil", "code": "Meldung"}
    for name, new in german.items():
        frame = pd.read_csv(folder / f"{name}.csv", sep=";", dtype=str).rename(columns=heads)
        frame = frame.assign(remark="geprüft") if name != "messwerte" else frame
        frame.to_csv(folder / f"{new}.csv", sep=";", index=False, encoding=encoding)
        (folder / f"{name}.csv").unlink()
    dataset = proposed(folder)
    tables = dataset.tables
    assert tables.errors is not None and tables.errors.code == "Meldung"
    assert tables.maintenance is not None and tables.maintenance.component == "Bauteil"
    assert tables.maintenance.encoding == encoding.removesuffix("-sig")
    assert tables.failures.model_dump()["files"] == "ausfälle.csv"
    assert tables.machines is not None and tables.machines.machine == "Anlage"
    assert rows(folder, dataset) == 3 * 40 * 24


def test_a_table_without_a_role_is_named(tmp_path: Path) -> None:
    folder = five_files(tmp_path / "plant")
    (folder / "tariffs.csv").write_text("month,price\n1,2\n")
    assert "not used, as its name and columns say none of these: tariffs.csv" in propose(folder)


def test_long_telemetry(tmp_path: Path) -> None:
    folder = five_files(tmp_path / "plant")
    frame = pd.read_csv(folder / "sensor_data.csv").melt(list(HEAD), var_name="tag", value_name="reading")
    frame.to_csv(folder / "sensor_data.csv", index=False)
    dataset = proposed(folder)
    assert (dataset.tables.telemetry.tag, dataset.tables.telemetry.value) == ("tag", "reading")
    assert sorted(dataset.tables.telemetry.sensors) == ["spin", "volt"]
    assert rows(folder, dataset) == 3 * 40 * 24


def test_a_failure_flag_in_the_telemetry(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    frame = plant.telemetry().assign(failure=0).drop(columns="running")
    frame.loc[5, "failure"] = 1
    frame["time"] = pd.to_datetime(frame["time"], unit="s")
    frame.to_parquet(folder / "all.parquet")
    dataset = proposed(folder)
    assert dataset.tables.failures.model_dump()["where"] == {"failure": 1}
    assert list(dataset.tables.telemetry.sensors) == ["volt", "spin"]
    assert rows(folder, dataset) == 3 * 40 * 24


def test_run_to_failure_histories_in_cycles(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    frame = plant.telemetry().drop(columns="running")
    frame["time"] = frame.groupby("machine").cumcount() + 1
    frame.rename(columns={"time": "cycle", "machine": "engine"}).to_csv(folder / "train.csv", index=False)
    dataset = proposed(folder)
    assert (dataset.clock.kind, dataset.clock.unit, dataset.split.by) == ("counter", "cycles", "machine")
    assert rows(folder, dataset) == 3 * 40 * 24


def test_windows_and_baselines_of_a_counter_fit_into_a_life_of_a_few_horizons(tmp_path: Path) -> None:
    engines.table().to_csv(tmp_path / "train.csv", index=False)
    dataset = proposed(tmp_path)
    horizon = dataset.ticks(dataset.decisions.horizon)
    assert max(map(dataset.ticks, dataset.windows.sensors)) <= horizon
    assert dataset.ticks(dataset.windows.baseline) <= 3 * horizon
    assert dataset.ticks(dataset.windows.baseline_every) < horizon


def test_daily_readings_keep_their_time_of_day(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    folder.mkdir()
    frame = plant.telemetry(days=10).drop(columns="running").iloc[5::24]
    frame["time"] = pd.to_datetime(frame["time"], unit="s")
    frame.to_csv(folder / "daily.csv", index=False)
    dataset = proposed(folder)
    assert (dataset.tables.telemetry.interval, dataset.decisions.offset) == ("24h", "6h")
    # A fifth of ten days would be no longer than the gap: no decision's horizon would end in the fold.
    assert (dataset.split.test, dataset.split.gap) == ("72h", "48h")


def test_constant_columns_are_left_out(tmp_path: Path) -> None:
    folder = five_files(tmp_path / "plant")
    frame = pd.read_csv(folder / "sensor_data.csv").assign(spare=0)
    frame.to_csv(folder / "sensor_data.csv", index=False)
    assert "spare" not in proposed(folder).tables.telemetry.sensors
    assert "# spare was left out: it never changes." in propose(folder)


def test_the_later_time_of_a_stop_is_its_end(tmp_path: Path) -> None:
    folder = five_files(tmp_path / "plant")
    stops = "Machine_ID,began,over\nm0,2024-01-03 01:00:00,2024-01-03 05:00:00\n"
    (folder / "downtime.csv").write_text(stops)
    downtime = proposed(folder).tables.downtime
    assert downtime is not None
    assert (downtime.start, downtime.end) == ("began", "over")


def test_a_parquet_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"t\.parquet: not readable as a table"):
        propose(tmp_path)


@pytest.mark.parametrize("text", [None, "name,place\na,b\n"])
def test_a_folder_without_telemetry(tmp_path: Path, text: str | None) -> None:
    if text:
        (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match="no "):
        propose(tmp_path)


def test_an_empty_or_truncated_parquet_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"machine": ["a"], "time": [pd.Timestamp("2024-01-01")], "volt": [1.0]})
    frame.to_parquet(tmp_path / "telemetry.parquet")
    content = (tmp_path / "telemetry.parquet").read_bytes()
    frame.head(0).to_parquet(tmp_path / "telemetry.parquet")
    with pytest.raises(InputError, match="no row"):
        propose(tmp_path)
    (tmp_path / "telemetry.parquet").write_bytes(content[:-9])
    with pytest.raises(InputError, match="Export it again"):
        propose(tmp_path)
