"""dvc.yaml says what the stage scripts do: a dep or param it does not name would change without a rerun."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from forestall.data.dataset import Dataset
from forestall.data.settings import read_yaml
from forestall.pipeline.imports import code_deps, is_code, pipelines_in
from forestall.pipeline.params import Params
from tests.pipeline import declarations

ROOT = Path(__file__).parents[2]
STAGES: dict[str, dict[str, Any]] = read_yaml(ROOT / "dvc.yaml")["stages"]
DATASET_FILE = "data/raw/${data.dataset}.yaml"
TABLES: dict[str, dict[str, Any]] = {
    table: plot
    for file in pipelines_in(ROOT)
    for stage in read_yaml(ROOT / file)["stages"].values()
    for entry in stage.get("plots", [])
    for table, plot in entry.items()
    if table.endswith(".csv")
}

FIGURES = [
    file
    for stage in STAGES.values()
    for entry in [*stage.get("metrics", []), *stage.get("plots", [])]
    for file in entry
    if not file.startswith("metrics/plots/")
]

each_stage = pytest.mark.parametrize("name", STAGES)


def test_every_script_is_a_stage() -> None:
    assert {script.stem for script in (ROOT / "src").glob("*.py")} == set(STAGES)


@each_stage
def test_command_and_description(name: str) -> None:
    assert STAGES[name]["cmd"] == f"python src/{name}.py"
    assert STAGES[name].get("desc"), f"give the stage {name} a desc"


@each_stage
def test_code_deps_are_what_the_script_imports(name: str) -> None:
    deps = STAGES[name]["deps"]
    code = [dep for dep in deps if is_code(dep)]
    assert code == code_deps(STAGES[name], ROOT), "run `make deps`"
    assert deps[: len(code)] == code, "code comes first: run `make deps`"


@each_stage
def test_params_are_what_the_script_loads(name: str) -> None:
    assert declarations.in_dvc(STAGES[name]) == declarations.in_script(ROOT / "src" / f"{name}.py")


@each_stage
def test_declared_sections_exist(name: str) -> None:
    declared = declarations.in_dvc(STAGES[name])
    assert set(declared.params) <= set(Params.model_fields)
    assert set(declared.dataset) <= set(Dataset.model_fields)


@each_stage
def test_params_come_from_the_two_files_only(name: str) -> None:
    files = [file for entry in STAGES[name].get("params", []) if isinstance(entry, dict) for file in entry]
    assert files in ([], [DATASET_FILE])


@each_stage
def test_metrics_and_plots_are_in_git(name: str) -> None:
    entries = [*STAGES[name].get("metrics", []), *STAGES[name].get("plots", [])]
    for entry in entries:
        assert isinstance(entry, dict), f"{entry}: give it `cache: false`"
        assert all(options.get("cache") is False for options in entry.values()), entry


@pytest.mark.parametrize("file", FIGURES)
def test_the_reference_names_every_file_of_figures_and_every_column(file: str) -> None:
    reference = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\w+", reference))
    assert re.search(rf"`([\w{{}},]*/)?{re.escape(Path(file).name)}`", reference), file
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.endswith(".csv"):
        assert set(text.partition("\n")[0].split(",")) <= named


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_drawn_by_their_columns(table: str) -> None:
    # What has no axes DVC draws all the same: the last column, by row number.
    plot = TABLES[table]
    header = (ROOT / table).read_text(encoding="utf-8").partition("\n")[0].split(",")
    assert {plot[axis] for axis in ("x", "y") if axis in plot} <= set(header)
    assert plot.keys() >= {"template", "y", "title", "x_label", "y_label"}
    template = json.loads((ROOT / f".dvc/plots/{plot['template']}.json").read_text(encoding="utf-8"))
    assert template["data"] == {"values": "<DVC_METRIC_DATA>"}
    assert ("x" in plot) == ("'<DVC_METRIC_X>'" in str(template)), "counts has no x, all others have one"
