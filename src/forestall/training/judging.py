"""A fold's decisions and events as the series that alarms are judged on."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from forestall.data.clock import DAYS_PER_MONTH
from forestall.data.dataset import Dataset
from forestall.data.events import Events, absent_pairs
from forestall.features.labels import fold_ends, own_ends
from forestall.training.series import Rules, Series, series_of
from forestall.training.thresholds import By

REPAIR_DAYS = 3
DAYS_PER_WEEK = 7


def rules_of(dataset: Dataset, quiet: int) -> Rules:
    """The rules by which alarms open, close and are right."""
    t, decisions = dataset.ticks, dataset.decisions
    return Rules(horizon=t(decisions.horizon), min_lead=t(decisions.min_lead), quiet=quiet)


def series_of_fold(
    decisions: pd.DataFrame, events: Events, dataset: Dataset, fold: str, last: Mapping[str, int]
) -> Series:
    """The series of a fold's decisions (machine, time).

    Args:
        last: the time of each machine's last reading. Folds by time end together; split by machine, each
            machine's data end by themselves.
    """
    own = dataset.split_by_machine
    until = own_ends(last, events.failures) if own else fold_ends(max(last.values()), dataset)[fold]
    return series_of(
        decisions,
        list(dataset.components),
        absent_pairs(events.machines, dataset),
        events.failures,
        events.maintenance,
        until,
        repair_span(dataset),
    )


def repair_span(dataset: Dataset) -> int:
    """Ticks after a failure within which the part's first maintenance row is the repair: three days of the clock.

    Time to order, fit and book a part. A machine under repair hardly runs, so on a counter what it runs in three
    days at its usual rate is the most that can pass.
    """
    return math.ceil(REPAIR_DAYS * month_ticks(dataset) / DAYS_PER_MONTH)


def month_ticks(dataset: Dataset) -> float:
    """Ticks in a month of the dataset's clock."""
    if dataset.clock.per_month is not None:
        return dataset.clock.per_month
    return DAYS_PER_MONTH * 86400


def machine_months(decisions: pd.DataFrame, dataset: Dataset) -> float:
    """How many machine-months some decisions cover."""
    return len(decisions) * dataset.ticks(dataset.decisions.every) / month_ticks(dataset)


def fleet_weeks(decisions: pd.DataFrame, dataset: Dataset) -> float:
    """How many weeks of the whole fleet some decisions cover: of the calendar, or on a counter a mean machine's."""
    if not dataset.own_clocks:
        spans = decisions["time"].nunique() * dataset.ticks(dataset.decisions.every)
        return spans / (DAYS_PER_WEEK * 86400)
    months = machine_months(decisions, dataset) / max(decisions["machine"].nunique(), 1)
    return months * DAYS_PER_MONTH / DAYS_PER_WEEK


def most_alarms(by: By, budget: float, per_week: float, decisions: pd.DataFrame, dataset: Dataset) -> float:
    """How many alarms (by `alarms_per_week`), or else false alarms, a fold's decisions may raise."""
    if by == "alarms_per_week":
        return per_week * fleet_weeks(decisions, dataset)
    return budget * machine_months(decisions, dataset)
