"""The recipes that schedule `forestall retrain`, as they are written: cron, and the workflow without GitHub."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forestall.data.settings import read_yaml
from tests.pipeline.clones import ROOT, set_values
from tests.pipeline.mill import MONTHS, Plant, copy_of_mill
from tests.pipeline.repository import commit, git

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
BRANCH = f"retrain/{MONTHS[0]}"
HOW_TO = ROOT / "docs/how-to/schedule-retraining.md"
WORKFLOW = ROOT / "deploy/github/retrain.yml"
# Says whether a pull request is there, and writes down how it is called.
GH = """#!/bin/sh
printf '%s\\n' "$@" >> "$CALLS"
[ "$2" != list ] || echo "$REQUESTS"
"""


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """With an environment, and a repository that it was cloned from."""
    plant = copy_of_mill(tmp_path_factory)
    (plant.folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    (plant.folder / "var").mkdir()
    origin = tmp_path_factory.mktemp("origin")
    git(origin, "clone", "-q", "--bare", str(plant.folder), str(origin))
    git(plant.folder, "remote", "add", "origin", str(origin))
    return plant


def nightly(plant: Plant, database: str) -> subprocess.CompletedProcess[str]:
    """The line of the how-to, by the shell and the environment that cron gives it."""
    text = HOW_TO.read_text(encoding="utf-8")
    (line,) = re.findall(r"^```cron\n(?:\S+ ){5} ?(.*)\n```", text, re.MULTILINE)
    assert "/opt/forestall" in line
    bare = {name: value for name, value in os.environ.items() if name in ("HOME", "PYTHONPATH")}
    return subprocess.run(
        ["/bin/sh", "-c", line.replace("/opt/forestall", str(plant.folder))],
        env=bare | {"PATH": "/usr/bin:/bin", "FORESTALL_DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )


def test_cron_mails_failures_and_new_branches_alone(plant: Plant) -> None:
    set_values(plant.folder, "params.yaml", {"retraining.min_new_failures": 10_000})
    commit(plant.folder, "nothing is due")
    done = nightly(plant, plant.database)
    git(plant.folder, "reset", "-q", "--hard", "HEAD~1")
    log = (plant.folder / "var/retrain.log").read_text(encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), log
    assert "Not due. New failures" in log

    failed = nightly(plant, "sqlite:///gone.sqlite")
    assert "There is no database gone.sqlite" in failed.stdout

    made = nightly(plant, plant.database)
    assert made.returncode == 0 and f"Branch {BRANCH}: " in made.stdout
    git(plant.folder, "branch", "-qD", BRANCH)


class Job:
    """The workflow's steps with a command of their own, run as a runner does, but for setting up.

    calls: what the stand-in for gh was called with.
    """

    def __init__(self, plant: Plant, place: Path, requests: int, number: str) -> None:
        self.plant, self.place, self.calls = plant, place, place / "calls"
        self.calls.touch()
        (place / "gh").write_text(GH, encoding="utf-8")
        (place / "gh").chmod(0o755)
        self.variables = {"CALLS": str(self.calls), "REQUESTS": str(requests), "GITHUB_RUN_ID": number}
        self.values = {
            "secrets.FORESTALL_DATABASE_URL": plant.database,
            "vars.FORESTALL_SERVED || 'models/served'": str(place / "served"),
            "runner.temp": str(place),
            "github.ref_name": "main",
            "github.token": "token",
        }

    def run(self) -> list[str]:
        """All of them; the names of those that ran."""
        job = read_yaml(WORKFLOW)["jobs"]["retrain"]
        self.variables |= self._filled(job["env"])
        steps = [one for one in job["steps"] if "run" in one and one["name"] != "Set up"]
        return [one["name"] for one in steps if self._step(one)]

    def _step(self, one: dict[str, Any]) -> bool:
        if "if" in one:
            (name,) = re.findall(r"^(\S+) != ''$", one["if"])
            if not self.values[name]:
                return False
        output = self.place / "output"
        output.write_text("", encoding="utf-8")
        given = self._filled(one.get("env", {})) | {"GITHUB_OUTPUT": str(output)}
        path = {"PATH": f"{self.place}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", one["run"]],
            cwd=self.plant.folder,
            env=os.environ | path | self.variables | given,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, (one["name"], done.stdout)
        for name, _, value in (line.partition("=") for line in output.read_text("utf-8").splitlines()):
            self.values[f"steps.{one['id']}.outputs.{name}"] = value
        return True

    def _filled(self, env: dict[str, str]) -> dict[str, str]:
        def value(found: re.Match[str]) -> str:
            return self.values[found[1]]

        return {name: re.sub(r"\$\{\{ (.*?) \}\}", value, str(text)) for name, text in env.items()}


def test_github_s_workflow_pushes_the_branch_and_opens_one_pull_request(plant: Plant, tmp_path: Path) -> None:
    first = Job(plant, tmp_path, requests=0, number="1")
    assert first.run()[-1] == "Its data, its branch, and a pull request"
    assert git(plant.folder, "ls-remote", "origin", BRANCH).split()[0] == git(
        plant.folder, "rev-parse", BRANCH
    )
    title = git(plant.folder, "log", "-1", "--format=%s", BRANCH)
    calls = first.calls.read_text(encoding="utf-8").splitlines()
    assert calls[calls.index("create") :] == [
        *("create", "--base", "main", "--head", BRANCH),
        *("--title", title, "--body-file", "metrics/retraining.md"),
    ]
    assert (plant.folder / "metrics/retraining.md").is_file()

    git(plant.folder, "checkout", "-q", "main")
    assert (
        "Its data, its branch, and a pull request" not in Job(plant, tmp_path, requests=1, number="2").run()
    )


def test_what_failed_after_the_training_is_done_by_running_the_job_again(
    plant: Plant, tmp_path: Path
) -> None:
    git(plant.folder, "checkout", "-q", "main")
    again = Job(plant, tmp_path, requests=1, number="1")
    again.run()
    calls = again.calls.read_text(encoding="utf-8").splitlines()
    assert "create" not in calls and calls[calls.index("edit") + 1] == BRANCH
    assert git(plant.folder, "ls-remote", "origin", BRANCH).split()[0] == git(
        plant.folder, "rev-parse", BRANCH
    )
