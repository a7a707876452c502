"""Commands that run in a temporary place, and what is made of their words."""

from __future__ import annotations

from pathlib import Path

import pytest

from forestall.pipeline import process

SHELL = Path("/bin")
STAGE = """\
Running stage 'prepare':
> python src/prepare.py
prepare: 1.0 s
Running stage 'train':
> python src/train.py
"""
DVC = "ERROR: failed to reproduce 'train': failed to run: python src/train.py, exited with 1\n"


def test_what_it_prints_is_returned(tmp_path: Path) -> None:
    assert process.run(["sh", "-c", "echo said; echo too >&2"], tmp_path, SHELL, tmp_path) == "said\ntoo\n"


def test_a_failure_has_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(process.FailedError) as failed:
        process.run(["sh", "-c", "echo first; echo last; exit 3"], tmp_path, SHELL, tmp_path)
    assert failed.value.last == "last"


def test_a_program_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(process.FailedError, match="no-such-program"):
        process.run(["no-such-program"], tmp_path, SHELL, tmp_path)


def test_temporary_files_and_another_repository_are_kept_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    said = process.run(
        ["sh", "-c", "echo $TMPDIR$GIT_DIR$PYTHONPATH$PYTHONSAFEPATH"], tmp_path, SHELL, tmp_path
    )
    assert said == f"{tmp_path}\n"


def test_a_stages_own_words_are_the_reason() -> None:
    said = f"{STAGE}train: params.yaml: train.family: no such family.\n  Choose another.\n{DVC}"
    assert process.stages(said) == ["prepare", "train"]
    assert process.reason(said) == "train: params.yaml: train.family: no such family. Choose another."


def test_of_a_traceback_the_last_line_is_the_reason() -> None:
    said = f"{STAGE}Traceback (most recent call last):\n  File x\nModuleNotFoundError: No module named 'x'\n{DVC}"
    assert process.reason(said) == "train: ModuleNotFoundError: No module named 'x'"


def test_without_a_stage_the_reason_is_dvcs() -> None:
    assert process.reason("ERROR: missing data source: 'x'\n") == "missing data source: 'x'"
    assert process.reason("") == "dvc repro failed and said nothing"
