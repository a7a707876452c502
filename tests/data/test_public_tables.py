"""The public tables, where they are at hand: their dataset files fit them, the counts are as published."""

import os
from pathlib import Path

import pandas as pd
import pytest

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.data.prepare import Summary, prepare
from forestall.data.repairs import Repairs
from forestall.data.settings import read_yaml, validate

ROOT = Path(__file__).parents[2]
TABLES = Path(os.environ.get("FORESTALL_DATASETS", ROOT.parent / "shared" / "datasets"))
Prepared = tuple[Events, Repairs, Summary, pd.DataFrame]


def prepared(name: str, scratch: Path) -> Prepared:
    if not (TABLES / name).is_dir():
        pytest.skip(f"no public tables: set FORESTALL_DATASETS to the folder that holds {name}/")
    file = ROOT / "data" / "raw" / f"{name}.yaml"
    dataset = validate(Dataset, read_yaml(file), file)
    frames: list[pd.DataFrame] = []
    events, repairs, summary = prepare(TABLES / name, dataset, 0, frames.append, lambda _: None, scratch)
    return events, repairs, summary, pd.concat(frames, ignore_index=True)


def stamp(ticks: int) -> str:
    return str(pd.Timestamp(ticks, unit="s"))


@pytest.mark.parametrize("name", ["azure-pdm-hourly", "azure-pdm-daily"])
def test_the_events_of_both(name: str, tmp_path: Path) -> None:
    events, repairs, _, _ = prepared(name, tmp_path / "scratch")
    sizes = {key: len(frame) for key, frame in vars(events).items()}
    assert sizes == {"errors": 3919, "maintenance": 3286, "failures": 761, "machines": 100, "downtime": 0}
    components = events.failures["component"].value_counts().to_dict()
    assert components == {"comp2": 259, "comp1": 192, "comp4": 179, "comp3": 131}
    assert int(events.failures.groupby(["machine", "time"]).size().gt(1).sum()) == 42
    assert repairs.frame().empty


def test_the_hourly_telemetry(tmp_path: Path) -> None:
    events, _, summary, telemetry = prepared("azure-pdm-hourly", tmp_path / "scratch")
    assert (summary.rows_in, summary.rows_out, len(summary.spans)) == (43_200, 43_200, 20)
    start, end = summary.spans["min"].min(), summary.spans["max"].max()
    assert (stamp(start), stamp(end)) == ("2015-01-01 06:00:00", "2015-04-01 05:00:00")
    assert not telemetry[["volt", "rotate", "pressure", "vibration"]].isna().any().any()
    failures = events.failures[events.failures["machine"].isin(telemetry["machine"].unique())]
    assert int(failures["time"].between(start, end).sum()) == 42


def test_a_daily_mean_is_known_when_its_day_ends(tmp_path: Path) -> None:
    _, _, summary, telemetry = prepared("azure-pdm-daily", tmp_path / "scratch")
    assert (summary.rows_in, summary.rows_out, len(summary.spans)) == (36_500, 36_500, 100)
    first = telemetry[telemetry["machine"] == "1"].iloc[0]
    assert (stamp(int(first["time"])), first["volt"]) == ("2015-01-02 06:00:00", 170.6148619)
