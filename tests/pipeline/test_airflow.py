"""Airflow with the committed DAG over a real repository: a model is made, somebody is asked, the answer is done."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from forestall.retraining.history import read_history
from tests.pipeline.airflow_server import DAGS, PERSON, Airflow, airflow, until
from tests.pipeline.clones import command, set_values
from tests.pipeline.mill import MONTHS, Plant, copy_of_mill
from tests.pipeline.repository import commit, git
from tests.pipeline.servers import HERE, free_port, own_program
from tests.serving.api.watching import Sent, alertmanager

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
BRANCH = f"retrain/{MONTHS[0]}"


@dataclass(frozen=True)
class Scheduled:
    """A plant, its Airflow, where it serves from, and whom Alertmanager told what."""

    plant: Plant
    airflow: Airflow
    served: Path
    told: list[Sent]


@pytest.fixture(scope="module")
def scheduled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduled]:
    place = tmp_path_factory.mktemp("airflow")
    plant, served = copy_of_mill(tmp_path_factory), place / "served"
    (plant.folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    git(plant.folder, "config", "user.email", "operations@example.org")
    (place / "alerts").mkdir()
    (place / "home").mkdir()
    with alertmanager(place / "alerts") as (address, told):
        of_workers = {
            "FORESTALL_PROJECT": str(plant.folder),
            "FORESTALL_DATABASE_URL": plant.database,
            "FORESTALL_SERVED": str(served),
            "FORESTALL_ALERTMANAGER_URL": address,
        }
        with airflow(place / "home", **of_workers) as running:
            yield Scheduled(plant, running, served, told)


def states(ended: dict[str, tuple[str | None, int]]) -> list[str | None]:
    return [ended[task][0] for task in ("retrain", "approve", "promote")]


def forget(plant: Plant) -> None:
    """Delete what was made, so that it is due again."""
    git(plant.folder, "branch", "-qD", BRANCH)
    for tag in git(plant.folder, "tag").split():
        git(plant.folder, "tag", "-d", tag)


def test_what_is_refused_is_not_served_and_nobody_is_asked_again(scheduled: Scheduled) -> None:
    scheduled.airflow.unpause()
    until(lambda: bool(scheduled.airflow.runs()), 60)
    (last_night,) = scheduled.airflow.runs()
    question = scheduled.airflow.question(last_night)
    assert question["subject"] == f"Serve {BRANCH}, which passes the gate?"
    report = git(scheduled.plant.folder, "show", f"{BRANCH}:metrics/retraining.md")
    assert question["body"].rstrip() == report
    until(lambda: ("tickets", "ForestallRetrainWaits", "firing") in scheduled.told, 30)
    scheduled.airflow.answer(last_night, "Reject")
    assert states(scheduled.airflow.end(last_night)) == ["success", "success", "skipped"]
    assert not (scheduled.served / "champion").exists()

    run = scheduled.airflow.begin()
    assert states(scheduled.airflow.end(run)) == ["skipped", "skipped", "skipped"]


def test_what_is_approved_is_served(scheduled: Scheduled) -> None:
    forget(scheduled.plant)
    run = scheduled.airflow.begin()
    scheduled.airflow.question(run)
    scheduled.airflow.answer(run, "Approve")
    assert states(scheduled.airflow.end(run)) == ["success", "success", "success"]
    (one,) = read_history(scheduled.served).done
    assert (one.verdict, one.who) == ("first", f"{PERSON} <operations@example.org>")
    assert one.revision == git(scheduled.plant.folder, "rev-parse", BRANCH)
    assert git(scheduled.plant.folder, "tag", "--points-at", BRANCH).startswith("served/1")


def test_what_fails_is_tried_again_and_then_told(scheduled: Scheduled) -> None:
    database = Path(scheduled.plant.database.removeprefix("sqlite:///"))
    away = shutil.move(database, database.with_suffix(".away"))
    try:
        run = scheduled.airflow.begin()
        assert scheduled.airflow.end(run) == {
            "retrain": ("failed", 3),
            "approve": ("upstream_failed", 0),
            "promote": ("upstream_failed", 0),
        }
        until(lambda: ("tickets", "ForestallRetrainFailed", "firing") in scheduled.told, 30)
    finally:
        shutil.move(away, database)


def test_nothing_waits_for_an_alertmanager_that_is_gone(tmp_path: Path) -> None:
    script = "from types import SimpleNamespace as N; from forestall_retraining import retrain as task; "
    script += "task.on_failure_callback[0].notify({'ti': N(log_url='http://airflow')})"
    gone = {"FORESTALL_ALERTMANAGER_URL": f"http://{HERE}:{free_port()}", "AIRFLOW_HOME": str(tmp_path)}
    done = command(tmp_path, own_program("airflow", "python"), "-c", script, PYTHONPATH=str(DAGS), **gone)
    assert done.returncode == 0 and "ForestallRetrainFailed was not told" in done.stdout, done.stdout


def test_against_the_gate_it_takes_a_reason(scheduled: Scheduled) -> None:
    shutil.rmtree(scheduled.served)
    forget(scheduled.plant)
    set_values(scheduled.plant.folder, "params.yaml", {"gate.floors.event_recall": 1.0})
    commit(scheduled.plant.folder, "a gate that nothing passes")
    run = scheduled.airflow.begin()
    assert scheduled.airflow.question(run)["subject"] == f"Serve {BRANCH}, which does NOT pass the gate?"
    scheduled.airflow.answer(run, "Approve")
    assert scheduled.airflow.end(run)["promote"] == ("failed", 1)
    assert not (scheduled.served / "champion").exists()

    scheduled.airflow.ask_again(run)
    scheduled.airflow.question(run)
    scheduled.airflow.answer(run, "Approve", '--the old one is worse; it\'s "agreed" $HOME')
    assert scheduled.airflow.end(run)["promote"][0] == "success"
    (one,) = read_history(scheduled.served).done
    assert (one.verdict, one.reason) == ("forced", '--the old one is worse; it\'s "agreed" $HOME')
