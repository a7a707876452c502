"""What the pipeline measured of the model on this plant: the tables of `metrics/`, as the record's page tells them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLD, MODEL, RULE = "test", "model", "one_line_rule"
POLICIES = (MODEL, RULE, "fixed_interval", "as_run", "run_to_failure", "perfect_foresight")
TABLES = ("policies", "intervals", "slices", "budget", "budget_misses", "failures")
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
class Failure:
    """A failure of the test fold. cause: why it was missed, in English."""

    machine: str
    component: str
    time: str
    caught: bool
    cause: str


@dataclass(frozen=True)
class ComponentRow:
    """How the model's alarms about one component did on the test fold; None where a share is not defined."""

    alarms: int
    precision: float | None
    failures: int
    recall: float | None


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
    """The model's record on the test fold. card: Markdown, or empty.

    alarms_per_week: with the thresholds in use; None if that is not known.
    """

    policies: Sequence[PolicyRow]
    alarms_per_week: float | None
    months: Sequence[Month]
    components: Mapping[str, ComponentRow]
    rules: Mapping[str, str]
    budgets: Sequence[Budget]
    failures: Sequence[Failure]
    thresholds: Mapping[str, float]
    card: str

    @property
    def nearest(self) -> int:
        """The place of the budget that is nearest to the thresholds in use."""
        if self.alarms_per_week is None:
            return 0
        far = [abs(one.alarms_per_week - self.alarms_per_week) for one in self.budgets]
        return far.index(min(far)) if far else 0

    def is_of(self, thresholds: Mapping[str, float]) -> bool:
        """Whether it was measured with a bundle's thresholds: what can be seen of whether it is that bundle's."""
        return all(
            component in thresholds and abs(thresholds[component] - value) < CLOSE
            for component, value in self.thresholds.items()
        )


def read_record(folder: Path) -> Record | None:
    """The record in a workspace's folder; None if there is none, or it is being written."""
    paths = [folder / "metrics" / f"{name}.csv" for name in TABLES]
    paths += [folder / "metrics" / "rule.json", folder / "reports" / "model_card.md"]
    return _read(folder, tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths))


@lru_cache(maxsize=2)
def _read(folder: Path, _: tuple[int, ...]) -> Record | None:
    """The record, read again when one of its files was written."""
    metrics, card = folder / "metrics", folder / "reports" / "model_card.md"
    try:
        kinds = {"slices": {"value": str}}
        tables = {name: pd.read_csv(metrics / f"{name}.csv", dtype=kinds.get(name)) for name in TABLES}
        rules: dict[str, str] = json.loads((metrics / "rule.json").read_text(encoding="utf-8"))
        text = card.read_text(encoding="utf-8") if card.is_file() else ""
        return _record(tables, rules, text)
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def _record(tables: Mapping[str, pd.DataFrame], rules: Mapping[str, str], card: str) -> Record:
    failures = tables["failures"]
    failures = failures[failures["fold"] == FOLD]
    thresholds = dict(
        zip(failures["component"].astype(str), failures["threshold"].astype(float), strict=True)
    )
    return Record(
        policies=_policies(tables["policies"], tables["intervals"]),
        alarms_per_week=_alarms_per_week(tables["policies"], tables["budget"]),
        months=_months(tables["slices"]),
        components=_components(tables["slices"]),
        rules=rules,
        budgets=_budgets(tables["budget"], tables["budget_misses"]),
        failures=_failures(failures),
        thresholds=thresholds,
        card=card,
    )


def _alarms_per_week(policies: pd.DataFrame, budgets: pd.DataFrame) -> float | None:
    """With the thresholds in use; the fold's weeks are those by which the budgets are told."""
    in_use = policies[(policies["fold"] == FOLD) & (policies["policy"] == MODEL)]["alarms"]
    told = budgets[budgets["alarms_per_week"] > 0]
    if told.empty or in_use.empty:
        return None
    weeks = float(told["alarms"].iloc[-1]) / float(told["alarms_per_week"].iloc[-1])
    return float(in_use.iloc[0]) / weeks


def _policies(policies: pd.DataFrame, intervals: pd.DataFrame) -> list[PolicyRow]:
    test = {row["policy"]: row for row in policies[policies["fold"] == FOLD].to_dict("records")}
    of_cost = intervals[(intervals["fold"] == FOLD) & (intervals["metric"] == "cost_per_machine_month")]
    cost = {row["policy"]: row for row in of_cost.to_dict("records")}
    return [_policy(test[name], cost.get(name, {})) for name in POLICIES if name in test]


def _policy(row: Mapping[Any, Any], interval: Mapping[Any, Any]) -> PolicyRow:
    return PolicyRow(
        policy=str(row["policy"]),
        recall=_or_none(row["event_recall"]),
        precision=_or_none(row["alarm_precision"]),
        false_alarms=_or_none(row["false_alarms_per_machine_month"]),
        lead_time=_or_none(row["lead_time_median_h"]),
        cost=float(row["cost_per_machine_month"]),
        low=_or_none(interval.get("low", np.nan)),
        high=_or_none(interval.get("high", np.nan)),
    )


def _months(slices: pd.DataFrame) -> list[Month]:
    chosen = slices[
        (slices["fold"] == FOLD) & (slices["slice"] == "month") & slices["policy"].isin([MODEL, RULE])
    ]
    failures = chosen["failures"].astype(int)
    caught = (chosen["event_recall"].fillna(0.0) * failures).round().astype(int)
    false = chosen["false_alarms_per_machine_month"].fillna(0.0) * chosen["machine_months"].fillna(0.0)
    columns = (
        chosen["value"].astype(str),
        chosen["policy"].astype(str),
        caught,
        failures - caught,
        false.round().astype(int),
    )
    return [Month(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _components(slices: pd.DataFrame) -> dict[str, ComponentRow]:
    of_model = slices[
        (slices["fold"] == FOLD) & (slices["policy"] == MODEL) & (slices["slice"] == "component")
    ]
    return {
        str(row["value"]): ComponentRow(
            int(row["alarms"]),
            _or_none(row["alarm_precision"]),
            int(row["failures"]),
            _or_none(row["event_recall"]),
        )
        for row in of_model.to_dict("records")
    }


def _failures(failures: pd.DataFrame) -> list[Failure]:
    texts = failures[["machine", "component", "time", "cause"]].fillna("").astype(str).to_dict("records")
    caught = (failures["caught"] == "yes").tolist()
    return [
        Failure(row["machine"], row["component"], row["time"], yes, row["cause"])
        for row, yes in zip(texts, caught, strict=True)
    ]


def _budgets(budgets: pd.DataFrame, misses: pd.DataFrame) -> list[Budget]:
    columns = [misses[name].astype(str) for name in ("machine", "component", "time")]
    missed: dict[int, list[tuple[str, str, str]]] = {}
    for budget, *failure in zip(misses["budget"].tolist(), *columns, strict=True):
        missed.setdefault(budget, []).append((failure[0], failure[1], failure[2]))
    return [
        Budget(
            budget=int(row["budget"]),
            alarms_per_week=float(row["alarms_per_week"]),
            recall=float(row["event_recall"]),
            precision=_or_none(row["alarm_precision"]),
            cost=float(row["cost_per_machine_month"]),
            missed=missed.get(int(row["budget"]), []),
        )
        for row in budgets.to_dict("records")
    ]


def _or_none(value: Any) -> float | None:
    number = float(value)
    return None if np.isnan(number) else number
