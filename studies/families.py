"""families: every family of models and every other policy by cost, over rolling origins before the test fold."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from forestall.evaluation.alternatives import alternatives
from forestall.evaluation.origin_data import FIGURES, over_origins, read_origins
from forestall.evaluation.study_plots import draw_costs
from forestall.evaluation.trials import recipe_of, setting_of, trial, with_groups
from forestall.features.labels import TEST
from forestall.pipeline import files, stage
from forestall.training.families import Family

ORIGINS, PREPARED, OUT = Path("data/studies"), Path("data/prepared"), Path("studies/results")
SECTIONS = ["clock", "tables", "components", "decisions", "windows", "split", "costs"]


def main() -> None:
    """Write studies/results/origins.csv, families.csv and families.json, and a figure."""
    settings = stage.load(params=["features", "train", "alarm", "evaluate"], dataset=SECTIONS)
    train, alarm = settings.params.train, settings.params.alarm
    groups = [name for name, on in settings.params.features.groups if on]
    setting, rows = setting_of(alarm), []
    for origin, whole, described in read_origins(ORIGINS, PREPARED, settings.dataset, alarm.quiet):
        data = with_groups(whole, described, groups)
        scores = alternatives(data, TEST, alarm.by, settings.params.evaluate.min_failures)
        for family in get_args(Family):
            stage.progress(f"origin {origin}: {family}")
            scores[family] = trial(data, recipe_of(train, alarm, family=family), setting, [TEST])[TEST]
        rows += [{"origin": origin, "policy": policy, **one} for policy, one in scores.items()]
    table = pd.DataFrame(rows)[["origin", "policy", *FIGURES]]
    summary = over_origins(table, ["policy"])
    files.write_csv(OUT / "origins.csv", table)
    files.write_csv(OUT / "families.csv", summary)
    best = summary[np.isin(summary["policy"], get_args(Family))].iloc[0]
    figures = {name: best[name] for name in ("cost_per_machine_month", "cost_spread", "event_recall")}
    files.write_json(OUT / "families.json", {"cheapest": best["policy"], **figures})
    draw_costs(table, "policy", Path("studies/figures/families.png"))


if __name__ == "__main__":
    stage.run(main)
