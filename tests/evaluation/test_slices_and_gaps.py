"""Slices add up to the whole, missing data are counted to the cell, few failures say nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forestall.evaluation.gaps import missing_before
from forestall.evaluation.slices import banded, bands_of, slice_table
from tests import plant
from tests.plant import DAY, HOUR, START

from . import small
from .small import Times

FAILURES: Times = [("m0", 34.05, "pump"), ("m1", 35.05, "seal"), ("m1", 36.05, "pump")]
HIGH: Times = [("m0", 33.5, "pump"), ("m2", 33.0, "seal")]


@pytest.fixture
def table() -> pd.DataFrame:
    whole = small.data(FAILURES, [("m2", 35.0, "pump")], high=HIGH)
    fold = small.judged(whole)["test"]
    gaps = np.where((whole.decisions["machine"] == "m2").to_numpy(), 7 * HOUR, 0.0)
    rows = fold.ledger(fold.alarms({"pump": 0.5, "seal": 0.5}))
    bands = {"age": np.array([1.0, 2.0])}
    return slice_table({fold: {"model": rows}}, bands, gaps, least=1)


def test_every_slice_adds_up_to_the_fleet(table: pd.DataFrame) -> None:
    sums = table.groupby("slice")[["failures", "alarms", "machine_months"]].sum()
    assert set(sums.index) == {"fleet", "component", "model", "age", "month", "missing data"}
    for name in ("failures", "alarms"):
        assert sums[name].nunique() == 1, name
    assert sums.drop("component")["machine_months"].round(9).nunique() == 1
    assert sums.loc["fleet", ["failures", "alarms"]].to_numpy().tolist() == [3, 2]


def test_slices_by_hand(table: pd.DataFrame) -> None:
    names = ["failures", "alarms", "event_recall", "cost_per_machine_month", "machine_months"]
    rows = zip(
        table["slice"] + " " + table["value"], table[names].to_numpy(dtype=float).tolist(), strict=True
    )
    found = dict(rows)
    assert found["component pump"][:3] == [2, 1, 0.5]
    assert found["age below 1"][:3] == [1, 1, 1.0]
    assert found["age 1 to 2"][:3] == [2, 0, 0.0]
    assert found["age from 2"][:2] == found["missing data over 6h"][:2] == [0, 1]
    assert np.isnan(found["age from 2"][2])
    cost, months = found["component pump"][3:]
    assert cost * months == pytest.approx(0.8 * 200 + 0.2 * 1000 + 1000 + 200)


def test_with_few_failures_shares_and_costs_are_left_out() -> None:
    fold = small.judged(small.data(FAILURES, high=HIGH))["test"]
    rows = fold.ledger(fold.alarms({"pump": 0.5, "seal": 0.5}))
    table = slice_table({fold: {"model": rows}}, {}, np.zeros(len(fold.data.decisions)), least=3)
    few = table[table["failures"] < 3]
    assert few[["event_recall", "alarm_precision", "cost_per_machine_month"]].isna().all().all()
    assert few["false_alarms_per_machine_month"].notna().all()
    assert table.set_index("slice").loc["fleet", "event_recall"] == pytest.approx(1 / 3)


def test_bands_are_of_the_training_machines_and_unknown_is_a_band() -> None:
    machines = pd.DataFrame({"machine": [f"m{n}" for n in range(10)], "age": [*range(9), 1000.0]})
    edges = bands_of(machines, machines["machine"].to_numpy(object)[:9], plant.dataset())["age"]
    assert edges.tolist() == pytest.approx([8 / 3, 16 / 3])
    names = banded(np.array([0, 3.0, 9.0, np.nan]), np.array([3.0, 6.0]))
    assert names.tolist() == ["below 3", "3 to 6", "from 6", "unknown"]
    assert banded(np.array([2.0, 3.0]), np.array([3.0])).tolist() == ["below 3", "from 3"]


def telemetry(machine: str, hours: int) -> pd.DataFrame:
    rows = pd.DataFrame({"machine": machine, "time": START + HOUR * (1 + np.arange(hours)), "running": True})
    return rows.assign(volt=1.0, spin=1.0).astype({"machine": object})


def test_missing_data_are_counted_over_the_day_before() -> None:
    one, two = telemetry("a", 72), telemetry("b", 72)
    one.loc[30:35, "volt"] = np.nan  # six hours of one sensor of two
    two = two.drop(index=range(40, 44))  # four rows that are not there
    two.loc[44:45, ["volt", "spin"]] = np.nan  # two hours at rest are not missing
    two.loc[44:45, "running"] = False
    asked = pd.DataFrame(
        {"machine": ["a", "a", "a", "b", "b"], "time": START + HOUR * np.array([24, 36, 72, 48, 72])}
    )
    found = missing_before([one, two], asked, plant.dataset())
    assert (found / HOUR).tolist() == [0, 3, 0, 4, 0]
    assert missing_before([two], asked, plant.dataset()).tolist()[:2] == [DAY, DAY]
