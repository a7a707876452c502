"""Months of few failures, of which the pipeline's slices tell no shares, are not told as missed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from forestall.serving.page.record_rows import Month, Record
from forestall.serving.page.record_tables import MODEL, RULE, read_record

ROOT = Path(__file__).parents[3]


def months(record: Record | None) -> dict[tuple[str, str], Month]:
    assert record is not None
    return {(one.month, one.policy): one for one in record.months}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The repository's own metrics, to be changed."""
    shutil.copytree(ROOT / "metrics", tmp_path / "metrics")
    return tmp_path


def test_a_month_of_few_failures(workspace: Path) -> None:
    whole = months(read_record(workspace))
    path = workspace / "metrics" / "slices.csv"
    slices = pd.read_csv(path, dtype={"value": str})
    few = slices["value"] == "2024-11"
    slices.loc[few, "event_recall"] = float("nan")
    slices.to_csv(path, index=False)
    record = read_record(workspace)
    found = months(record)
    assert found["2024-11", MODEL] == whole["2024-11", MODEL] and found["2024-11", MODEL].caught
    unknown = found["2024-11", RULE]
    assert (unknown.caught, unknown.missed, unknown.false) == (None, None, whole["2024-11", RULE].false)
    assert record is not None and record.has_few
    assert found["2024-12", RULE] == whole["2024-12", RULE]


def test_a_record_without_the_model_is_none(workspace: Path) -> None:
    path = workspace / "metrics" / "policies.csv"
    policies = pd.read_csv(path)
    policies[policies["policy"] != MODEL].to_csv(path, index=False)
    assert read_record(workspace) is None
