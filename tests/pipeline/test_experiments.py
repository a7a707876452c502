"""Experiments run their own code, params and data, whatever becomes of the workspace meanwhile."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.pipeline.clones import command, environment, lock, set_values
from tests.pipeline.repository import dvc, experiment, first_run, git, own
from tests.pipeline.verdicts import WELL

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
CODE = "src/forestall/evaluation/card.py"  # of the library: an installed package would be found before it
MARK = """

_written = model_card


def model_card(facts: Facts) -> str:
    return _written(facts) + "\\nMade by code {}.\\n"
"""
SCORES = "src/forestall/evaluation/scores.py"
RANKING = "src/forestall/serving/fleet.py"
TABLE = "data/raw/plant/errors.csv"
PATIENCE = 300.0  # seconds


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project that has run, on tables of its own."""
    folder = first_run(tmp_path_factory.mktemp("experiments") / "project")
    own(folder)
    return folder


@pytest.fixture(autouse=True)
def as_it_was(project: Path) -> None:
    """Whatever the last test has left in the workspace."""
    git(project, "reset", "-q", "--hard")
    assert dvc(project, "checkout", "--force") == 0


def edit(folder: Path, mark: str) -> None:
    """Other code, which writes its mark into the model card."""
    git(folder, "checkout", "-q", "--", CODE)
    with (folder / CODE).open("a", encoding="utf-8") as file:
        file.write(MARK.format(mark))


def spoil(folder: Path) -> None:
    """A workspace in which nothing would run, or not on these tables."""
    for file in (CODE, RANKING, "src/card.py", "src/predict.py", "params.yaml"):
        (folder / file).write_text("raise SystemExit('the workspace was used')\n", encoding="utf-8")
    (folder / TABLE).unlink()


def queue(folder: Path, name: str, *words: str) -> None:
    done = command(folder, "dvc", "exp", "run", "--queue", "--name", name, *words)
    assert done.returncode == 0, done.stdout


def at(folder: Path, name: str, place: Path) -> Path:
    """A clone at an experiment, with the project's cache."""
    git(folder, "clone", "-q", "--no-checkout", str(folder), str(place))
    git(place, "fetch", "-q", "origin", "refs/exps/*:refs/exps/*")
    git(place, "checkout", "-q", experiment(folder, name))
    assert dvc(place, "cache", "dir", "--local", str(folder / ".dvc/cache")) == 0
    assert dvc(place, "checkout") == 0
    return place


def reasons(folder: Path) -> int:
    """The most reasons that a line of the fleet's list has."""
    listed = pd.read_csv(folder / "data/predictions/fleet.csv")["reasons"].dropna()
    return max(len(str(text).split("; ")) for text in listed)


def mark(folder: Path) -> str:
    text = (folder / "reports/model_card.md").read_text(encoding="utf-8")
    return "".join(re.findall(r"^Made by code (\w+)\.$", text, re.MULTILINE))


def run_while(folder: Path, line_of: str, then: Callable[[Path], None], *words: str) -> tuple[int, str]:
    """Run a command; when it prints a line that begins so, do something to its folder."""
    began = subprocess.Popen(
        words, cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert began.stdout is not None
    said = []
    for line in began.stdout:
        said.append(line)
        if line.startswith(line_of):
            then(folder)
    return began.wait(), "".join(said)


def test_queued_ones_are_what_was_queued_by_two_workers(project: Path, tmp_path: Path) -> None:
    edit(project, "one")
    queue(project, "one", "-S", "predict.reasons=1")
    edit(project, "two")
    set_values(project, "params.yaml", {"predict.reasons": 2})
    queue(project, "two")
    git(project, "checkout", "-q", "--", CODE, "params.yaml")
    table = project / TABLE
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(lines[:-40]), encoding="utf-8")
    assert dvc(project, "add", "data/raw/plant") == 0
    queue(project, "tables")
    git(project, "checkout", "-q", "--", "data/raw/plant.dvc")
    spoil(project)
    workspace = git(project, "status", "--porcelain")
    assert dvc(project, "queue", "start", "--jobs", "2") == 0
    wait(project)
    assert git(project, "status", "--porcelain") == workspace
    for name, marked, number in (("one", "one", 1), ("two", "two", 2), ("tables", "", 3)):
        place = at(project, name, tmp_path / name)
        assert (mark(place), reasons(place)) == (marked, number)
        done = command(place, "forestall", "check", *(["--rerun"] if name == "tables" else []))
        assert done.returncode == 0 and WELL in done.stdout, done.stdout
    assert len((tmp_path / "tables" / TABLE).read_text(encoding="utf-8").splitlines()) == len(lines) - 40


def wait(folder: Path) -> None:
    """Until the workers have nothing left to do."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        said = command(folder, "dvc", "queue", "status").stdout
        if not re.search(r"\b(Queued|Running)\b", said):
            assert len(re.findall(r"\bSuccess\b", said)) == 3, said
            return
        time.sleep(1)
    pytest.fail(said)


def test_a_temporary_one_is_what_it_began_with(project: Path, tmp_path: Path) -> None:
    edit(project, "three")
    words = ("dvc", "exp", "run", "--temp", "--name", "three", "-S", "predict.reasons=1")
    code, said = run_while(project, "> python src/predict.py", spoil, *words)
    assert code == 0, said
    place = at(project, "three", tmp_path / "three")
    assert (mark(place), reasons(place)) == ("three", 1)
    assert command(place, "forestall", "check").returncode == 0


@pytest.mark.parametrize(
    "words", [("dvc", "exp", "run", "--name", "four"), ("dvc", "repro")], ids=["experiment", "repro"]
)
def test_what_was_edited_while_it_ran_is_not_recorded(words: tuple[str, ...], project: Path) -> None:
    def edit_late(folder: Path) -> None:
        with (folder / SCORES).open("a", encoding="utf-8") as file:
            file.write("# Edited.\n")

    with (project / SCORES).open("a", encoding="utf-8") as file:
        file.write("# Other code.\n")
    before = lock(project)
    code, said = run_while(project, "scoring", edit_late, *words)  # evaluate says so when all of it is loaded
    assert code != 0
    assert f"evaluate: {SCORES} changed while this ran" in said
    assert lock(project) == before
    assert git(project, "for-each-ref", "refs/exps/*/*/four") == ""


def test_one_in_the_workspace_is_the_workspace(project: Path, tmp_path: Path) -> None:
    edit(project, "five")
    done = command(project, "dvc", "exp", "run", "--name", "five", "-S", "predict.reasons=1")
    assert done.returncode == 0, done.stdout
    place = at(project, "five", tmp_path / "five")
    assert (mark(place), reasons(place)) == ("five", 1) == (mark(project), reasons(project))
    assert command(place, "forestall", "check").returncode == 0
