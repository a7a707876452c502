"""What `forestall check` says of a clone without data, by what Git knows of it: nothing has to run for that."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.pipeline.clones import ROOT, clone, command, set_values
from tests.pipeline.repository import commit, git
from tests.pipeline.verdicts import WELL

ONLY_HERE = "uncommitted: {} is read by a stage and {}, so that a clone would not have it: `{} add` it"
ADVICE = "not in Git as here: `git add` with what it was made of"


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


def test_figures_of_which_git_does_not_know_share_a_line(copy: Path) -> None:
    for number in range(7):
        (copy / f"metrics/new{number}.csv").touch()
    shown = ", ".join(f"metrics/new{number}.csv" for number in range(5))
    assert check(copy) == (
        1,
        f"uncommitted: {shown} and 2 more: {ADVICE}\n",
    )


def test_what_a_stage_reads_and_a_clone_would_not_have_is_said(copy: Path) -> None:
    late = copy / "src/forestall/late.py"
    late.touch()
    for script in ("card", "train"):
        with (copy / f"src/{script}.py").open("a", encoding="utf-8") as file:
            file.write("import forestall.late\n")
    assert command(copy, "python", "-P", "-m", "forestall.cli", "check", "--fix").returncode == 0
    said = ONLY_HERE.format("src/forestall/late.py", "not in Git", "git")
    assert said in check(copy)[1].splitlines()
    git(copy, "add", "src/forestall/late.py")
    assert "uncommitted" not in check(copy)[1]


def test_a_dep_that_fix_gives_back_asks_for_no_run(copy: Path) -> None:
    file = copy / "dvc.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("      - src/forestall/data/account.py\n", "", 1), encoding="utf-8")
    path = "src/forestall/data/account.py"
    said = f"imports: prepare: {path} is imported and no dep in dvc.yaml: run `forestall check --fix`\n"
    assert check(copy) == (1, said)
    assert command(copy, "python", "-P", "-m", "forestall.cli", "check", "--fix").returncode == 0
    assert check(copy) == (0, WELL)


def test_own_tables_that_a_clone_would_not_have_are_said(copy: Path) -> None:
    shutil.copy(copy / "data/raw/simulated.yaml", copy / "data/raw/plant.yaml")
    shutil.copytree(copy / "metrics", copy / "data/raw/plant")  # any files
    set_values(copy, "params.yaml", {"data.dataset": "plant"})
    (copy / "data/raw/.gitignore").write_text("/plant\n", encoding="utf-8")
    settings = ONLY_HERE.format("data/raw/plant.yaml", "not in Git", "git")
    told = [line for line in check(copy)[1].splitlines() if line.startswith("uncommitted")]
    assert told == [
        ONLY_HERE.format("data/raw/plant", "neither in Git nor in a .dvc file", "dvc"),
        settings,
    ]
    (copy / "data/raw/plant.dvc").write_text("outs:\n- md5: 0.dir\n  path: plant\n", encoding="utf-8")
    told = [line for line in check(copy)[1].splitlines() if line.startswith("uncommitted")]
    assert told == [ONLY_HERE.format("data/raw/plant.dvc", "not in Git", "git"), settings]
    git(copy, "add", "data/raw/plant.dvc", "data/raw/plant.yaml")
    assert "uncommitted" not in check(copy)[1]


def test_a_dataset_file_that_no_stage_would_start_with_is_said(copy: Path) -> None:
    file = copy / "data/raw/simulated.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("min_lead:", "min_leed:"), encoding="utf-8")
    said = "settings: data/raw/simulated.yaml: decisions.min_leed: unknown key; did you mean 'min_lead'?"
    assert said in check(copy)[1].splitlines()
    file.write_text(f"{text}owner: nobody\n", encoding="utf-8")  # no stage reads it, and none would begin
    assert "settings: data/raw/simulated.yaml: owner: unknown key; allowed: " in check(copy)[1]


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
        f"uncommitted: metrics/new.csv: {ADVICE}",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_anothers_repository_is_told_as_git_tells_it(copy: Path) -> None:
    os.chown(copy, 1234, 1234)
    code, said = check(copy, LANG="de_DE.UTF-8", SUDO_UID="")
    assert code == 1 and "Git does not read" in said and "git config --global --add safe.directory" in said
