"""`forestall retrain` where something goes wrong: it ends in the old state or in the new one."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from forestall.retraining.served import champion
from forestall.serving.answering import answering_bundle
from tests.pipeline.clones import command, environment, repro, set_values
from tests.pipeline.mill import MONTHS, OWN_END, Plant, copy_of_mill
from tests.pipeline.repository import commit, git

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
BRANCH = f"retrain/{MONTHS[0]}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    return copy_of_mill(tmp_path_factory)


@pytest.fixture
def plant(made: Plant) -> Plant:
    """Without what an earlier retrain left."""
    if BRANCH in git(made.folder, "branch", "--format=%(refname:short)").split():
        git(made.folder, "branch", "-qD", BRANCH)
    return made


def state(plant: Plant) -> list[str]:
    """All that people see of the repository."""
    return [
        git(plant.folder, *words) for words in (("status", "--porcelain"), ("show-ref",), ("stash", "list"))
    ]


def begun(plant: Plant) -> subprocess.Popen[str]:
    words = ["forestall", "retrain", "--database", plant.database]
    return subprocess.Popen(
        words, cwd=plant.folder, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def has_said(one: subprocess.Popen[str], said: str) -> None:
    """Wait for it."""
    assert one.stderr is not None
    assert any(said in line for line in one.stderr), f"it never said {said!r}"


def killed_after(plant: Plant, said: str, seconds: float) -> None:
    """So long after it has said how far it is."""
    one = begun(plant)
    has_said(one, said)
    time.sleep(seconds)
    assert one.poll() is None, "it was over before it could be killed"
    os.killpg(one.pid, signal.SIGKILL)
    one.communicate()


def test_killed_and_two_at_once(plant: Plant) -> None:
    before = state(plant)
    moments = [
        ("Reading where", 0.0),
        ("Training with", 0.0),
        ("Training with", 3.0),
        ("Ran: ", 0.0),
        ("Ran: ", 1.0),
    ]
    for said, seconds in moments:
        killed_after(plant, said, seconds)
        assert state(plant) == before
    first = begun(plant)
    has_said(first, "Reading where")
    second = plant.retrain()
    assert second.returncode == 1 and "Another `forestall retrain` is under way" in second.stdout, (
        second.stdout
    )
    first.communicate()
    assert first.returncode == 0
    new = state(plant)
    assert [line for line in new[1].splitlines() if line not in before[1]] == [
        f"{git(plant.folder, 'rev-parse', BRANCH)} refs/heads/{BRANCH}"
    ]
    assert (new[0], new[2]) == (before[0], before[2])


def test_a_month_without_failures(plant: Plant, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.sqlite"
    with sqlite3.connect(plant.database.removeprefix("sqlite:///")) as store, sqlite3.connect(quiet) as copy:
        store.backup(copy)
        since, month = OWN_END.timestamp(), (OWN_END + pd.offsets.MonthBegin()).timestamp()
        gone = copy.execute("DELETE FROM failures WHERE time >= ? AND time < ?", (since, month)).rowcount
    assert gone > 0
    other = Plant(plant.folder, f"sqlite:///{quiet}")
    few = other.retrain("--if-due")
    assert few.returncode == 0 and "Not due. New failures: 0; 5 are needed" in few.stdout, few.stdout
    done = other.retrain()
    assert done.returncode == 0 and "### Gate: " in done.stdout, done.stdout
    new = git(plant.folder, "diff", "--name-only", "main", BRANCH)
    assert "data/raw/mill.dvc" in new
    fewer = Plant(plant.folder, plant.database).retrain("--from", BRANCH)
    assert fewer.returncode == 0, fewer.stdout  # what came late is taken
    lost = other.retrain("--from", BRANCH)
    assert lost.returncode == 1 and "fewer than there are. Is it the right database?" in lost.stdout


def coupled(folder: Path) -> None:
    """The plant begins to book failures of couplings: those that it booked as the motor's."""
    about = {"components.coupling": {"about": "Between motor and pump"}}
    set_values(folder, "data/raw/mill.yaml", about)
    for name in ("failures", "maintenance"):
        file = folder / f"data/raw/mill/{name}.csv"
        rows = pd.read_csv(file, dtype=str)
        file.unlink()  # a link into DVC's cache
        more = rows[rows["component"] == "motor"].assign(component="coupling")
        pd.concat([rows, more]).to_csv(file, index=False)
    assert command(folder, "dvc", "add", "-q", "data/raw/mill").returncode == 0


def test_a_candidate_with_other_components_and_features(plant: Plant, tmp_path: Path) -> None:
    served = ("--served", str(tmp_path))
    assert command(plant.folder, "forestall", "promote", "main", *served, "--force", "first").returncode == 0
    old = champion(tmp_path)
    git(plant.folder, "checkout", "-qb", "coupled")
    coupled(plant.folder)
    set_values(plant.folder, "params.yaml", {"features.groups.errors": False})
    repro(plant.folder)
    commit(plant.folder, "a coupling, and no errors")
    git(plant.folder, "checkout", "-q", "main")
    assert command(plant.folder, "dvc", "checkout", "-q").returncode == 0
    done = plant.retrain("--from", "coupled", *served)
    assert done.returncode == 0, done.stdout
    forced = command(plant.folder, "forestall", "promote", BRANCH, *served, "--force", "it has a coupling")
    assert forced.returncode == 0, forced.stdout
    assert champion(tmp_path) != old
    assert "coupling" in answering_bundle(tmp_path / "champion").components


def test_mlflow_that_is_gone_takes_nothing_away(plant: Plant, tmp_path: Path) -> None:
    started = time.monotonic()
    words = ("forestall", "promote", "main", "--served", str(tmp_path), "--force", "first")
    done = command(plant.folder, *words, MLFLOW_TRACKING_URI="http://127.0.0.1:1")
    assert done.returncode == 0 and "served, but not named: " in done.stdout, done.stdout
    assert champion(tmp_path) and time.monotonic() - started < 60
