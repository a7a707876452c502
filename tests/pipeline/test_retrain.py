"""`forestall retrain` on a real repository: a month is taken from the service, judged, and given as a branch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forestall.retraining.history import read_history
from forestall.retraining.served import champion
from tests.pipeline.clones import ROOT, command, repro, set_values
from tests.pipeline.mill import MONTHS, Plant, copy_of_mill
from tests.pipeline.repository import commit, git

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    return copy_of_mill(tmp_path_factory)


def tree(plant: Plant) -> tuple[str, ...]:
    every = (("status", "--porcelain"), ("rev-parse", "HEAD"), ("worktree", "list"))
    return tuple(git(plant.folder, *words) for words in every)


def switch(plant: Plant, name: str) -> None:
    """As people change branches: Git's files, then DVC's."""
    git(plant.folder, "checkout", "-q", name)
    assert command(plant.folder, "dvc", "checkout", "-q").returncode == 0


def policy(plant: Plant, **values: Any) -> None:
    """Another one in params.yaml, committed."""
    set_values(plant.folder, "params.yaml", {f"retraining.{name}": value for name, value in values.items()})
    commit(plant.folder, f"policy {values}")


def test_only_if_due_once_and_to_another_try_of_a_run_again(plant: Plant, tmp_path: Path) -> None:
    policy(plant, min_new_failures=10_000)
    few = plant.retrain("--if-due")
    assert few.returncode == 0 and re.search(r"Not due. New failures: \d+; 10000 are needed", few.stdout)
    policy(plant, min_new_failures=1, every_months=2, on_change=False)
    assert "Not due. New months: 1 of 2, and changes are not asked for." in plant.retrain("--if-due").stdout
    policy(plant, every_months=1)
    due = plant.retrain("--if-due", "--run-id", "night 1")
    assert due.returncode == 0 and "Due. By the calendar; new months: 1 (to 2024-07)" in due.stdout, (
        due.stdout
    )
    assert git(plant.folder, "rev-parse", "--verify", f"retrain/{MONTHS[0]}")
    assert (
        f"Not due. The last training had the months to {MONTHS[0]} already"
        in plant.retrain("--if-due").stdout
    )
    result = tmp_path / "result.json"
    again = plant.retrain("--if-due", "--run-id", "night 1", "--result", str(result))
    assert again.returncode == 0 and "Training" not in again.stdout, again.stdout
    found = json.loads(result.read_text(encoding="utf-8"))
    tip = git(plant.folder, "rev-parse", f"retrain/{MONTHS[0]}")
    assert found["commit"] == tip and found["report"] in due.stdout
    assert found["passed"] == ("Gate: passed" in due.stdout)
    policy(plant, cool_down_days=0)
    assert "already; merge or promote it." in plant.retrain("--if-due", "--run-id", "night").stdout
    git(plant.folder, "branch", "-qD", f"retrain/{MONTHS[0]}")


def test_a_month_becomes_a_branch_with_its_data_model_metrics_and_verdict(
    plant: Plant, tmp_path: Path
) -> None:
    before = tree(plant)
    first = plant.retrain("--result", str(tmp_path / "result.json"))
    assert first.returncode == 0, first.stdout
    assert "### Gate: " in first.stdout and "Test fold (decides)" in first.stdout
    assert tree(plant) == before
    branch = f"retrain/{MONTHS[0]}"
    changed = git(plant.folder, "diff", "--name-only", "HEAD", branch).splitlines()
    assert {
        "data/raw/mill.dvc",
        "data/raw/mill.yaml",
        "dvc.lock",
        "metrics/test.json",
        "metrics/retraining.md",
    } <= set(changed)
    assert git(plant.folder, "merge-base", "HEAD", branch) == git(plant.folder, "rev-parse", "HEAD")
    assert not [name for name in changed if name.startswith(("src/", "tests/", "params"))]

    tip = git(plant.folder, "rev-parse", branch)
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    report = git(plant.folder, "show", f"{branch}:metrics/retraining.md") + "\n"
    assert result == {"branch": branch, "commit": tip, "passed": "Gate: passed" in report, "report": report}
    again = plant.retrain()
    assert again.returncode == 0, again.stdout
    assert "Ran: nothing" in again.stdout and git(plant.folder, "rev-parse", branch) == tip

    switch(plant, branch)
    try:
        assert repro(plant.folder) == []
        telemetry = pd.read_parquet(plant.folder / "data/prepared/telemetry.parquet", columns=["time"])
        # A stop that began in July may end a little later.
        assert pd.Timestamp("2024-07-31 23:00") <= telemetry["time"].max() < pd.Timestamp("2024-08-02")
        assert "no month" in plant.retrain("--result", str(tmp_path / "result.json")).stdout
        result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
        assert result == {"branch": None, "commit": None, "passed": None, "report": None}
    finally:
        switch(plant, "main")


def test_what_people_committed_on_top_is_not_lost(plant: Plant) -> None:
    branch = f"retrain/{MONTHS[0]}"
    assert plant.retrain().returncode == 0
    git(plant.folder, "checkout", "-q", branch)
    (plant.folder / "README.md").write_text("ours\n", encoding="utf-8")
    commit(plant.folder, "ours")
    tip = git(plant.folder, "rev-parse", "HEAD")
    git(plant.folder, "checkout", "-q", "main")
    refused = plant.retrain()
    assert refused.returncode == 1 and "other commits on top" in refused.stdout
    assert git(plant.folder, "rev-parse", branch) == tip
    git(plant.folder, "branch", "-qD", branch)


def test_promote_serves_it_where_the_gate_agrees(plant: Plant, tmp_path: Path) -> None:
    served = ("--served", str(tmp_path / "served"))
    assert command(plant.folder, "forestall", "promote", "main", *served, "--force", "first").returncode == 0
    old, base = champion(tmp_path / "served"), git(plant.folder, "rev-parse", "main")
    git(plant.folder, "commit", "-q", "--allow-empty", "-m", "later")
    assert plant.retrain().returncode == 0  # against main, as nothing is served
    done = plant.retrain("--promote", *served)
    assert done.returncode == 0, done.stdout
    assert re.search(
        rf"^## retrain/{MONTHS[0]} \(\w+\) against `what is served` \(", done.stdout, re.MULTILINE
    )
    verdict = git(plant.folder, "log", "-1", "--format=%s", f"retrain/{MONTHS[0]}")
    assert verdict.strip().endswith(f"the gate against {base[:12]}")
    assert "Gate: passed" in done.stdout, done.stdout
    assert champion(tmp_path / "served") != old
    assert len(read_history(tmp_path / "served").done) == 2
    git(plant.folder, "branch", "-qD", f"retrain/{MONTHS[0]}")


def test_a_result_that_cannot_be_written_is_said_before_the_training(plant: Plant, tmp_path: Path) -> None:
    done = plant.retrain("--result", str(tmp_path / "nowhere/result.json"))
    assert done.returncode == 1 and "nowhere/result.json" in done.stdout
    assert "Training" not in done.stdout and "Traceback" not in done.stdout


def test_tables_that_a_stage_makes_get_no_months(plant: Plant) -> None:
    git(plant.folder, "checkout", "-qb", "made")
    git(plant.folder, "rm", "-q", "--cached", "data/raw/mill.dvc")
    git(plant.folder, "commit", "-qm", "no pointer")
    done = plant.retrain()
    git(plant.folder, "checkout", "-qf", "main")
    assert done.returncode == 1 and "data/raw/mill.dvc: no such file. Only tables that" in done.stdout


def test_a_database_that_is_not_there_is_not_made(plant: Plant) -> None:
    done = command(plant.folder, "forestall", "retrain", "--database", f"sqlite:///{ROOT / 'nothing.sqlite'}")
    assert done.returncode == 1 and "There is no database" in done.stdout
    assert not (ROOT / "nothing.sqlite").exists()
