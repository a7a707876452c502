"""The parts of bench/year.py: what changes in the plant and what does not, what is sent, found, compared and drawn."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from _year_alerts import alerts_in
from _year_figures import draw, month_rows, pooled, same_failures, saving
from _year_plant import FIRMWARE, FOR_NOTHING, Delivery, Plan, deliveries, own_tables, write_plant
from _year_service import Truth

from tests.monitoring.in_service import PLANT, told

PLAN = Plan(machines=8, seed=3, history="2024-03", drift="2024-04", last="2024-05")
RANGES = {"vibration": [0, 50], "pressure": [0, 40]}
SMALL = ("maintenance", "failures", "machines", "downtime")


def written(folder: Path, kind: str) -> Path:
    plan = Plan(**vars(PLAN) | {"kind": kind})
    write_plant(plan, folder / kind, folder)
    return folder / kind


@pytest.fixture(scope="module")
def plants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("plants")
    return {kind: written(folder, kind) for kind in ("none", "drives", FIRMWARE)}


def test_other_pumps_show_otherwise_from_the_month_on_and_all_else_is_as_it_was(
    plants: dict[str, Path],
) -> None:
    usual, other = plants["none"], plants["drives"]
    for name in (*SMALL, "errors"):
        assert (usual / f"{name}.csv").read_bytes() == (other / f"{name}.csv").read_bytes()
    assert not list(other.rglob("truth*")) and not (other.parent / "other").exists()
    for file in sorted((usual / "telemetry").glob("*.csv")):
        same = file.read_bytes() == (other / "telemetry" / file.name).read_bytes()
        assert same == (file.stem < PLAN.drift), file.name
    months = [
        pd.concat([pd.read_csv(folder / "telemetry" / f"2024-0{month}.csv") for month in (4, 5)])
        for folder in (usual, other)
    ]
    first, second = (one[["machine", "time", "temperature", "load"]] for one in months)
    pd.testing.assert_frame_equal(first, second)
    # Few machines are about to fail: the noise of all the others is the same.
    moved = [(months[0][name] != months[1][name]) & months[0][name].notna() for name in ("speed", "current")]
    assert 0 < np.mean(moved[0] | moved[1]) < 0.5


def test_new_firmware_logs_two_codes_for_nothing_and_nothing_before(plants: dict[str, Path]) -> None:
    usual, other = (pd.read_csv(plants[kind] / "errors.csv") for kind in ("none", FIRMWARE))
    more = other.merge(usual, how="left", indicator=True).query("_merge == 'left_only'")
    assert len(other) - len(usual) == len(more) > 100
    assert set(more["code"]) == set(FOR_NOTHING) and more["time"].min() >= PLAN.drift
    assert set(more["machine"]) == set(usual["machine"])
    for name in SMALL:
        assert (plants["none"] / f"{name}.csv").read_bytes() == (
            plants[FIRMWARE] / f"{name}.csv"
        ).read_bytes()


def test_the_own_tables_end_with_the_last_month_before_service(
    plants: dict[str, Path], tmp_path: Path
) -> None:
    own_tables(plants["none"], tmp_path, PLAN.history)
    assert [file.stem for file in sorted((tmp_path / "telemetry").glob("*"))] == ["2024-01", "2024-02"]
    for name in ("errors", "maintenance", "failures"):
        whole, own = (pd.read_csv(folder / f"{name}.csv") for folder in (plants["none"], tmp_path))
        assert own["time"].max() < PLAN.history and len(own) == (whole["time"] < PLAN.history).sum() > 0


def sent(plants: dict[str, Path]) -> list[Delivery]:
    return [one for month in PLAN.months for one in deliveries(plants["none"], month, RANGES)]


def test_every_reading_and_event_in_service_is_sent_once_and_what_cannot_be_is_missing(
    plants: dict[str, Path],
) -> None:
    every = sent(plants)
    assert [one.until for one in every][3::4] == [pd.Timestamp("2024-04-01"), pd.Timestamp("2024-05-01"),
                                                  pd.Timestamp("2024-06-01")]  # fmt: skip
    readings = pd.concat([pd.read_csv(BytesIO(one.readings)) for one in every])
    assert not readings.duplicated(["machine", "time"]).any()
    raw = pd.concat([pd.read_csv(file) for file in (plants["none"] / "telemetry").glob("2024-0[3-6].csv")])
    times = pd.to_datetime(raw["time"])
    service = (times > pd.Timestamp(PLAN.history)) & (times <= pd.Timestamp("2024-06-01"))
    assert len(readings) == len(raw[service].drop_duplicates(["machine", "time"]))
    assert raw.loc[service, "pressure"].max() > 40 >= readings["pressure"].max()
    failures = pd.read_csv(plants["none"] / "failures.csv")
    due = failures[(failures["time"] > PLAN.history) & (failures["time"] <= "2024-06-01")]
    told_of = [row for one in every for row in one.events if row["kind"] == "failures"]
    assert len(told_of) == len(due) > 0


def test_a_stop_over_two_deliveries_is_sent_as_it_is_known(plants: dict[str, Path]) -> None:
    stops = pd.read_csv(plants["none"] / "downtime.csv", parse_dates=["start", "end"])
    every = sent(plants)
    cut = every[3].until
    across = stops.iloc[0].to_dict() | {
        "start": cut - pd.Timedelta(hours=5),
        "end": cut + pd.Timedelta(hours=2),
    }
    folder = plants["none"].parent / "across"
    folder.mkdir()
    for file in plants["none"].iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "downtime.csv").unlink()
    pd.DataFrame([across]).to_csv(folder / "downtime.csv", index=False)
    rows = [
        [row for row in one.events if row["kind"] == "downtime"]
        for month in PLAN.months[:2]
        for one in deliveries(folder, month, RANGES)
    ]
    (began,), (ended,) = rows[3], rows[4]
    assert "end" not in began and ended == began | {"end": "2024-04-01T02:00:00Z"}
    assert not any(rows[:3] + rows[5:])


@pytest.mark.parametrize(
    ("opened", "finding", "found"),
    [
        ("2024-03-01T00:00:00Z", "confirmed", "2024-03-05T06:00:00Z"),
        ("2024-03-05T06:00:00Z", "replaced unseen", "2024-03-06T00:00:00Z"),
        ("2024-02-26T00:00:00Z", "no fault found", None),
    ],
)
def test_people_find_what_happened_within_the_horizon(opened: str, finding: str, found: str | None) -> None:
    truth = Truth(*(
        pd.DataFrame({"machine": "m", "component": "seal", "time": [pd.Timestamp(time)]})
        for time in ("2024-03-05T06:00:00", "2024-03-06T00:00:00")
    ))  # fmt: skip
    told = truth.finding({"machine": "m", "component": "seal", "opened": opened})
    assert (told["finding"], told.get("found")) == (finding, found)
    other = truth.finding({"machine": "m", "component": "motor", "opened": opened})
    assert other == {"finding": "no fault found"}


FAILURES = [("m0", 10.0, "seal"), ("m0", 20.0, "seal"), ("m1", 15.0, "seal")]
ARMS = {
    "retrained": told([("m0", "seal", 9.5), ("m0", "seal", 19.5)], FAILURES),
    "frozen": told([("m0", "seal", 9.5), ("m1", "seal", 30.0)], FAILURES),
}


def test_both_arms_are_compared_on_the_same_failures() -> None:
    months = list(ARMS["frozen"].months)
    assert same_failures(ARMS, months) == {
        "failures": 3, "both": 1, "only retrained": 1, "only frozen": 0, "p": 1.0,
    }  # fmt: skip
    assert same_failures(ARMS, [])["failures"] == 0


def test_what_is_saved_is_the_difference_of_the_figures() -> None:
    months, machines = list(ARMS["frozen"].months), ["m0", "m1"]
    less, low, high = saving(ARMS, months, machines, PLANT.dataset.costs)
    cost = {arm: one.fleet["cost_per_machine_month"] for arm, one in ARMS.items()}
    assert less == pytest.approx(cost["frozen"] - cost["retrained"]) and less > 0
    assert low <= less <= high


def test_plants_are_added_up_and_drawn(tmp_path: Path) -> None:
    rows = pd.concat([month_rows(ARMS)] * 2)
    added = pooled(rows, ("arm",)).set_index("arm")
    for arm, one in ARMS.items():
        assert added.loc[arm, "failures"] == 2 * one.fleet["failures"]
        assert added.loc[arm, "event_recall"] == pytest.approx(one.fleet["event_recall"])
        assert added.loc[arm, "cost_per_machine_month"] == pytest.approx(one.fleet["cost_per_machine_month"])
    months = sorted(set(rows["month"]))
    plants = pd.concat([month_rows(ARMS).assign(seed=seed, promoted=seed == 1) for seed in (1, 2)])
    draw(plants, months[-1], tmp_path / "year.png")
    assert (tmp_path / "year.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_real_prometheus_says_when_an_alert_was_on_in_which_arm(tmp_path: Path) -> None:
    weeks = [pd.Timestamp("2024-05-01"), pd.Timestamp("2024-05-08")]
    said = 'forestall_calibration_refuted{{component="seal"}} {}\nforestall_drifted{{name="",of="opinions"}} 0.0\n'
    scraped = {
        "frozen": {when: said.format(on) for when, on in zip(weeks, ("0.0", "1.0"), strict=True)},
        "retrained": {when: said.format("0.0") for when in weeks},
    }
    found = alerts_in(scraped, tmp_path)
    assert found.to_numpy().tolist() == [["frozen", weeks[1], "ForestallCalibrationRefuted", "seal"]]
