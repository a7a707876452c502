"""`forestall compare --rerun`: a clone without cache or remote compares all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pipeline.clones import command, repro, set_values
from tests.pipeline.repository import commit, first_run

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a run, and one with other params after it."""
    folder = first_run(tmp_path_factory.mktemp("rerun") / "project")
    assert command(folder, "git", "checkout", "-qb", "work").returncode == 0
    set_values(folder, "params.yaml", {"train.extra_trees.min_leaf": 40})
    repro(folder)
    commit(folder)
    return folder


def compare(folder: Path, file: Path, *words: str, temporary: Path) -> tuple[dict[str, object], str]:
    temporary.mkdir(exist_ok=True)
    line = ("forestall", "compare", *words, "--json", str(file))
    done = command(folder, *line, TMPDIR=str(temporary))
    assert done.returncode == 0, done.stdout
    assert list(temporary.iterdir()) == []
    return json.loads(file.read_text(encoding="utf-8")), done.stdout


def test_without_a_cache_outputs_are_made_again_and_compared(project: Path, tmp_path: Path) -> None:
    fresh, temporary = tmp_path / "fresh", tmp_path / "temporary"
    assert command(tmp_path, "git", "clone", "-q", str(project), str(fresh)).returncode == 0
    ends = ("origin/main", "origin/work")
    alone, said = compare(fresh, tmp_path / "alone.json", *ends, temporary=temporary)
    assert "is neither in the cache nor in a remote" in said and "make it again with --rerun" in said
    again, said = compare(fresh, tmp_path / "again.json", *ends, "--rerun", temporary=temporary)
    assert "neither in the cache" not in said, said
    with_cache, _ = compare(project, tmp_path / "cached.json", "main", "work", temporary=temporary)
    for key in ("figures", "verdict", "failures", "alarms", "slices", "rulings", "changes"):
        assert again[key] == with_cache[key]
    assert alone["verdict"] != again["verdict"] or alone["figures"] != again["figures"]
    assert command(fresh, "git", "status", "--porcelain").stdout == ""


def test_a_base_without_a_lock_is_run(project: Path, tmp_path: Path) -> None:
    assert command(project, "git", "checkout", "-q", "work").returncode == 0
    first = command(project, "git", "rev-list", "--max-parents=0", "HEAD").stdout.strip()
    found, said = compare(project, tmp_path / "a.json", first, "work", "--rerun", temporary=tmp_path / "t")
    same, _ = compare(project, tmp_path / "b.json", "main", "work", temporary=tmp_path / "t")
    assert "no dvc.lock" not in said
    assert found["figures"] == same["figures"]
