"""The studies' dvc.yaml files say what their scripts do, and stay out of the pipeline's way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forestall.data.settings import read_yaml
from forestall.pipeline.imports import code_deps, is_code
from tests.pipeline import declarations
from tests.pipeline.clones import command
from tests.pipeline.repository import first_run

ROOT = Path(__file__).parents[2]
STAGES: dict[str, dict[str, Any]] = read_yaml(ROOT / "studies/dvc.yaml")["stages"]
# What makes the others' features, asks for a table that is not ours to give, or runs DVC itself.
NO_STUDIES = {"origins", "early_warning", "tune"}

each_study = pytest.mark.parametrize("name", STAGES)


def test_every_script_is_a_study() -> None:
    scripts = {script.stem for script in (ROOT / "studies").glob("*.py")} - NO_STUDIES
    assert scripts == set(STAGES)


@each_study
def test_it_runs_its_own_library(name: str) -> None:
    commands = STAGES[name]["cmd"]
    first, *before = reversed([commands] if isinstance(commands, str) else commands)
    assert first == f"PYTHONPATH=src python studies/{name}.py"
    assert before in ([], ["PYTHONPATH=src python studies/origins.py"])


@each_study
def test_deps_are_what_the_script_imports(name: str) -> None:
    deps = STAGES[name]["deps"]
    code = [dep for dep in deps if is_code(dep)]
    assert code == code_deps(STAGES[name], ROOT), "run `make deps`"
    assert deps[: len(code)] == code


@each_study
def test_params_are_what_the_script_loads(name: str) -> None:
    loaded = declarations.in_script(ROOT / f"studies/{name}.py")
    named = declarations.in_dvc(STAGES[name])
    assert named.params == loaded.params
    assert named.dataset == loaded.dataset


@each_study
def test_all_that_it_makes_is_in_git(name: str) -> None:
    """A clone that has not run it is up to date all the same."""
    stage = STAGES[name]
    assert "outs" not in stage
    for entry in [*stage.get("metrics", []), *stage.get("plots", [])]:
        ((path, options),) = entry.items()
        assert path.startswith(("studies/results/", "studies/figures/"))
        assert options["cache"] is False


def test_no_study_reads_the_truth() -> None:
    for script in (ROOT / "studies").glob("*.py"):
        assert "data/truth" not in script.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.pipeline
def test_sweeps_record_each_trial_as_an_experiment_and_leave_the_tree_alone(tmp_path: Path) -> None:
    folder = first_run(tmp_path)
    sweep = command(folder, "python", "studies/tune.py", "--trials", "2", "--most-trees", "12")
    assert sweep.returncode == 0, sweep.stdout
    assert "to take it over: dvc exp apply tune-1-" in sweep.stdout
    queued = command(folder, "dvc", "exp", "run", "--queue", "-S", "train.extra_trees.min_leaf=5")
    assert queued.returncode == 0, queued.stdout
    ran = command(folder, "dvc", "exp", "run", "--run-all", "--jobs", "1")
    assert ran.returncode == 0, ran.stdout
    names = command(folder, "dvc", "exp", "list", "--name-only").stdout.split()
    assert {"tune-1-0", "tune-1-1"} < set(names)
    assert len(names) == 3
    assert command(folder, "git", "status", "--porcelain").stdout == ""
