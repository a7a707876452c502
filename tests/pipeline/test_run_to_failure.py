"""A fleet run to failure, each engine with its own count of cycles, from `dataset init` to `forestall show`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forestall.data import store
from forestall.data.dataset import Dataset
from forestall.data.settings import read_yaml, validate
from forestall.training.alarms import open_alarms
from forestall.training.judging import rules_of, series_of_fold
from forestall.training.series import risk_matrix
from tests import engines
from tests.pipeline.clones import STAGES, clone, command, repro, set_values

pytestmark = pytest.mark.pipeline

ENGINES: dict[str, dict[str, Any]] = {
    "params.yaml": {
        "data.dataset": "engines",
        "simulate.machines": 2,
        "simulate.days": 30,
        "train.extra_trees.trees": 20,
    }
}
CHECKED = {"tables.failures.alive": list(engines.LEFT), "clock.per_month": 60.0}
YOUNG = "44"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the proposed dataset file, with the edits that it asks for, has run."""
    folder, tables = clone(tmp_path_factory.mktemp("project"), ENGINES), tmp_path_factory.mktemp("tables")
    engines.table().to_csv(tables / "engines.csv", index=False)
    for words in (["init", str(tables), "--out", "data/raw/engines.yaml"], ["add", "engines", str(tables)]):
        done = command(folder, "forestall", "dataset", *words)
        assert done.returncode == 0, done.stdout
    set_values(folder, "data/raw/engines.yaml", CHECKED)
    assert set(repro(folder)) == STAGES
    return folder


@pytest.fixture(scope="module")
def dataset(project: Path) -> Dataset:
    file = project / "data/raw/engines.yaml"
    return validate(Dataset, read_yaml(file), file)


@pytest.fixture(scope="module")
def decisions(project: Path) -> pd.DataFrame:
    columns = ["machine", "time", "fold", "no_opinion", "label.machine"]
    return pd.read_parquet(project / "data/features/features.parquet", columns=columns)


@pytest.fixture(scope="module")
def fleet(project: Path) -> pd.DataFrame:
    table = pd.read_csv(project / "data/predictions/fleet.csv", dtype={"machine": str})
    return table.set_index("machine")


def test_failures_of_the_test_fold_are_caught_some_cycles_ahead(project: Path) -> None:
    for fold in ("validation", "test"):
        figures = json.loads((project / f"metrics/{fold}.json").read_text(encoding="utf-8"))
        assert figures["failures"] >= 5
        assert figures["event_recall"] >= 0.8
        assert figures["alarm_precision"] >= 0.8
        assert 2 <= figures["lead_time_p10_h"] <= figures["lead_time_median_h"] <= engines.HORIZON


def test_no_engine_is_in_two_folds(decisions: pd.DataFrame) -> None:
    folds = decisions[decisions["fold"] != ""].groupby("machine")["fold"].unique()
    assert (folds.map(len) == 1).all()
    assert set(folds.map(lambda one: one[0])) == {"train", "validation", "test"}


def test_decisions_end_with_the_engines_own_history(decisions: pd.DataFrame) -> None:
    assert decisions.groupby("machine")["time"].max().to_dict() == engines.last_cycles()


def test_an_engine_still_alive_is_unknown_and_not_healthy_in_its_last_horizon(
    decisions: pd.DataFrame,
) -> None:
    alive = decisions[decisions["machine"].isin(list(engines.LEFT))]
    late = alive["time"] + engines.HORIZON > alive["machine"].map(engines.last_cycles())
    assert (alive.loc[late, "fold"] == "").all()
    assert (alive.loc[late, "label.machine"] == -2).all()
    assert (alive.loc[~late, "label.machine"] == 0).all()


def test_alarms_about_the_unknown_future_are_never_false(
    project: Path, dataset: Dataset, decisions: pd.DataFrame
) -> None:
    prepared = project / "data/prepared"
    events, last = store.read_events(prepared, dataset.clock), store.last_readings(prepared, dataset.clock)
    every = decisions[decisions["no_opinion"] == ""]
    series, always = series_of_fold(every, events, dataset, "test", last), every[["label.machine"]] * 0 + 1
    risk = risk_matrix(series, every, always.to_numpy(dtype=float))
    alarms = open_alarms(series, risk, 0.5, rules_of(dataset, quiet=2))
    ends = alarms["machine"].map(last)
    alive, late = alarms["machine"].isin(list(engines.LEFT)), alarms["opened"] + engines.HORIZON > ends
    assert set(alarms.loc[alive & late, "machine"]) == set(engines.LEFT) - {YOUNG}
    assert (alarms.loc[alive & late, "outcome"] == "undetermined").all()
    assert (alarms.loc[late & ~alive & (alarms["opened"] < ends), "outcome"] == "right").all()


def test_each_engine_alive_is_judged_at_its_own_last_cycle(fleet: pd.DataFrame) -> None:
    assert fleet["time"].to_dict() == engines.last_cycles()
    known = fleet[fleet["risk"].notna()]
    assert set(known.index) == set(engines.LEFT) - {YOUNG}
    assert set(known.index[:3]) == {"5", "9", "17"}
    assert known["risk"].iloc[2] > 0.5 > known["risk"].iloc[3]
    assert fleet["status"].iloc[len(known)] == "no opinion: too short a history"
    assert known["reasons"].iloc[0].count("cycles") >= 1


def test_an_engine_that_failed_is_listed_and_not_judged(fleet: pd.DataFrame) -> None:
    failed = fleet[~fleet.index.isin(list(engines.LEFT))]
    assert (failed["status"] == "no opinion: history ended with its failure").all()
    assert failed["risk"].isna().all()
    assert fleet.index[-len(failed) :].tolist() == failed.index.tolist()


def test_show_speaks_of_cycles(project: Path) -> None:
    shown = command(project, "forestall", "show").stdout
    assert "median lead time, cycles" in shown
    assert re.search(r"normal (over|for) \d+ cycles", shown)
