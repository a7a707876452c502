"""What the pipeline measured of the model on this plant: the tables of `metrics/`, as the record's page tells them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FOLD, MODEL, RULE = "test", "model", "one_line_rule"
POLICIES = (MODEL, RULE, "fixed_interval", "as_run", "run_to_failure", "perfect_foresight")
CLOSE = 5e-4  # to which thresholds are written


@dataclass(frozen=True)
class Month:
    """One month of the test fold under one policy: failures caught and missed, and false alarms."""

    month: str
    policy: str
    caught: int
    missed: int
    false: int


@dataclass(frozen=True)
class PolicyRow:
    """A policy over the test fold; None where a figure is not defined. low, high: of its cost, with 95 %."""

    policy: str
    recall: float | None
    precision: float | None
    false_alarms: float | None
    lead_time: float | None
    cost: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Budget:
    """What so many alarms a week come to. missed: failures that the thresholds in use catch and these would not:
    machine, component, time.
    """

    budget: int
    alarms_per_week: float
    recall: float
    precision: float | None
    cost: float
    missed: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Record:
    """The model's record. failures: of the test fold, as `metrics/failures.csv` has them. card: Markdown, or empty.

    alarms_per_week: with the thresholds in use.
    """

    policies: Sequence[PolicyRow]
    months: Sequence[Month]
    rules: Mapping[str, str]
    budgets: Sequence[Budget]
    failures: pd.DataFrame
    thresholds: Mapping[str, float]
    card: str

    def is_of(self, thresholds: Mapping[str, float]) -> bool:
        """Whether it was measured with a bundle's thresholds: what can be seen of whether it is that bundle's."""
        return all(
            component in thresholds and abs(thresholds[component] - value) < CLOSE
            for component, value in self.thresholds.items()
        )


def read_record(folder: Path) -> Record | None:
    """The record in a workspace's folder; None if there is none, or it is being written."""
    metrics, card = folder / "metrics", folder / "reports" / "model_card.md"
    try:
        tables = {
            name: pd.read_csv(metrics / f"{name}.csv", dtype={"value": str} if name == "slices" else None)
            for name in ("policies", "intervals", "slices", "budget", "budget_misses", "failures")
        }
        rules: dict[str, str] = json.loads((metrics / "rule.json").read_text(encoding="utf-8"))
        text = card.read_text(encoding="utf-8") if card.is_file() else ""
    except (OSError, ValueError):
        return None
    failures = tables["failures"]
    failures = failures[failures["fold"] == FOLD]
    thresholds = failures.groupby("component")["threshold"].first().to_dict()
    return Record(
        policies=_policies(tables["policies"], tables["intervals"]),
        months=_months(tables["slices"]),
        rules=rules,
        budgets=_budgets(tables["budget"], tables["budget_misses"]),
        failures=failures,
        thresholds=thresholds,
        card=text,
    )


def _policies(policies: pd.DataFrame, intervals: pd.DataFrame) -> list[PolicyRow]:
    test = policies[policies["fold"] == FOLD].set_index("policy")
    cost = intervals[(intervals["fold"] == FOLD) & (intervals["metric"] == "cost_per_machine_month")].set_index("policy")
    return [
        PolicyRow(
            policy=name,
            recall=_or_none(test.at[name, "event_recall"]),
            precision=_or_none(test.at[name, "alarm_precision"]),
            false_alarms=_or_none(test.at[name, "false_alarms_per_machine_month"]),
            lead_time=_or_none(test.at[name, "lead_time_median_h"]),
            cost=float(test.at[name, "cost_per_machine_month"]),
            low=_or_none(cost.at[name, "low"]) if name in cost.index else None,
            high=_or_none(cost.at[name, "high"]) if name in cost.index else None,
        )
        for name in POLICIES
        if name in test.index
    ]


def _months(slices: pd.DataFrame) -> list[Month]:
    rows = slices[(slices["fold"] == FOLD) & (slices["slice"] == "month") & slices["policy"].isin([MODEL, RULE])]
    found = []
    for row in rows.itertuples():
        caught = 0 if np.isnan(row.event_recall) else round(row.event_recall * row.failures)
        false = 0 if np.isnan(row.false_alarms_per_machine_month) else round(row.false_alarms_per_machine_month * row.machine_months)
        found.append(Month(str(row.value), str(row.policy), caught, int(row.failures) - caught, false))
    return found


def _budgets(budgets: pd.DataFrame, misses: pd.DataFrame) -> list[Budget]:
    missed = {
        budget: list(zip(some["machine"].astype(str), some["component"].astype(str), some["time"].astype(str), strict=True))
        for budget, some in misses.groupby("budget")
    }
    return [
        Budget(
            budget=int(row.budget),
            alarms_per_week=float(row.alarms_per_week),
            recall=float(row.event_recall),
            precision=_or_none(row.alarm_precision),
            cost=float(row.cost_per_machine_month),
            missed=missed.get(row.budget, []),
        )
        for row in budgets.itertuples()
    ]


def _or_none(value: object) -> float | None:
    number = float(value)  # type: ignore[arg-type]
    return None if np.isnan(number) else number
