"""The rolling origins that the studies' first stage wrote, as the data that trials are made on; figures over them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from forestall.data import store
from forestall.data.dataset import Dataset
from forestall.evaluation.judge import Data
from forestall.features.columns import Feature
from forestall.features.files import read_features
from forestall.features.origins import events_until, last_until, rolling
from forestall.features.reference import Reference

ALL = "all"
FIGURES = (
    "cost_per_machine_month",
    "event_recall",
    "alarm_precision",
    "false_alarms_per_machine_month",
    "lead_time_median_h",
    "average_precision",
    "failures",
)


def read_origins(
    folder: Path, prepared: Path, dataset: Dataset, quiet: int, wanted: str = ""
) -> Iterator[tuple[str, Data, tuple[Feature, ...]]]:
    """Name, data and features of each rolling origin, or of the one that is wanted.

    Args:
        folder: what the stage `origins` wrote. prepared: what the stage `prepare` wrote.
    """
    events, last = store.read_events(prepared, dataset.clock), store.last_readings(prepared, dataset.clock)
    for name, (folded, end) in rolling(dataset, last).items():
        if name != wanted and (wanted or name == ALL):
            continue
        content = json.loads((folder / name / "reference.json").read_text(encoding="utf-8"))
        described = Reference.from_json(content).features
        names = [feature.name for feature in described]
        decisions, features = read_features(folder / name, names, dataset.clock)
        known = events_until(events, end)
        yield name, Data(decisions, features, names, known, folded, last_until(last, end), quiet), described


def over_origins(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean over origins of each figure, and the standard deviation of the cost, cheapest first."""
    figures = [name for name in FIGURES if name in table]
    grouped = table.groupby(by, sort=False)
    result = grouped[figures].mean()
    result.insert(1, "cost_spread", grouped["cost_per_machine_month"].std())
    return result.reset_index().sort_values("cost_per_machine_month", kind="stable", ignore_index=True)
