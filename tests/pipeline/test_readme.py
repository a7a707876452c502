"""The README says what metrics/ says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from forestall.pipeline.readme import with_scores

ROOT = Path(__file__).parents[2]


def test_its_scores_are_those_of_the_committed_metrics() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == with_scores(readme, pd.read_csv(ROOT / "metrics/policies.csv"), "h")


def test_it_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
