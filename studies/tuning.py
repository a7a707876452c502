"""tuning: settings of extra_trees by cost over the rolling origins that end before the test fold."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

import time
from pathlib import Path
from typing import Any

import pandas as pd

from forestall.evaluation.origin_data import FIGURES, over_origins, read_origins
from forestall.evaluation.study_plots import draw_costs
from forestall.evaluation.trials import recipe_of, setting_of, trial, with_groups
from forestall.features.labels import TEST
from forestall.pipeline import files, stage

ORIGINS, PREPARED, OUT = Path("data/studies"), Path("data/prepared"), Path("studies/results")
SECTIONS = ["clock", "tables", "components", "decisions", "windows", "split", "costs"]
START: dict[str, Any] = {"trees": 100, "min_leaf": 2, "max_features": 0.3, "negatives": 8000}
CANDIDATES: list[dict[str, Any]] = [
    {},
    {"min_leaf": 1},
    {"min_leaf": 5},
    {"max_features": 0.15},
    {"max_features": 0.6},
    {"negatives": 4000},
    {"negatives": 16000},
    {"trees": 200},
]


def main() -> None:
    """Write studies/results/tuning.csv and tuning_origins.csv, and a figure."""
    settings = stage.load(params=["features", "train", "alarm"], dataset=SECTIONS)
    params, setting = settings.params, setting_of(settings.params.alarm)
    groups = [name for name, on in params.features.groups if on]
    rows = []
    for origin, whole, described in read_origins(ORIGINS, PREPARED, settings.dataset, params.alarm.quiet):
        data = with_groups(whole, described, groups)
        for changes in CANDIDATES:
            started, name = time.process_time(), _name(changes)
            recipe = recipe_of(params.train, params.alarm, family="extra_trees", **(START | changes))
            scores = trial(data, recipe, setting, [TEST])[TEST]
            cost = scores["cost_per_machine_month"]
            seconds = time.process_time() - started
            stage.progress(f"origin {origin}, {name}: {seconds:.0f} s of processor time, cost {cost:.0f}")
            rows.append({"origin": origin, "settings": name, **scores})
    table = pd.DataFrame(rows)[["origin", "settings", *FIGURES]]
    files.write_csv(OUT / "tuning_origins.csv", table)
    files.write_csv(OUT / "tuning.csv", over_origins(table, ["settings"]))
    draw_costs(table, "settings", Path("studies/figures/tuning.png"))


def _name(changes: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in changes.items()) or "as before"


if __name__ == "__main__":
    stage.run(main)
