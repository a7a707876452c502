"""What a run found, on one screen: scores beside the one-line rule's, and the machines most at risk."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from forestall.data.clock import hour_of
from forestall.errors import ForestallError
from forestall.pipeline.params import PARAMS, read_params
from forestall.pipeline.stage import read_dataset

FIGURES = {
    "event_recall": "failures caught in time",
    "alarm_precision": "alarms that were right",
    "false_alarms_per_machine_month": "false alarms per machine-month",
    "lead_time_median_h": "median lead time, {unit}",
    "cost_per_machine_month": "cost per machine-month",
}
WIDTH = 110


def summary(root: Path) -> str:
    """The whole screen.

    Raises:
        ForestallError: the pipeline has not run yet.
    """
    params = read_params(root / PARAMS)
    model, policies = _read_metrics(root / "metrics/test.json"), _read_table(root / "metrics/policies.csv")
    _, unit = hour_of(read_dataset(params.data.dataset, root).clock.unit)
    parts = [
        f"Dataset {params.data.dataset}, model {params.train.family}, test fold",
        scores(model, policies, unit),
        "Most at risk (all: data/predictions/fleet.csv)",
        most_at_risk(_read_table(root / "data/predictions/fleet.csv"), params.predict.top),
        "To use dvc and forestall in this shell: source .venv/bin/activate",
    ]
    return "\n\n".join(parts)


def scores(model: dict[str, Any], policies: pd.DataFrame, unit: str) -> str:
    """The headline figures, model beside one-line rule; lead times are in `unit`."""
    rows = policies[(policies["fold"] == "test") & (policies["policy"] == "one_line_rule")]
    rule = rows.iloc[0].to_dict() if len(rows) else {}
    lines = [f"{'':34}{'model':>12}{'one-line rule':>16}"]
    for name, label in FIGURES.items():
        lines.append(
            f"  {label.format(unit=unit):32}{figure(model.get(name)):>12}{figure(rule.get(name)):>16}"
        )
    return "\n".join([*lines, *_verdict(model, rule)])


def _verdict(model: Mapping[Any, Any], rule: Mapping[Any, Any]) -> list[str]:
    """A warning where the model is not worth its trouble."""
    costs = [figures.get("cost_per_machine_month", math.nan) for figures in (model, rule)]
    return ["", "The one-line rule is cheaper on this dataset: use it."] if costs[1] <= costs[0] else []


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


def _read_metrics(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_existing(file).read_text(encoding="utf-8"))
    return content


def _read_table(file: Path) -> pd.DataFrame:
    return pd.read_csv(_existing(file), dtype={"machine": str, "component": str})


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise ForestallError(f"{file}: no such file. Run `dvc repro` (or `make`) first.")
    return file
