"""Branches that really ran, merged: `forestall check` names what `dvc repro` runs, which ends as one run of both."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.clones import command, repro, set_values
from tests.pipeline.repository import commit, dvc, first_run_without_studies, git
from tests.pipeline.verdicts import WELL, told_begun, told_stale

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


def reasons(folder: Path) -> None:
    set_values(folder, "params.yaml", {"predict.reasons": 2})


def words(folder: Path) -> None:
    set_values(folder, "data/raw/simulated.yaml", {"about": "other words"})


def fewer(folder: Path) -> None:
    set_values(folder, "params.yaml", {"evaluate.min_failures": 8})


def quarters(folder: Path) -> None:
    """Other slices, and another budget of alarms, of which `fewer` changes only the slices."""
    for file, was, now in (
        ("slices", "BANDS = (1 / 3, 2 / 3)", "BANDS = (1 / 4, 3 / 4)"),
        ("budgets", "BUDGETS = (1, 2, 5, 10, 20)", "BUDGETS = (1, 2, 5, 10, 30)"),
    ):
        place = folder / f"src/forestall/evaluation/{file}.py"
        text = place.read_text(encoding="utf-8")
        assert was in text
        place.write_text(text.replace(was, now), encoding="utf-8")


def without_predict(folder: Path) -> None:
    for file in ("dvc.yaml", "dvc.lock"):
        lines = (folder / file).read_text(encoding="utf-8").splitlines(keepends=True)
        begin, end = lines.index("  predict:\n"), lines.index("  card:\n")
        (folder / file).write_text("".join(lines[:begin] + lines[end:]), encoding="utf-8")


def on_branch(folder: Path, name: str, *changes: Callable[[Path], None]) -> None:
    """A branch from `main` on which these were changed, and the pipeline ran."""
    git(folder, "switch", "-qc", name, "main")
    for change in changes:
        change(folder)
    repro(folder)
    commit(folder, name)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project with branches; `x+y` has the changes of both, made at once."""
    folder = first_run_without_studies(tmp_path_factory.mktemp("merge") / "project")
    (folder / ".venv").symlink_to(sys.prefix)
    on_branch(folder, "reasons", reasons)
    on_branch(folder, "words", words)
    on_branch(folder, "reasons+words", reasons, words)
    on_branch(folder, "fewer", fewer)
    on_branch(folder, "quarters", quarters)
    on_branch(folder, "fewer+quarters", fewer, quarters)
    git(folder, "switch", "-qc", "without", "main")
    without_predict(folder)
    commit(folder, "without")
    git(folder, "switch", "-q", "main")
    return folder


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(project, tmp_path / "copy", symlinks=True))


def merge(folder: Path, ours: str, theirs: str) -> None:
    git(folder, "switch", "-q", ours)
    git(folder, "merge", "-q", theirs)


def checkout(folder: Path) -> None:
    assert dvc(folder, "checkout") == 0


def check(folder: Path) -> str:
    return command(folder, "forestall", "check").stdout


def begun(folder: Path) -> set[str]:
    """The stages that `dvc repro` runs, or restores from what has run."""
    done = command(folder, "dvc", "repro")
    assert done.returncode == 0, done.stdout
    return told_begun(done.stdout)


def test_stages_that_one_side_each_ran_need_no_run(copy: Path) -> None:
    merge(copy, "reasons", "words")
    checkout(copy)
    assert check(copy) == WELL
    assert begun(copy) == set()
    assert git(copy, "diff", "reasons+words") == ""


def test_outputs_that_were_not_checked_out_are_named_and_restored(copy: Path) -> None:
    checkout(copy)  # those of `main`
    merge(copy, "reasons", "words")
    assert told_stale(check(copy)) == {"predict", "card"}
    assert begun(copy) == {"predict", "card"}
    assert (check(copy), git(copy, "diff", "reasons+words")) == (WELL, "")


def test_what_both_ran_is_named_run_and_then_as_if_changed_at_once(copy: Path) -> None:
    merge(copy, "fewer", "quarters")
    checkout(copy)
    said = check(copy)
    assert "src/forestall/evaluation/slices.py has changed since it ran" in said
    assert "metrics/budget.csv is not what the stage made" in said  # of which `quarters` alone made another
    assert (copy / "metrics/slices.csv").read_text() == git(copy, "show", "fewer:metrics/slices.csv") + "\n"
    assert told_stale(said) == {"evaluate"}
    assert begun(copy) == {"evaluate", "card"}  # card, since its figures are others then
    assert git(copy, "diff", "fewer+quarters") == ""
    assert "stale" not in check(copy)


def test_a_stage_that_one_side_removed_is_gone_whatever_the_other_ran(copy: Path) -> None:
    merge(copy, "reasons", "without")
    checkout(copy)
    assert check(copy) == WELL
    assert begun(copy) == set()
    assert "  predict:\n" not in (copy / "dvc.lock").read_text(encoding="utf-8")
    git(copy, "switch", "-q", "without")
    git(copy, "rebase", "-q", "reasons")
    assert check(copy) == WELL
