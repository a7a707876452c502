"""What is foreseeable: the public table's 48 hours, and agreement with the simulator's truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.data.prepare import prepare
from forestall.data.settings import read_yaml, validate
from forestall.data.simulator.settings import SimulateParams
from forestall.data.simulator.write import write_fleet
from forestall.evaluation.foreseeable import Foreseeable, foreseeable, summary
from forestall.features.labels import OPINION, VALIDATION, fold_ends
from forestall.features.origins import events_until, features_at, with_split
from tests.data.test_public_tables import TABLES

ROOT = Path(__file__).parents[2]
HOUR = 3600


def dataset_of(name: str) -> Dataset:
    file = ROOT / "data" / "raw" / f"{name}.yaml"
    return validate(Dataset, read_yaml(file), file)


def studied(
    folder: Path, dataset: Dataset, scratch: Path, end: int | None = None
) -> tuple[Foreseeable, Events]:
    """What the study finds in the tables of a folder, up to the end of the validation fold or to `end`."""
    frames: list[pd.DataFrame] = []
    events, _, _ = prepare(folder, dataset, 2, frames.append, lambda _: None, scratch)
    telemetry = pd.concat(frames, ignore_index=True)
    until = end or fold_ends(int(telemetry["time"].max()), dataset)[VALIDATION]
    groups = ("sensors", "errors", "gaps")
    reference, decisions, features = features_at(lambda: iter(frames), events, dataset, groups, 8, until)
    kept = (decisions["no_opinion"] == OPINION).to_numpy()
    events = events_until(events, until)
    inside = events.failures["machine"].isin(telemetry["machine"].unique())
    events = replace(events, failures=events.failures[inside])
    rows = decisions[kept].reset_index(drop=True)
    return foreseeable(rows, features[kept], reference.features, events, dataset), events


def test_the_public_tables_signal_begins_48_hours_before_failures(tmp_path: Path) -> None:
    if not (TABLES / "azure-pdm-hourly").is_dir():
        pytest.skip("no public tables: set FORESTALL_DATASETS to the folder that holds azure-pdm-hourly/")
    dataset = with_split(dataset_of("azure-pdm-hourly"), "21d", "21d", "72h")
    last = pd.Timestamp("2015-04-01 05:00").value // 10**9
    found, _ = studied(TABLES / "azure-pdm-hourly", dataset, tmp_path, last)
    figures = summary(found, dataset)
    onsets = {name: one["onset_h"] for name, one in figures["components"].items()}
    assert onsets == dict.fromkeys(["comp1", "comp2", "comp3", "comp4"], 48.0)
    assert len(figures["warnings"]) == 4  # a horizon of 72 h asks for more
    errors = found.onsets[found.onsets["source"].isin([f"error error{number}" for number in range(1, 6)])]
    assert errors["onset_h"].max() == 24.0


@pytest.mark.slow
def test_the_simulated_fleet_agrees_with_its_truth(tmp_path: Path) -> None:
    dataset = dataset_of("simulated")
    write_fleet(SimulateParams(), tmp_path / "raw", tmp_path / "truth.csv")
    found, events = studied(tmp_path / "raw", dataset, tmp_path / "scratch")
    truth = pd.read_csv(tmp_path / "truth.csv", parse_dates=["time", "from", "onset"])
    truth = truth[truth["time"] <= pd.Timestamp(int(events.failures["time"].max()), unit="s")]
    ceiling = found.ceiling.groupby("component").first()
    share = truth.groupby("component")["foreseeable"].mean()
    assert ((ceiling["by"] - share).abs() < 0.15).all()
    together = (ceiling["by"] * ceiling["failures"]).sum() / ceiling["failures"].sum()
    assert abs(together - truth["foreseeable"].mean()) < 0.05
    seen = truth[truth["foreseeable"] == 1]
    known = (seen["time"] - seen["from"]).dt.total_seconds() / HOUR
    latest = known.groupby(seen["component"]).median()
    first = (seen["time"] - seen["onset"]).dt.total_seconds().groupby(seen["component"]).max() / HOUR
    onset = found.onsets.groupby("component")["onset_h"].max()
    assert (onset >= latest).all()
    assert (onset <= first + 24).all()
