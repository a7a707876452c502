"""The simulated fleet: the same bytes from the same seed, every kind of dirt, parts that wear."""

import dataclasses
import hashlib
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from forestall.data.simulator.catalogue import COMPONENTS, LOAD_RANGE, MODELS, SENSORS, TELEMETRY_NAMES
from forestall.data.simulator.fleet import FleetChunk, simulate_fleet
from forestall.data.simulator.precursors import Signature
from forestall.data.simulator.settings import SimulateParams
from forestall.data.simulator.traits import draw_machine
from forestall.data.simulator.truth import DETECTABLE, EVERY, HORIZON, MIN_LEAD, detectable_from
from forestall.data.simulator.wear import simulate_wear, weibull_life
from forestall.data.simulator.write import write_fleet

SMALL = SimulateParams(seed=7, machines=12, days=90)
DATASET = Path(__file__).parents[2] / "data" / "raw" / "simulated.yaml"
RANGES = {sensor.name: sensor.range for sensor in SENSORS} | {"load": LOAD_RANGE}


@pytest.fixture(scope="module")
def fleet() -> FleetChunk:
    return next(simulate_fleet(SMALL))


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _joined(chunks: list[FleetChunk], table: str) -> pd.DataFrame:
    frames: list[pd.DataFrame] = [getattr(chunk, table) for chunk in chunks]
    return pd.concat([frame.astype({"machine": str}) for frame in frames], ignore_index=True)


def test_same_seed_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_fleet(
            SMALL.model_copy(update={"seed": seed}), tmp_path / name, tmp_path / f"truth-{name}" / "t.csv"
        )
    first, second, other = (_hashes(tmp_path / name) for name in "abc")
    assert first == second
    assert list(first) == list(other)
    assert all(first[file] != other[file] for file in first)
    assert _hashes(tmp_path / "truth-a") == _hashes(tmp_path / "truth-b")


def test_files_are_one_a_month_and_small_tables(tmp_path: Path) -> None:
    write_fleet(SMALL, tmp_path / "fleet", tmp_path / "truth.csv")
    small = ["downtime.csv", "errors.csv", "failures.csv", "machines.csv", "maintenance.csv"]
    months = [f"telemetry/2024-{month:02d}.csv" for month in (1, 2, 3)]
    assert list(_hashes(tmp_path / "fleet")) == [*small, *months]
    written = pd.read_csv(tmp_path / "fleet" / months[1], parse_dates=["time"])
    assert list(written.columns) == ["machine", "time", *TELEMETRY_NAMES]
    assert (written["time"].dt.month == 2).all()
    assert all(pd.api.types.is_float_dtype(written[name]) for name in TELEMETRY_NAMES)


def test_a_shorter_fleet_leaves_no_month_of_a_longer_one(tmp_path: Path) -> None:
    folder, truth = tmp_path / "fleet", tmp_path / "truth.csv"
    write_fleet(SMALL.model_copy(update={"machines": 1}), folder, truth)
    write_fleet(SMALL.model_copy(update={"machines": 1, "days": 30}), folder, truth)
    assert [file.name for file in (folder / "telemetry").iterdir()] == ["2024-01.csv"]


def test_truth_inside_the_fleet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must not find the truth"):
        write_fleet(SMALL, tmp_path, tmp_path / "deep" / "truth.csv")


@pytest.mark.parametrize("table", [field.name for field in dataclasses.fields(FleetChunk)])
def test_content_does_not_depend_on_chunks_or_fleet_size(fleet: FleetChunk, table: str) -> None:
    pieces = _joined(list(simulate_fleet(SMALL, chunk=5)), table)
    pd.testing.assert_frame_equal(pieces, _joined([fleet], table))
    fewer = _joined(list(simulate_fleet(SMALL.model_copy(update={"machines": 3}))), table)
    of_three = pieces[pieces["machine"] <= "M00003"].reset_index(drop=True)
    pd.testing.assert_frame_equal(fewer, of_three, check_dtype=False)


def test_settings_refuse_typing_errors() -> None:
    with pytest.raises(ValidationError):
        SimulateParams.model_validate({"machine": 3})
    with pytest.raises(ValidationError):
        SimulateParams.model_validate({"machines": "3"})


def test_dirt_of_every_kind_is_there(fleet: FleetChunk) -> None:
    telemetry = fleet.telemetry
    assert telemetry.duplicated().any(), "duplicate rows"
    steps = telemetry.groupby("machine", observed=True)["time"].diff()
    assert (steps < pd.Timedelta(0)).any(), "disorder"
    assert (steps > pd.Timedelta("1h")).any(), "gaps"
    outside = [
        ((telemetry[name] < low) | (telemetry[name] > high)).any() for name, (low, high) in RANGES.items()
    ]
    assert all(outside), "impossible values"
    assert telemetry[list(TELEMETRY_NAMES)].isna().any().all(), "missing values"
    ordered = telemetry.drop_duplicates().sort_values(["machine", "time"])
    runs = [_longest_run(ordered[name].isna().to_numpy()) for name in TELEMETRY_NAMES]
    assert max(runs) > 14 * 24 * 0.9, "a sensor missing for weeks"
    stuck = [
        _longest_run((ordered[name].diff() == 0).to_numpy() & (ordered["speed"] > 0))
        for name in TELEMETRY_NAMES
    ]
    assert max(stuck) >= 5, "stuck sensors"


def _longest_run(flags: object) -> int:
    edges = np.flatnonzero(np.diff(np.r_[0, np.asarray(flags, dtype=int), 0]))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def test_dirt_can_be_repaired(fleet: FleetChunk) -> None:
    telemetry = fleet.telemetry.drop_duplicates()
    assert not telemetry.duplicated(["machine", "time"]).any()
    assert set(telemetry["machine"]) == set(fleet.machines["machine"])
    inside = np.ones(len(telemetry), dtype=bool)
    for name, (low, high) in RANGES.items():
        inside &= telemetry[name].between(low, high).to_numpy() | telemetry[name].isna().to_numpy()
    assert 0.99 < inside.mean() < 1


def test_a_machine_that_stands_still_writes_zeros_or_nothing(fleet: FleetChunk) -> None:
    telemetry = fleet.telemetry.astype({"machine": str}).merge(fleet.downtime, on="machine")
    within = telemetry[(telemetry["time"] > telemetry["start"]) & (telemetry["time"] <= telemetry["end"])]
    models = fleet.machines.set_index("machine")["model"]
    writing = [model.name for model in MODELS if model.zeros_when_down]
    assert len(within)
    assert within["machine"].map(models).isin(writing).all()
    assert (within["speed"].dropna() == 0).mean() > 0.99


def test_components_that_a_machine_lacks_never_appear(fleet: FleetChunk) -> None:
    lacks = {model.name: model.lacks for model in MODELS}
    models = fleet.machines.set_index("machine")["model"]
    for table in (fleet.failures, fleet.maintenance, fleet.truth):
        assert not any(
            c in lacks[models[m]] for m, c in zip(table["machine"], table["component"], strict=True)
        )
    assert any(lacks[model] for model in models), "a machine that lacks a part is in the sample"


def test_truth_is_consistent() -> None:
    chunks = list(simulate_fleet(SimulateParams(seed=3, machines=40, days=120)))
    truth, failures = _joined(chunks, "truth"), _joined(chunks, "failures")
    pd.testing.assert_frame_equal(truth[["machine", "time", "component"]], failures, check_dtype=False)
    assert truth["foreseeable"].isin([0, 1]).all()
    assert 0 < truth["foreseeable"].mean() < 1
    assert (truth["from"].notna() == (truth["foreseeable"] == 1)).all()
    assert (truth["onset"].isna() == (truth["mode"] == "sudden")).all()
    seen = truth[truth["foreseeable"] == 1]
    assert (seen["onset"] < seen["from"]).all()
    assert (seen["from"] <= seen["time"] - pd.Timedelta(hours=MIN_LEAD)).all()
    assert (truth["time"] - truth["onset"]).max() <= pd.Timedelta("30D")


def test_failures_come_at_any_hour_and_lead_to_a_repair() -> None:
    chunks = list(simulate_fleet(SimulateParams(seed=3, machines=80, days=180)))
    failures, downtime = _joined(chunks, "failures"), _joined(chunks, "downtime")
    assert failures["time"].dt.hour.nunique() == 24
    stops = failures.merge(downtime, left_on=["machine", "time"], right_on=["machine", "start"], how="left")
    assert stops["end"].notna().all()
    inside = stops[stops["end"] < pd.Timestamp("2024-01-01") + pd.Timedelta("180D")]
    repaired = inside.merge(
        _joined(chunks, "maintenance"),
        left_on=["machine", "end", "component"],
        right_on=["machine", "time", "component"],
    )
    assert len(repaired) == len(inside)


def test_a_replaced_part_starts_anew() -> None:
    hours = 400 * 24
    for number in range(20):
        machine = draw_machine(11, number)
        history = simulate_wear(machine, hours, np.random.default_rng(number))
        for component in COMPONENTS:
            lives = [life for life in history.lives if life.component.name == component.name]
            for old, new in itertools.pairwise(lives):
                assert old.ended <= new.installed <= old.ended + 72 + 1e-9
                assert new.onset >= new.installed
                assert new.fails > new.installed
            assert all(life.ended == life.fails for life in lives if life.failed)


def test_sensors_return_to_normal_after_a_repair() -> None:
    chunks = list(simulate_fleet(SimulateParams(seed=3, machines=40, days=120)))
    truth = _joined(chunks, "truth")
    telemetry = _joined(chunks, "telemetry")
    worn, repaired = [], []
    for row in truth[(truth["mode"] == "overheating") & (truth["foreseeable"] == 1)].itertuples():
        own = telemetry[(telemetry["machine"] == row.machine) & telemetry["temperature"].between(30, 150)]
        age = (own["time"] - pd.Timestamp(str(row.time))) / pd.Timedelta("1D")
        usual = own["temperature"].median()
        worn.append(own["temperature"][age.between(-1, 0)].mean() - usual)
        repaired.append(own["temperature"][age.between(4, 11)].mean() - usual)
    assert np.nanmean(worn) > 3
    assert abs(float(np.nanmean(repaired))) < 1


def test_weibull_life_has_the_mean_of_the_distribution() -> None:
    draws = np.random.default_rng(0).exponential(size=20_000)
    lives = [weibull_life(0.0, 2.0, 100.0, float(draw)) for draw in draws]
    assert np.mean(lives) == pytest.approx(100 * np.sqrt(np.pi) / 2, rel=0.02)
    assert all(weibull_life(50.0, 2.0, 100.0, float(draw)) > 50 for draw in draws[:100])


def test_what_shows_only_before_the_horizon_or_after_the_last_decision_is_not_foreseeable() -> None:
    hours, codes = 240, 8
    zeros = np.zeros((hours, 5))
    sign = Signature(first=100, shift=zeros, spread=zeros, slope=zeros[:, 0], codes=np.zeros((hours, codes)))
    failure, enough = 340.5, DETECTABLE**2 / 2
    early, late, useful = np.zeros(hours), np.zeros(hours), np.zeros(hours)
    early[:60], late[-2:], useful[150:] = 2 * enough, enough, enough
    assert detectable_from(sign, early, failure) is None
    assert detectable_from(sign, late, failure) is None
    assert detectable_from(sign, useful, failure) == 250


def test_dataset_file_says_what_the_simulator_does() -> None:
    content = YAML(typ="safe", pure=True).load(DATASET.read_text(encoding="utf-8"))
    sensors = content["tables"]["telemetry"]["sensors"]
    assert {name: tuple(sensor["range"]) for name, sensor in sensors.items()} == RANGES
    assert [sensors[sensor.name]["unit"] for sensor in SENSORS] == [sensor.unit for sensor in SENSORS]
    assert list(content["components"]) == [component.name for component in COMPONENTS]
    for name, component in content["components"].items():
        without = [model.name for model in MODELS if name in model.lacks]
        assert component.get("absent_on", {}).get("model", []) == without
    decisions = content["decisions"]
    assert (decisions["every"], decisions["horizons"][-1]) == (f"{EVERY}h", f"{HORIZON}h")
    assert decisions["min_lead"] == f"{MIN_LEAD}h"
