"""The pipeline really run by `dvc repro`, in clones of this repository, on a small fleet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.clones import STAGES, clone, command, killed_after, lock, repro, set_values
from tests.pipeline.interruptions import go_on
from tests.pipeline.repository import first_run
from tests.pipeline.surroundings import CHANGES, differences, strange_home, together

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the pipeline has run once."""
    return first_run(tmp_path_factory.mktemp("project"))


def test_nothing_changed_runs_nothing(project: Path) -> None:
    before = lock(project)
    assert repro(project) == []
    assert lock(project) == before


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        ("params.yaml", {"predict.reasons": 2}, {"predict"}),
        pytest.param(
            "params.yaml",
            {"alarm.quiet": 3},
            {"train", "export", "evaluate", "predict", "card"},
            marks=pytest.mark.slow,
        ),
        (
            "data/raw/simulated.yaml",
            {"costs.failure": 50000},
            {"train", "export", "evaluate", "predict", "card"},
        ),
        ("data/raw/simulated.yaml", {"about": "other words"}, {"card"}),
    ],
)
def test_only_what_depends_on_a_change_runs(
    file: str, change: dict[str, Any], expected: set[str], project: Path
) -> None:
    kept = (project / file).read_bytes()
    before = lock(project)
    set_values(project, file, change)
    assert set(repro(project)) <= expected
    assert (lock(project) != before) == bool(expected)
    (project / file).write_bytes(kept)
    assert repro(project) == []  # from the run-cache
    assert lock(project) == before


def test_the_same_bytes_elsewhere(project: Path, tmp_path: Path) -> None:
    away = together(CHANGES.values())
    other = clone(tmp_path / away.folder)
    (other / "matplotlibrc").write_text("lines.linewidth: 9\n", encoding="utf-8")
    own = {"HOME": str(strange_home(tmp_path / "home")), "TMPDIR": str(tmp_path)}
    assert len(repro(other, *away.words, **away.variables, **own)) == len(STAGES)
    assert differences(project, other) == []
    assert lock(other) == lock(project)
    for file in sorted((project / "metrics").rglob("*.*")):
        assert file.read_bytes() == (other / file.relative_to(project)).read_bytes()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"train.random_forest.trees": "abc"}, r"params\.yaml: train\.random_forest\.trees: .*'abc'"),
        ({"train.famly": "mlp"}, r"params\.yaml: train\.famly: unknown key; did you mean 'family'\?"),
        ({"data.dataset": "nowhere"}, r"data/raw/nowhere"),
    ],
)
def test_a_wrong_param_is_refused_and_nothing_is_lost(
    setting: dict[str, Any], said: str, project: Path
) -> None:
    kept, before = (project / "params.yaml").read_bytes(), lock(project)
    try:
        set_values(project, "params.yaml", {"predict.reasons": 4, **setting})
        done = command(project, "dvc", "repro")
    finally:
        (project / "params.yaml").write_bytes(kept)
    assert done.returncode != 0
    assert re.search(said, done.stdout), done.stdout
    assert repro(project) == []
    assert lock(project) == before


@pytest.mark.slow
def test_a_killed_run_ends_with_the_right_bytes_the_next_time(project: Path) -> None:
    before = lock(project)
    assert killed_after(project, 4.0, "dvc", "repro", "--force"), "the run was over before it was killed"
    go_on(project)
    assert lock(project) == before
    said = command(project, "dvc", "status", "dvc.yaml").stdout.strip()
    assert said.endswith("Data and pipelines are up to date.")
