"""The one-line rule: what is planted is found, and a rule fires only on what was known."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from forestall.evaluation.rule import By, Rule, candidates, picked
from forestall.evaluation.scores import score
from forestall.training.alarms import open_alarms
from forestall.training.series import Rules, Series, risk_matrix, series_of

from .fold import COSTS, events

H = 3600
SPANS = [3 * H, 24 * H, 48 * H]
RULES = Rules(horizon=24 * H, min_lead=2 * H, quiet=2)
SHARED = Path(__file__).parents[2].parent / "shared" / "datasets"
AZURE = Path(os.environ.get("FORESTALL_DATASETS", SHARED)) / "azure-pdm-hourly"
Matrix = npt.NDArray[np.float32]


def plant(machines: int, days: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, Series]:
    """Decisions every 3 h, errors, and a series: pumps fail 24 h after e1 at 06:00, seals without a sign."""
    random, names = np.random.default_rng(seed), [f"m{number}" for number in range(machines)]
    grid = np.arange(0, days * 24, 3) * H
    frame = pd.DataFrame(
        {"machine": np.repeat(np.array(names, dtype=object), len(grid)), "time": np.tile(grid, machines)}
    )
    noise = pd.DataFrame(
        {
            "machine": random.choice(names, machines * days // 2),
            "time": random.integers(0, days * 24, machines * days // 2) * H,
            "code": random.choice(["e1", "e2"], machines * days // 2),
        }
    )
    pump = [(name, int(day) * 24 * H + 6 * H, "pump") for name in names for day in range(5, days - 2, 20)]
    seal = [(name, int(random.integers(3, days - 2)) * 24 * H, "seal") for name in names]
    signs = pd.DataFrame([(m, t - 24 * H, "e1") for m, t, _ in pump], columns=["machine", "time", "code"])
    errors = pd.concat([noise, signs], ignore_index=True).astype({"machine": object, "code": object})
    series = series_of(frame, ["pump", "seal"], set(), events(*pump, *seal), events(), int(grid[-1]) + 24 * H)
    return frame, errors, series


def found(
    frame: pd.DataFrame, errors: pd.DataFrame, series: Series, features: Matrix, by: By
) -> dict[str, Rule]:
    names = [f"f{number}" for number in range(features.shape[1])]
    tried = candidates(features, names, frame, errors, series, RULES, SPANS, "s")
    return picked(tried, COSTS, by)


@pytest.mark.parametrize("by", ["cost", "recall"])
def test_the_planted_error_and_its_hour_are_found(by: By) -> None:
    frame, errors, series = plant(20, 60)
    noise = np.random.default_rng(1).normal(size=(len(frame), 5)).astype(np.float32)
    rule = found(frame, errors, series, noise, by)["pump"]
    assert (rule.kind, rule.code, rule.hour) == ("error", "e1", 6)
    assert rule.text.startswith("e1 at 06:00 within ")
    fired = rule.fires(noise, [f"f{n}" for n in range(5)], frame, errors)
    risk = risk_matrix(series, frame, np.column_stack([fired, np.zeros_like(fired)]))
    scores = score(series, open_alarms(series, risk, 0.5, RULES), RULES, COSTS, 10.0)
    pumps = int((series.component == "pump").sum() * 3)
    assert scores["event_recall"] == pytest.approx(pumps / scores["failures"])
    assert scores["alarm_precision"] > 0.8


@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_feature_is_found_with_its_sign(sign: int) -> None:
    frame, errors, series = plant(20, 60)
    features = np.random.default_rng(1).normal(size=(len(frame), 12)).astype(np.float32)
    seals = {
        m: t for m, c, t in zip(series.machine, series.component, series.failures, strict=True) if c == "seal"
    }
    ahead = np.array([seals[m][0] for m in frame["machine"]]) - frame["time"].to_numpy()
    features[(ahead > 0) & (ahead <= 20 * H), 7] += 6 * sign
    rule = found(frame, errors, series, features, "cost")["seal"]
    assert (rule.kind, rule.column, rule.sign) == ("feature", "f7", sign)
    assert rule.text.startswith("f7 >= " if sign > 0 else "f7 <= ")


def test_an_error_counts_from_its_own_time_until_the_window_ends() -> None:
    rule = Rule("pump", "e1 within 24h", "error", code="e1", within=24 * H)
    frame = pd.DataFrame({"machine": "m1", "time": np.array([9, 10, 33, 34]) * H})
    frame = pd.concat([frame, frame.assign(machine="m2")])
    errors = pd.DataFrame({"machine": ["m1", "m9"], "time": [10 * H, 9 * H], "code": ["e1", "e1"]})
    fires = rule.fires(np.empty((8, 0), np.float32), [], frame, errors)
    assert fires.tolist() == [False, True, True, False] + [False] * 4


def test_the_hour_of_day_is_that_of_the_error() -> None:
    rule = Rule("pump", "e1 at 06:00 within 3h", "error", code="e1", within=3 * H, hour=6)
    frame = pd.DataFrame({"machine": ["m1", "m2", "m3"], "time": 30 * H + 7200})
    errors = pd.DataFrame(
        {"machine": ["m1", "m2", "m3"], "time": [30 * H + 3599, 31 * H, 30 * H], "code": "e1"}
    )
    assert rule.fires(np.empty((3, 0), np.float32), [], frame, errors).tolist() == [True, False, True]


def test_a_feature_fires_at_its_level_and_beyond() -> None:
    rule = Rule("pump", "f1 <= 0.25", "feature", column="f1", sign=-1, level=0.25)
    features = np.array([[0.2], [0.25], [0.3]], dtype=np.float32)
    assert rule.fires(features, ["f1"], pd.DataFrame(), pd.DataFrame()).tolist() == [True, True, False]


def test_a_plant_without_errors_gets_a_feature_rule_on_a_counter() -> None:
    frame, errors, series = plant(5, 30)
    features = np.random.default_rng(0).normal(size=(len(frame), 3)).astype(np.float32)
    tried = candidates(features, ["a", "b", "c"], frame, errors.iloc[:0], series, RULES, SPANS, "cycles")
    assert {rule.kind for rule in picked(tried, COSTS, "cost").values()} == {"feature"}


def test_the_rule_speaks_in_the_counters_unit() -> None:
    frame, errors, series = plant(20, 60)
    features = np.zeros((len(frame), 1), dtype=np.float32)
    tried = candidates(features, ["a"], frame, errors, series, RULES, SPANS, "cycles")
    assert picked(tried, COSTS, "recall")["pump"].text == f"e1 within {3 * H} cycles"


def test_fifty_thousand_decisions_are_searched_in_time() -> None:
    frame, errors, series = plant(100, 62)
    features = np.random.default_rng(1).normal(size=(len(frame), 170)).astype(np.float32)
    start = time.process_time()
    found(frame, errors, series, features, "cost")
    assert time.process_time() - start < 8


@pytest.mark.skipif(
    not AZURE.is_dir(), reason=f"{AZURE} is absent: the public tables are not in the repository"
)
def test_the_known_rule_of_the_public_tables_is_found() -> None:
    tables = {}
    for name, file in (("code", "errors"), ("component", "failures"), ("component ", "maint")):
        table = pd.read_csv(AZURE / f"PdM_{file}.csv").set_axis(["time", "machine", name.strip()], axis=1)
        table["time"] = pd.to_datetime(table["time"]).to_numpy().astype("datetime64[s]").astype(np.int64)
        tables[file] = table.astype({"machine": str}).astype({"machine": object})
    start = int(np.datetime64("2015-01-03T06:00:00", "s").astype(np.int64))
    grid, names = start + np.arange(60 * 8) * 3 * H, [str(number) for number in range(1, 101)]
    frame = pd.DataFrame(
        {"machine": np.repeat(np.array(names, dtype=object), len(grid)), "time": np.tile(grid, 100)}
    )
    parts = ["comp1", "comp2", "comp3", "comp4"]
    series = series_of(frame, parts, set(), tables["failures"], tables["maint"], int(grid[-1]) + 24 * H)
    rules = found(frame, tables["errors"], series, np.zeros((len(frame), 1), np.float32), "cost")
    assert [rule.hour for rule in rules.values()] == [6, 6, 6, 6]
    first, second, *others = [rule.code for rule in rules.values()]
    assert (first, others) == ("error1", ["error4", "error5"])
    assert second in ("error2", "error3")
