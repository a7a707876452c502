"""What a run found, on one screen: scores and costs beside other policies', and the machines most at risk."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from forestall.data.clock import hour_of
from forestall.errors import ForestallError
from forestall.evaluation.card import too_good
from forestall.pipeline.params import PARAMS, read_params
from forestall.pipeline.stage import read_dataset

COST = "cost_per_machine_month"
FIGURES = {
    "event_recall": "failures caught in time",
    "alarm_precision": "alarms that were right",
    "false_alarms_per_machine_month": "false alarms per machine-month",
    "lead_time_median_h": "median lead time, {unit}",
    COST: "cost per machine-month",
}
MODEL, RULE = "model", "one_line_rule"
ALTERNATIVES = {
    "run_to_failure": "run to failure",
    "fixed_interval": "fixed interval",
    "as_run": "plant as run",
    RULE: "one-line rule",
}
POLICIES = ALTERNATIVES | {MODEL: "model", "perfect_foresight": "perfect foresight"}
WIDTH = 110
Figures = Mapping[str, Mapping[Any, Any]]  # policy -> name -> figure


def summary(root: Path) -> str:
    """The whole screen.

    Raises:
        ForestallError: the pipeline has not run yet.
    """
    params = read_params(root / PARAMS)
    policies = figures_by_policy(_read_table(root / "metrics/policies.csv"))
    differences = model_differences(_read_table(root / "metrics/intervals.csv"))
    _, unit = hour_of(read_dataset(params.data.dataset, root).clock.unit)
    parts = [
        f"Dataset {params.data.dataset}, model {params.train.family}, test fold",
        scores(policies, unit),
        costs(policies, differences),
        *verdict(policies, differences),
        *too_good(_read_table(root / "metrics/calibration.csv")),
        "Most at risk (all: data/predictions/fleet.csv)",
        most_at_risk(_read_table(root / "data/predictions/fleet.csv"), params.predict.top),
        "To use dvc and forestall in this shell: source .venv/bin/activate",
    ]
    return "\n\n".join(parts)


def figures_by_policy(policies: pd.DataFrame) -> Figures:
    """The test fold's rows of metrics/policies.csv: policy -> name -> figure."""
    rows = policies[policies["fold"] == "test"].set_index("policy")
    return {str(policy): row.to_dict() for policy, row in rows.iterrows()}


def model_differences(intervals: pd.DataFrame) -> Figures:
    """How the model's cost differs on the test fold, from metrics/intervals.csv: policy -> value, low, high."""
    rows = intervals[(intervals["fold"] == "test") & (intervals["metric"] == COST)].set_index("policy")
    beginning = f"{MODEL} - "
    return {
        str(policy).removeprefix(beginning): row[["value", "low", "high"]].to_dict()
        for policy, row in rows.iterrows()
        if str(policy).startswith(beginning)
    }


def scores(policies: Figures, unit: str) -> str:
    """The alarms' figures, model beside one-line rule; lead times are in `unit`."""
    model, rule = policies.get(MODEL, {}), policies.get(RULE, {})
    lines = [f"{'':34}{'model':>12}{'one-line rule':>16}"]
    lines += [
        f"  {label.format(unit=unit):32}{figure(model.get(name)):>12}{figure(rule.get(name)):>16}"
        for name, label in FIGURES.items()
        if name != COST
    ]
    return "\n".join(lines)


def costs(policies: Figures, differences: Figures) -> str:
    """Every policy's cost, and how much dearer (or, below 0, cheaper) the model is than it."""
    lines = [f"  {FIGURES[COST]:44}    model less this, 95 % interval"]
    for policy, label in POLICIES.items():
        cost, than = figure(policies.get(policy, {}).get(COST)), differences.get(policy)
        lines.append(f"    {label:30}{cost:>12}    {_in_words(than) if than else ''}".rstrip())
    return "\n".join(lines)


def _in_words(difference: Mapping[Any, Any]) -> str:
    value, low, high = (_signed(difference[name]) for name in ("value", "low", "high"))
    return f"{value:>7} ({low} to {high})"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{figure(value)}"


def verdict(policies: Figures, differences: Figures) -> list[str]:
    """A warning where the model is not worth its trouble, or not surely."""
    known = {name: policies.get(name, {}).get(COST, math.nan) for name in (MODEL, *ALTERNATIVES)}
    others = {name: cost for name, cost in known.items() if name != MODEL and not math.isnan(cost)}
    if not others or math.isnan(known[MODEL]):
        return []
    best = min(others, key=lambda name: others[name])
    if others[best] <= known[MODEL]:
        label, surely = ALTERNATIVES[best], differences.get(best, {}).get("low", -1) > 0
        if surely:
            return [f"Cheaper than the model on this dataset: {label}. Use it."]
        return [f"Not dearer than the model on this dataset, if not surely cheaper: {label}. It is simpler."]
    doubtful = [
        label
        for name, label in ALTERNATIVES.items()
        if name in others and differences.get(name, {}).get("high", 0) >= 0
    ]
    return [f"The model is not surely cheaper than: {', '.join(doubtful)}."] if doubtful else []


def most_at_risk(fleet: pd.DataFrame, top: int) -> str:
    """The machines with the highest risk, each by its worst component."""
    known = fleet[fleet["risk"].notna()].sort_values("risk", ascending=False, kind="stable")
    worst = known.drop_duplicates("machine").head(top)
    if worst.empty:
        return "  no machine has a risk: data/predictions/fleet.csv says why"
    names = worst["machine"].astype(str)
    wide = max(7, names.str.len().max()), max(9, worst["component"].astype(str).str.len().max())
    lines = [f"  {'machine':{wide[0]}}  {'component':{wide[1]}}  {'risk':>6}  {'alarm':5}  why"]
    for name, (_, row) in zip(names, worst.iterrows(), strict=True):
        alarm, why = row.get("alarm"), row["reasons"] if isinstance(row["reasons"], str) else ""
        line = f"  {name:{wide[0]}}  {row['component']:{wide[1]}}  {row['risk']:6.1%}  {alarm or '':5}  {why}"
        lines.append(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…")
    return "\n".join(lines)


def figure(value: Any) -> str:
    """A figure to three significant digits, or a dash where it is undefined."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _read_table(file: Path) -> pd.DataFrame:
    return pd.read_csv(_existing(file), dtype={"machine": str, "component": str})


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise ForestallError(
            f"{file}: no such file. Run `dvc repro` (or `make`) first, or `dvc pull` if somebody has run it."
        )
    return file
