"""Kubeflow's committed pipelines over a real repository, by its runner for one computer."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from forestall.retraining.history import read_history
from tests.pipeline.clones import ROOT, command, set_values
from tests.pipeline.mill import MONTHS, Plant, copy_of_mill
from tests.pipeline.repository import commit, git
from tests.pipeline.servers import own_program

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
PIPELINES = ROOT / "deploy/kubeflow"
BRANCH = f"retrain/{MONTHS[0]}"
# As committed, but for the time between two tries: what is uploaded is what runs here.
RUN = """
import json, sys
from kfp import components, local
file, root, arguments = sys.argv[1:]
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=root)
text = open(file, encoding="utf-8").read().replace("backoffDuration: 300s", "backoffDuration: 0s")
components.load_component_from_text(text)(**json.loads(arguments))
"""


@dataclass(frozen=True)
class Kubeflow:
    """plant: whose project it works on. place: of what it writes. served: of what is promoted."""

    plant: Plant
    place: Path
    served: Path

    def run(self, name: str, **arguments: str | bool) -> subprocess.CompletedProcess[str]:
        """One of the committed pipelines."""
        given = {"project": str(self.plant.folder), "served": str(self.served)} | arguments
        words = (
            own_program("kubeflow", "python"),
            "-c",
            RUN,
            str(PIPELINES / f"{name}.yaml"),
            str(self.place),
        )
        return command(self.place, *words, json.dumps(given))


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    return copy_of_mill(tmp_path_factory)


@pytest.fixture
def kubeflow(plant: Plant, tmp_path: Path) -> Kubeflow:
    """Where nothing was made, so that it is due."""
    for kind in ("branch", "tag"):
        for name in git(
            plant.folder, kind, "--list", "retrain/*", "served/*", "--format=%(refname:short)"
        ).split():
            git(plant.folder, kind, "-D" if kind == "branch" else "-d", name)
    return Kubeflow(plant, tmp_path, tmp_path / "served")


def test_compiling_gives_the_committed_pipelines(tmp_path: Path) -> None:
    shutil.copy(PIPELINES / "pipeline.py", tmp_path)
    done = command(tmp_path, own_program("kubeflow", "python"), "pipeline.py")
    assert done.returncode == 0, done.stdout
    for name in ("pipeline.yaml", "promotion.yaml"):
        assert (tmp_path / name).read_bytes() == (PIPELINES / name).read_bytes()


def test_a_model_is_made_and_waits_until_somebody_runs_the_promotion(kubeflow: Kubeflow) -> None:
    made = kubeflow.run("pipeline", database=kubeflow.plant.database)
    assert made.returncode == 0, made.stdout
    (report,) = kubeflow.place.glob("forestall-retraining-*/retrain/report")
    found = git(kubeflow.plant.folder, "show", f"{BRANCH}:metrics/retraining.md")
    assert report.read_text(encoding="utf-8") == found + "\n"
    assert not (kubeflow.served / "champion").exists()
    commit = git(kubeflow.plant.folder, "rev-parse", BRANCH)
    served = kubeflow.run("promotion", commit=commit)
    assert served.returncode == 0, served.stdout
    assert [one.revision for one in read_history(kubeflow.served).done] == [commit]


def test_what_passes_is_served_at_once_where_that_is_asked_for(kubeflow: Kubeflow) -> None:
    done = kubeflow.run("pipeline", database=kubeflow.plant.database, promote=True)
    assert done.returncode == 0, done.stdout
    (one,) = read_history(kubeflow.served).done
    assert one.revision == git(kubeflow.plant.folder, "rev-parse", BRANCH)


def test_where_nothing_is_due_the_run_ends_well_and_serves_nothing(kubeflow: Kubeflow) -> None:
    set_values(kubeflow.plant.folder, "params.yaml", {"retraining.min_new_failures": 10_000})
    commit(kubeflow.plant.folder, "nothing is due")
    try:
        done = kubeflow.run("pipeline", database=kubeflow.plant.database, promote=True)
    finally:
        git(kubeflow.plant.folder, "reset", "-q", "--hard", "HEAD~1")
    assert done.returncode == 0 and "Not due. New failures" in done.stdout, done.stdout
    assert not (kubeflow.served / "champion").exists()


def test_a_run_that_fails_is_tried_again_says_why_and_serves_nothing(kubeflow: Kubeflow) -> None:
    away = kubeflow.place / "away.sqlite"
    done = kubeflow.run("pipeline", database=f"sqlite:///{away}", promote=True)
    assert done.returncode != 0 and done.stdout.count(f"There is no database {away}") == 3
    assert not (kubeflow.served / "champion").exists() and not away.exists()
