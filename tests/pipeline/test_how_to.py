"""The how-to for one's own data, followed to the letter by a newcomer with five CSV files."""

from __future__ import annotations

from pathlib import Path

import pytest

from forestall.data.settings import read_yaml
from tests.pipeline.clones import clone, command, repro
from tests.pipeline.exports import write_exports
from tests.pipeline.how_to import commands, console, newcomer, run

pytestmark = pytest.mark.pipeline


def test_five_files_become_a_model_by_the_how_tos_own_commands(tmp_path: Path) -> None:
    project, home = clone(tmp_path / "project"), newcomer(tmp_path / "home")
    write_exports(home / "exports", tmp_path)
    listing, propose = commands("1. Let a dataset file be proposed")
    shown = console("1. Let a dataset file be proposed")[1].split()
    assert run(project, listing, home).split() == shown
    run(project, propose, home)
    (add,) = commands("3. Put the tables under DVC")
    # The packages are there: only the environment in .venv is not made again.
    run(project, add.replace("make ", "make -o setup "), home)
    seen = command(project, "git", "status", "--porcelain", "--untracked-files=all").stdout.split("\n")
    assert sorted(line[3:] for line in seen if line) == [
        "data/raw/.gitignore",
        "data/raw/mill.dvc",
        "data/raw/mill.yaml",
    ]
    for line in commands("4. Run")[:2]:
        said = run(project, line, home)
    assert said.startswith("Dataset mill")
    assert read_yaml(project / "params.yaml")["data"]["dataset"] == "mill"
    assert repro(project) == []
