"""Outputs laid out as links into a real DVC cache."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from forestall.pipeline.cache import linked

FILES = {"one.csv": "1\n", "in/two.csv": "2\n", "in/same.csv": "1\n"}


@pytest.fixture
def tracked(tmp_path: Path) -> tuple[Any, str]:
    """A cache that holds a folder, and the folder's hash."""
    from dvc.repo import Repo

    folder = tmp_path / "repository"
    for name, text in FILES.items():
        (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for words in (["init", "-q"], ["add", "-q", "data"]):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=folder, check=True)
    known = YAML(typ="safe").load(folder / "data.dvc")["outs"][0]["md5"]
    return Repo(str(folder)).cache.local, known


def test_a_folder_in_the_cache_is_there_with_its_files(tracked: tuple[Any, str], tmp_path: Path) -> None:
    assert linked(*tracked, tmp_path / "copy")
    found = {
        file.relative_to(tmp_path / "copy").as_posix(): file.read_text(encoding="utf-8")
        for file in (tmp_path / "copy").rglob("*.csv")
    }
    assert found == FILES


def test_a_folder_of_which_a_file_is_missing_is_left_to_dvc(tracked: tuple[Any, str], tmp_path: Path) -> None:
    cache, digest = tracked
    lost = next(file for file in Path(cache.path).rglob("*") if file.is_file() and file.suffix != ".dir")
    lost.unlink()
    assert not linked(cache, digest, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("digest", ["0" * 32, f"{'0' * 32}.dir"])
def test_what_the_cache_does_not_have_is_left_to_dvc(
    tracked: tuple[Any, str], tmp_path: Path, digest: str
) -> None:
    assert not linked(tracked[0], digest, tmp_path / "copy")


@pytest.mark.parametrize("text", ["", "{torn", '[{"md5": "x"}]', "{}", "3"])
def test_a_damaged_list_of_a_folder_is_left_to_dvc(
    tracked: tuple[Any, str], tmp_path: Path, text: str
) -> None:
    cache, digest = tracked
    listing = Path(cache.oid_to_path(digest))
    listing.chmod(0o644)
    listing.write_text(text, encoding="utf-8")
    assert not linked(cache, digest, tmp_path / "copy")
