"""The tutorial, followed to the letter: from an idea to what the workflow on a pull request runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.pipeline.clones import ROOT, clone, command, repro
from tests.pipeline.how_to import commands, newcomer, run

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
TUTORIAL = ROOT / "docs/tutorial/first-change.md"
WORKFLOW = ROOT / ".github/workflows/compare.yml"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return newcomer(tmp_path_factory.mktemp("home") / "new")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """A project whose main branch has run, and in which a branch followed the tutorial."""
    folder = clone(tmp_path_factory.mktemp("project"))
    repro(folder)
    run(folder, "make -o setup readme && git add -A && git commit -qm 'as it ran'", home)
    return folder


def test_every_command_of_the_tutorial_runs_as_written(project: Path, home: Path) -> None:
    first = "1. A first experiment"
    for line in commands(first, document=TUTORIAL):
        run(project, line, home)
    params = YAML(typ="safe").load((project / "params.yaml").read_text(encoding="utf-8"))
    assert params["train"]["negatives"] == 4000
    for line in commands("2. Several at once, by the queue", document=TUTORIAL):
        run(project, line, home)
    assert len(run(project, "dvc exp list --name-only", home).split()) == 3
    (compare,) = commands("3. Is it real?", document=TUTORIAL)
    said = run(project, compare, home)
    assert "train.negatives" in said
    assert "smaller-sample" in said.splitlines()[0]
    for line in commands("4. Commit it", document=TUTORIAL):
        last = run(project, line.replace("make ", "make -o setup "), home)
    assert "up to date" in last
    assert command(project, "git", "status", "--porcelain").stdout == ""


def test_the_workflow_runs_what_the_branch_ran(project: Path, home: Path, tmp_path: Path) -> None:
    """The workflow's own commands, in the branch that the tutorial made; a remote stands for GitHub."""
    run(project, "git remote add origin . && git fetch -q origin", home)
    summary = tmp_path / "summary.md"
    steps = YAML(typ="safe").load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["compare"]["steps"]
    lines = [step["run"].replace("make ", "make -o setup ") for step in steps if "run" in step]
    assert len(lines) == 2
    for line in lines:
        given = f"export BASE=origin/main GITHUB_STEP_SUMMARY={summary}; {line}"
        done = command(project, "bash", "-c", given, HOME=str(home))
        assert done.returncode in (0, 1), done.stdout
    text = summary.read_text(encoding="utf-8")
    assert "### Gate" in text
    assert ("### Gate: passed" in text) == (done.returncode == 0)


def test_make_does_not_run_what_a_branch_is_called() -> None:
    """Git allows such names; the workflow gives them to make by the environment."""
    (step,) = (
        step
        for step in YAML(typ="safe").load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["compare"]["steps"]
        if "make compare" in step.get("run", "")
    )
    line = step["run"].replace("make ", "make --dry-run -o setup ")
    done = command(ROOT, "bash", "-c", line, BASE='origin/a";id;"$(info b)', GITHUB_STEP_SUMMARY="summary")
    assert done.returncode == 0
    assert "forestall compare" in done.stdout
    assert "origin" not in done.stdout
