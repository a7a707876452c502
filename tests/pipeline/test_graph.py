"""What DVC refuses to run at all: stages that do not fit together."""

from __future__ import annotations

from typing import Any

import pytest

from forestall.errors import ForestallError
from forestall.pipeline.graph import check_graph
from forestall.pipeline.stages import read_stages
from forestall.pipeline.staleness import Pipeline


def pipelines(*stages: dict[str, Any]) -> list[Pipeline]:
    """The stages a, b and so on of dvc.yaml; the last one alone is one of studies/dvc.yaml."""
    every = {name: {"cmd": "run"} | stage for name, stage in zip("abc", stages, strict=False)}
    *main, last = every
    files = {"dvc.yaml": main, "studies/dvc.yaml": [last]}
    contents = {file: {"stages": {name: every[name] for name in names}} for file, names in files.items()}
    return [Pipeline(file, read_stages(file, contents.get), {}) for file in contents]


def test_stages_that_fit() -> None:
    made = {"outs": ["made"], "metrics": [{"made.json": {"cache": False}}]}
    check_graph(
        pipelines(made, {"deps": ["made"], "outs": ["more"]}, {"deps": ["../more"], "outs": ["made"]})
    )


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        (({"outs": ["x"]}, {"metrics": ["x"]}, {}), "x is made by a and by b: DVC runs neither"),
        (({"outs": ["x"]}, {}, {"outs": ["../x"]}), "x is made by a and by c: DVC runs neither"),
        (({"outs": ["x"]}, {"outs": ["x/y"]}, {}), "x/y, which b makes, lies in x, which a makes"),
        (({"deps": ["x"], "outs": ["x"]}, {}, {}), "wait for each other, so that DVC runs none: a <- a"),
        (({"deps": ["y"], "outs": ["x"]}, {"deps": ["x/1"], "outs": ["y"]}, {}), "none: a <- b <- a"),
        (({"deps": ["y"], "outs": ["x"]}, {"deps": ["x"], "outs": ["y/1"]}, {}), "none: a <- b <- a"),
        (({"params": [{"y.yaml": ["k"]}], "outs": ["x"]}, {"deps": ["x"], "outs": ["y.yaml"]}, {}), "a <- b"),
    ],
)
def test_stages_that_do_not(stages: tuple[dict[str, Any], ...], said: str) -> None:
    with pytest.raises(ForestallError, match=said):
        check_graph(pipelines(*stages))
