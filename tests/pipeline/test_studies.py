"""The studies' dvc.yaml files say what their scripts do, and stay out of the pipeline's way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forestall.data.settings import read_yaml
from forestall.pipeline import declarations
from forestall.pipeline.imports import LOCK, stage_modules

ROOT = Path(__file__).parents[2]
STAGES: dict[str, dict[str, Any]] = {
    name: stage
    for file in ("studies/dvc.yaml", "studies/azure/dvc.yaml")
    for name, stage in read_yaml(ROOT / file)["stages"].items()
}

each_study = pytest.mark.parametrize("name", STAGES)


def test_every_script_is_a_study() -> None:
    scripts = {script.stem for script in (ROOT / "studies").glob("*.py")} - {"tune"}
    assert scripts == set(STAGES)


@each_study
def test_it_runs_its_own_library(name: str) -> None:
    assert STAGES[name]["cmd"] == f"PYTHONPATH=src python studies/{name}.py"


@each_study
def test_deps_are_what_the_script_imports(name: str) -> None:
    wanted = [f"studies/{name}.py", *stage_modules(ROOT / f"studies/{name}.py", ROOT), LOCK]
    deps = STAGES[name]["deps"]
    assert deps[: len(wanted)] == wanted
    assert not [dep for dep in deps[len(wanted) :] if dep.endswith(".py")]


@each_study
def test_params_are_what_the_script_loads(name: str) -> None:
    loaded = declarations.in_script(ROOT / f"studies/{name}.py")
    named = declarations.in_dvc(STAGES[name])
    assert named.params == loaded.params
    if name != "early_warning":  # which reads the whole of another dataset's file
        assert named.dataset == loaded.dataset


@each_study
def test_results_are_in_git_and_figures_in_dvc(name: str) -> None:
    stage = STAGES[name]
    entries = [*stage.get("metrics", []), *stage.get("plots", [])]
    for entry in entries:
        ((path, options),) = entry.items()
        assert path.startswith("studies/results/")
        assert options == {"cache": False}
    assert all(out.startswith(("studies/figures/", "data/studies")) for out in stage["outs"])


def test_no_study_reads_the_truth() -> None:
    for script in (ROOT / "studies").glob("*.py"):
        assert "data/truth" not in script.read_text(encoding="utf-8")
