"""Files and keys go to the factor that they belong to."""

from __future__ import annotations

from typing import Any

import pytest

from forestall.comparison.factors import Factor, factor_of, mixed, one_sided

BASE: dict[str, Any] = {
    "data": {"dataset": "simulated"},
    "simulate": {"seed": 1, "machines": 30},
    "train": {"family": "mlp", "gone": 1, "mlp": {"hidden": 8}},
}
HEAD: dict[str, Any] = {
    "data": {"dataset": "mill"},
    "simulate": {"seed": 2, "machines": 30},
    "train": {"family": "decision_tree", "mlp": {"hidden": 16, "new": 3}},
}


@pytest.mark.parametrize(
    ("path", "factor"),
    [
        ("src/train.py", "code"),
        ("src/forestall/data/clean.py", "code"),
        ("dvc.yaml", "code"),
        ("requirements/pipeline.txt", "environment"),
        ("data/raw/mill.dvc", "data"),
        ("data/raw/mill/failures.csv", "data"),
        ("params.yaml", None),
        ("data/raw/mill.yaml", None),
        ("data/raw/.gitignore", None),
        ("requirements/dev.txt", None),
        ("studies/dvc.yaml", None),
        ("metrics/validation.json", None),
        ("README.md", None),
    ],
)
def test_a_file_has_one_factor_or_none(path: str, factor: Factor | None) -> None:
    assert factor_of(path) == factor


def test_what_the_tables_are_is_data_and_the_rest_is_params() -> None:
    data = mixed("params.yaml", BASE, HEAD, {"data"}, code_differs=False)
    assert data == HEAD | {"train": BASE["train"]}
    params = mixed("params.yaml", BASE, HEAD, {"params"}, code_differs=False)
    assert params == BASE | {"train": HEAD["train"]}


def test_a_key_that_one_side_knows_goes_with_the_code() -> None:
    params = mixed("params.yaml", BASE, HEAD, {"params"}, code_differs=True)
    assert params["train"] == {"family": "decision_tree", "gone": 1, "mlp": {"hidden": 16}}
    code = mixed("params.yaml", BASE, HEAD, {"code"}, code_differs=True)
    assert code["train"] == {"family": "mlp", "mlp": {"hidden": 8, "new": 3}}
    assert one_sided("params.yaml", BASE, HEAD) == ["train.gone", "train.mlp.new"]


@pytest.mark.parametrize("code_differs", [False, True])
def test_all_factors_make_head_and_none_makes_base(code_differs: bool) -> None:
    every: set[Factor] = {"code", "params", "data", "environment"}
    assert mixed("params.yaml", BASE, HEAD, every, code_differs) == HEAD
    assert mixed("params.yaml", BASE, HEAD, set(), code_differs) == BASE


def test_a_plants_own_names_are_no_words_of_the_code() -> None:
    base = {"components": {"seal": {}}, "costs": {"failure": 1}}
    head = {"components": {"seal": {}, "motor": {}}, "costs": {"failure": 2, "fine": 3}}
    params = mixed("data/raw/mill.yaml", base, head, {"params"}, code_differs=True)
    assert params == {"components": head["components"], "costs": {"failure": 2}}
    assert one_sided("data/raw/mill.yaml", base, head) == ["costs.fine"]
