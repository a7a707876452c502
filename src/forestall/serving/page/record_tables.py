"""What the pipeline measured of the model on this plant, read from the tables of `metrics/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forestall.serving.page.record_rows import Budget, ComponentRow, Failure, Month, PolicyRow, Record
from forestall.serving.page.words import own_texts

FOLD, MODEL, RULE = "test", "model", "one_line_rule"
POLICIES = (MODEL, RULE, "fixed_interval", "as_run", "run_to_failure", "perfect_foresight")
TEXTS = ("machine", "component", "time", "value", "cause")
TABLES = ("policies", "intervals", "slices", "budget", "budget_misses", "failures")


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
        tables = {name: _table(metrics / f"{name}.csv") for name in TABLES}
        rules = {str(key): str(rule) for key, rule in _json(metrics / "rule.json").items()}
        text = card.read_text(encoding="utf-8") if card.is_file() else ""
        return _record(tables, rules, text)
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None


def _table(path: Path) -> pd.DataFrame:
    """With names as they are written: `007` is no 7, and `NA` may be one."""
    found = pd.read_csv(path, dtype=dict.fromkeys(TEXTS, str), keep_default_na=False, na_values=[""])
    return found.fillna(dict.fromkeys([name for name in TEXTS if name in found], ""))


def _json(path: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _record(tables: Mapping[str, pd.DataFrame], rules: Mapping[str, str], card: str) -> Record:
    failures = tables["failures"]
    failures = failures[failures["fold"] == FOLD]
    thresholds = dict(zip(failures["component"], failures["threshold"].astype(float), strict=True))
    policies = _policies(tables["policies"], tables["intervals"])
    if all(one.policy != MODEL for one in policies):
        raise KeyError(MODEL)
    return Record(
        policies=policies,
        alarms_per_week=_alarms_per_week(tables["policies"], tables["budget"]),
        months=_months(tables["slices"], failures),
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
        cost=_figure(row["cost_per_machine_month"]),
        low=_or_none(interval.get("low", np.nan)),
        high=_or_none(interval.get("high", np.nan)),
    )


def _months(slices: pd.DataFrame, failures: pd.DataFrame) -> list[Month]:
    chosen = slices[
        (slices["fold"] == FOLD) & (slices["slice"] == "month") & slices["policy"].isin([MODEL, RULE])
    ]
    by_model = failures[failures["caught"] == "yes"]["time"].str[:7].value_counts()
    return [_month(row, by_model) for row in chosen.to_dict("records")]


def _month(row: Mapping[Any, Any], by_model: pd.Series[int]) -> Month:
    month, policy, failures = str(row["value"]), str(row["policy"]), int(row["failures"])
    recall = _or_none(row["event_recall"])
    caught = None if recall is None else round(recall * failures)
    if caught is None and (policy == MODEL or not failures):
        caught = int(by_model.get(month, 0))  # there is a list of all failures, but of the model's alone
    rate = _or_none(row["false_alarms_per_machine_month"]) or 0.0
    false = round(rate * (_or_none(row["machine_months"]) or 0.0))
    return Month(month, policy, caught, None if caught is None else failures - caught, false)


def _components(slices: pd.DataFrame) -> dict[str, ComponentRow]:
    of_model = slices[
        (slices["fold"] == FOLD) & (slices["policy"] == MODEL) & (slices["slice"] == "component")
    ]
    return {str(row["value"]): _component(row) for row in of_model.to_dict("records")}


def _component(row: Mapping[Any, Any]) -> ComponentRow:
    return ComponentRow(
        alarms=int(row["alarms"]),
        precision=_or_none(row["alarm_precision"]),
        recall=_or_none(row["event_recall"]),
        false_alarms=_or_none(row["false_alarms_per_machine_month"]),
        cost=_or_none(row["cost_per_machine_month"]),
    )


def _failures(failures: pd.DataFrame) -> list[Failure]:
    texts = failures[["machine", "component", "time", "cause"]].to_dict("records")
    caught = (failures["caught"] == "yes").tolist()
    return [
        Failure(row["machine"], row["component"], row["time"], yes, _cause(row["cause"]))
        for row, yes in zip(texts, caught, strict=True)
    ]


def _cause(cause: str) -> str:
    """One that there are words for, or nothing."""
    return cause if f"cause_{cause}" in own_texts() else ""


def _budgets(budgets: pd.DataFrame, misses: pd.DataFrame) -> list[Budget]:
    columns = [misses[name] for name in ("machine", "component", "time")]
    missed: dict[int, list[tuple[str, str, str]]] = {}
    for budget, *failure in zip(misses["budget"].tolist(), *columns, strict=True):
        missed.setdefault(budget, []).append((failure[0], failure[1], failure[2]))
    return [
        Budget(
            budget=int(row["budget"]),
            alarms_per_week=_figure(row["alarms_per_week"]),
            recall=_or_none(row["event_recall"]),
            precision=_or_none(row["alarm_precision"]),
            cost=_figure(row["cost_per_machine_month"]),
            missed=missed.get(int(row["budget"]), []),
        )
        for row in budgets.to_dict("records")
    ]


def _figure(value: Any) -> float:
    """A number that there always is; without it the file is not whole."""
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"{value} is no figure.")
    return number


def _or_none(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
