"""params.yaml: errors name the file and the key; DVC changes only the line that is asked for."""

import difflib
import itertools
import re
import shutil
from pathlib import Path
from typing import get_args

import pytest
from dvc.utils.hydra import apply_overrides

from forestall.data.settings import read_yaml
from forestall.errors import SettingsError
from forestall.pipeline.params import AlarmParams, TrainParams, read_params
from forestall.training.families import Family
from forestall.training.thresholds import By

ROOT = Path(__file__).parents[2]
DATASET_FILES = sorted((ROOT / "data/raw").glob("*.yaml"))


@pytest.fixture
def params(tmp_path: Path) -> Path:
    """A copy of params.yaml."""
    return Path(shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml"))


def test_committed_params_are_valid() -> None:
    assert read_params(ROOT / "params.yaml").train.family == "extra_trees"


def test_choices_are_those_of_the_library() -> None:
    choices = {
        name: set(get_args(model.model_fields[name].annotation))
        for model, name in ((TrainParams, "family"), (AlarmParams, "by"))
    }
    assert choices == {"family": set(get_args(Family)), "by": set(get_args(By))}
    assert set(get_args(Family)) <= set(TrainParams.model_fields)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("+train.random_forest.treees=5", "train.random_forest.treees: unknown key; did you mean 'trees'?"),
        ("+trian.seed=5", "trian: unknown key; did you mean 'train'?"),
        ("train.random_forest.trees=abc", "train.random_forest.trees: Input should be a valid integer"),
        ("train.random_forest.trees='5'", "train.random_forest.trees: Input should be a valid integer"),
        ("train.random_forest.trees=true", "train.random_forest.trees: Input should be a valid integer"),
        (
            "train.random_forest.trees=0",
            "train.random_forest.trees: Input should be greater than or equal",
        ),
        ("train.family=forest", "train.family: Input should be 'extra_trees', 'random_forest'"),
        ("train.seed=-1", "train.seed: Input should be greater than or equal to 0"),
        ("alarm.budget=.nan", "alarm.budget: Input should be"),
        ("alarm.budget=null", "alarm.budget: Input should be a valid number"),
        ("prepare.carry_forward=49", "prepare.carry_forward: Input should be less than or equal to 48"),
        ("data.dataset=../secret", "data.dataset: String should match"),
        ("simulate.machines=0", "simulate.machines: Input should be greater than or equal to 1"),
        ("~alarm.quiet", "alarm.quiet: missing; add it."),
        ("train.negatives=1", "train: extra_trees.min_leaf is more than negatives"),
    ],
)
def test_errors_name_file_and_key(params: Path, change: str, message: str) -> None:
    apply_overrides(params, [change])
    with pytest.raises(SettingsError, match=re.escape(f"{params}: {message}")):
        read_params(params)


def test_some_group_of_features_must_be_on(params: Path) -> None:
    groups = ["sensors", "errors", "replacements", "schedule", "machine", "gaps"]
    apply_overrides(params, [f"features.groups.{group}=false" for group in groups])
    with pytest.raises(SettingsError, match=r"features\.groups: all groups are off"):
        read_params(params)


def test_a_whole_number_is_a_share_too(params: Path) -> None:
    apply_overrides(params, ["train.random_forest.max_features=1"])
    assert read_params(params).train.random_forest.max_features == 1.0


def test_outside_the_repository_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="top folder"):
        read_params(tmp_path / "params.yaml")


def test_dvc_changes_only_the_line_asked_for(params: Path) -> None:
    old = params.read_text(encoding="utf-8").splitlines()
    apply_overrides(params, ["train.seed=77"])
    new = params.read_text(encoding="utf-8").splitlines()
    changed = [line for line in difflib.ndiff(old, new) if line[0] in "+-"]
    assert changed == ["-   seed: 1", "+   seed: 77"]


@pytest.mark.parametrize("file", DATASET_FILES, ids=lambda file: file.name)
def test_dvc_changes_only_the_value_asked_for(file: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copyfile(file, tmp_path / file.name))
    apply_overrides(copy, ["costs.failure=77"])
    expected = read_yaml(file)
    expected["costs"]["failure"] = 77
    assert read_yaml(copy) == expected


def test_every_param_has_a_comment_above() -> None:
    lines = (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines()
    bare = [
        line
        for above, line in itertools.pairwise(lines)
        if re.match(r" *\w+: \S", line) and not above.lstrip().startswith("#")
    ]
    assert bare == []
