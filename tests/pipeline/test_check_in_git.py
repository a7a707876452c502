"""What `forestall check` says of a clone without data, by what Git knows of it: nothing has to run for that."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.pipeline.clones import ROOT, clone, command
from tests.pipeline.repository import commit, git
from tests.pipeline.verdicts import WELL

ADVICE = "`git add` it with what it was made of"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this repository with what was made of them, as far as Git has it."""
    folder = clone(tmp_path_factory.mktemp("whole") / "project", {})
    shutil.copy(ROOT / "dvc.lock", folder)
    shutil.copytree(ROOT / "metrics", folder / "metrics")
    commit(folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy", symlinks=True))


def check(folder: Path, **variables: str) -> tuple[int, str]:
    done = command(folder, "python", "-P", "-m", "forestall.cli", "check", **variables)
    return done.returncode, done.stdout


def test_a_figure_that_git_ignores_is_said(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "ignore").write_text("*.csv\n", encoding="utf-8")
    git(copy, "config", "core.excludesFile", str(tmp_path / "ignore"))
    assert check(copy) == (0, WELL)
    git(copy, "rm", "-q", "--cached", "metrics/slices.csv")
    commit(copy)
    advice = "`git add --force metrics/slices.csv`, or let Git have it"
    said = f"uncommitted: metrics/slices.csv is not in Git, which ignores it: {advice}\n"
    assert check(copy) == (1, said)


def test_compiled_code_in_git_is_said(copy: Path) -> None:
    forged = copy / "src/forestall/__pycache__/errors.cpython-311.pyc"
    forged.parent.mkdir(exist_ok=True)
    forged.touch()
    assert check(copy) == (0, WELL)
    git(copy, "add", "--force", str(forged))
    path = forged.relative_to(copy)
    assert check(copy) == (
        1,
        f"imports: {path} is in Git, and Python may run it for the source: `git rm {path}`\n",
    )


def test_other_pipelines_are_named(copy: Path) -> None:
    (copy / "plants").mkdir()
    (copy / "plants/dvc.yaml").write_text("stages: {}\n", encoding="utf-8")
    commit(copy)
    note = "note: plants/dvc.yaml is not read here: `dvc status plants/dvc.yaml` says whether it is behind\n"
    assert check(copy) == (0, note + WELL)


def test_below_the_top_of_a_repository_paths_are_those_of_the_project(copy: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy / ".git")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    (copy / "metrics/new.csv").write_text("a\n", encoding="utf-8")
    code, said = check(copy)
    assert (code, said.splitlines()[0]) == (
        1,
        f"uncommitted: metrics/new.csv is not in Git as it is here: {ADVICE}",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_anothers_repository_is_told_as_git_tells_it(copy: Path) -> None:
    os.chown(copy, 1234, 1234)
    code, said = check(copy, LANG="de_DE.UTF-8", SUDO_UID="")
    assert code == 1 and "Git does not read" in said and "git config --global --add safe.directory" in said
