"""seeds: how far figures move when nothing but the seed of the fit does, on the pipeline's own folds."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

import pandas as pd

from forestall.evaluation.origin_data import ALL, FIGURES, read_origins
from forestall.evaluation.study_plots import draw_costs
from forestall.evaluation.trials import recipe_of, setting_of, trial, with_groups
from forestall.features.labels import TEST, VALIDATION
from forestall.pipeline import files, stage

ORIGINS, PREPARED, OUT = Path("data/studies"), Path("data/prepared"), Path("studies/results")
SECTIONS = ["clock", "tables", "components", "decisions", "windows", "split", "costs"]
FOLDS, SEEDS = (VALIDATION, TEST), 5
SPREAD = ("cost_per_machine_month", "event_recall", "alarm_precision", "false_alarms_per_machine_month")


def main() -> None:
    """Write studies/results/seeds.csv and seeds.json, and a figure."""
    settings = stage.load(params=["data", "features", "train", "alarm"], dataset=SECTIONS)
    params = settings.params
    groups = [name for name, on in params.features.groups if on]
    origin = read_origins(ORIGINS, PREPARED, settings.dataset, params.alarm.quiet, ALL)
    _, whole, described = next(origin)
    data, rows = with_groups(whole, described, groups), []
    for seed in range(params.train.seed, params.train.seed + SEEDS):
        stage.progress(f"seed {seed}")
        recipe = recipe_of(params.train, params.alarm, seed=seed)
        found = trial(data, recipe, setting_of(params.alarm), FOLDS)
        rows += [{"seed": seed, "fold": fold, **scores} for fold, scores in found.items()]
    table = pd.DataFrame(rows)[["seed", "fold", *FIGURES]]
    files.write_csv(OUT / "seeds.csv", table)
    spread = table.groupby("fold")[list(SPREAD)].std()
    figures = {fold: spread.loc[fold].dropna().to_dict() for fold in FOLDS}
    measured = {"dataset": params.data.dataset, "family": params.train.family, "seeds": SEEDS}
    files.write_json(OUT / "seeds.json", measured | figures)
    draw_costs(table, "fold", Path("studies/figures/seeds.png"))


if __name__ == "__main__":
    stage.run(main)
