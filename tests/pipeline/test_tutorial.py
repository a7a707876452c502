"""The tutorial, followed to the letter: from an idea to what the workflow on a pull request runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.pipeline.clones import ROOT, command
from tests.pipeline.how_to import as_shown, newcomer, run, said, shown
from tests.pipeline.repository import first_run

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
TUTORIAL = ROOT / "docs/tutorial/first-change.md"
WORKFLOW = ROOT / ".github/workflows/compare.yml"

# What `forestall compare` adds on the small fleet, on which no study ran.
OTHER_DATA = re.compile(r"^> The spread over seeds was measured elsewhere .*$", re.MULTILINE)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return newcomer(tmp_path_factory.mktemp("home") / "new")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """A project whose main branch has run, and in which a branch followed the tutorial."""
    folder = first_run(tmp_path_factory.mktemp("project"))
    run(folder, "make -o setup readme && git add -A && git commit -qm 'as it ran'", home)
    return folder


def follow(project: Path, home: Path, heading: str) -> None:
    """Run a section's commands; each prints what the tutorial shows of it, in form, where it shows anything."""
    for line, lines in shown(heading, TUTORIAL):
        done = said(project, line.replace("make ", "make -o setup "), home)
        refused = any(one.startswith(("ERROR: ", "forestall: ")) for one in lines)
        gate = "make compare" in line and "### Gate: NOT passed" in done.stdout
        assert bool(done.returncode) == (refused or gate), f"{line}\n{done.stdout}"
        if lines:
            as_shown(lines, OTHER_DATA.sub("", done.stdout))


def test_every_command_of_the_tutorial_runs_and_prints_as_written(project: Path, home: Path) -> None:
    follow(project, home, "1. A first experiment")
    params = YAML(typ="safe").load((project / "params.yaml").read_text(encoding="utf-8"))
    assert params["train"]["negatives"] == 4000
    page = (project / "dvc_plots/index.html").read_text(encoding="utf-8")
    pictures = re.findall(r"^!\[(.+)\]\((.+)\)$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(pictures) == 2
    for title, file in pictures:
        assert f'"{title}"' in page
        assert (TUTORIAL.parent / file).is_file()
    follow(project, home, "2. Several at once, by the queue")
    assert len(run(project, "dvc exp list --name-only", home).split()) == 5
    follow(project, home, "3. Is it real?")
    assert "train.negatives" in run(project, "forestall compare main smaller-sample", home)
    follow(project, home, "4. Commit it")
    assert command(project, "git", "status", "--porcelain").stdout == ""
    follow(project, home, "5. Before the pull request")


def test_an_output_that_is_not_what_was_printed_is_found() -> None:
    printed = "one: 1.5 s\n\n| figure | base |\n|---|---|\n| recall | 0.5 |\nthree\n"
    as_shown(["one: 27 s", "| figure | base |", "|--|--|", "| recall | 0.735 |", "three"], printed)
    as_shown(["…", "| recall | 0.735 |", "…"], printed)
    for wrong in (
        ["one: 1.5 min", "…"],
        ["| figure | head |", "…"],
        ["…", "| precision | 0.5 |", "…"],
        ["…", "| recall | 0.5 | 1 |", "…"],
        ["one: 1.5 s", "three"],
        ["one: 1.5 s"],
        ["…", "one: 1.5 s"],
        ["…", "three", "…", "one: 1.5 s", "…"],
    ):
        with pytest.raises(AssertionError):
            as_shown(wrong, printed)


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
