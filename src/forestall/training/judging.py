"""A fold's decisions and events as the series that alarms are judged on."""

from __future__ import annotations

import pandas as pd

from forestall.data.clock import DAYS_PER_MONTH
from forestall.data.dataset import Dataset
from forestall.data.events import Events, absent_pairs
from forestall.features.labels import fold_ends
from forestall.training.series import Rules, Series, series_of


def rules_of(dataset: Dataset, quiet: int) -> Rules:
    """The rules by which alarms open, close and are right."""
    t, decisions = dataset.ticks, dataset.decisions
    return Rules(horizon=t(decisions.horizon), min_lead=t(decisions.min_lead), quiet=quiet)


def series_of_fold(decisions: pd.DataFrame, events: Events, dataset: Dataset, fold: str, end: int) -> Series:
    """The series of a fold's decisions (machine, time); `end` is the end of all data."""
    until = fold_ends(end, dataset)[fold] if dataset.split.by == "time" else end
    absent = absent_pairs(events.machines, dataset)
    return series_of(decisions, list(dataset.components), absent, events.failures, events.maintenance, until)


def month_ticks(dataset: Dataset) -> float:
    """Ticks in a month of the dataset's clock."""
    if dataset.clock.per_month is not None:
        return dataset.clock.per_month
    return DAYS_PER_MONTH * 86400


def machine_months(decisions: pd.DataFrame, dataset: Dataset) -> float:
    """How many machine-months some decisions cover."""
    return len(decisions) * dataset.ticks(dataset.decisions.every) / month_ticks(dataset)
