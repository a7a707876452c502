"""skill: what the skill is made of; ablations, shuffled labels, single features, and how many failures are needed."""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from pathlib import Path

import pandas as pd

from forestall.evaluation.answers import single_features
from forestall.evaluation.origin_data import ALL, FIGURES, read_origins
from forestall.evaluation.study_plots import draw_costs, draw_learning
from forestall.evaluation.trials import (
    ABLATIONS,
    never,
    recipe_of,
    setting_of,
    training_failures,
    trial,
    with_groups,
    with_shuffled_labels,
    with_training_machines,
)
from forestall.features.labels import TEST, VALIDATION, within
from forestall.pipeline import files, stage

ORIGINS, PREPARED, OUT = Path("data/studies"), Path("data/prepared"), Path("studies/results")
FIGURE_FOLDER = Path("studies/figures/skill")
SECTIONS = ["clock", "tables", "components", "decisions", "windows", "split", "costs"]
FOLDS, SHARES, REPEATS, TOP = (VALIDATION, TEST), (0.1, 0.2, 0.4, 0.7), 2, 10


def main() -> None:
    """Write studies/results/skill.csv, single_features.csv, learning.csv and skill.json, and figures."""
    settings = stage.load(params=["features", "train", "alarm"], dataset=SECTIONS)
    params, components = settings.params, list(settings.dataset.components)
    usual = [name for name, on in params.features.groups if on]
    recipe, setting = recipe_of(params.train, params.alarm), setting_of(params.alarm)
    origin = read_origins(ORIGINS, PREPARED, settings.dataset, params.alarm.quiet, ALL)
    _, whole, described = next(origin)
    data = with_groups(whole, described, usual)
    scores = {}
    for name, changes in ABLATIONS.items():
        stage.progress(name)
        groups = [group for group, on in (dict(params.features.groups) | changes).items() if on]
        scores[name] = trial(with_groups(whole, described, groups), recipe, setting, FOLDS)
    stage.progress("shuffled labels")
    scores["shuffled labels"] = trial(with_shuffled_labels(data, params.train.seed), recipe, setting, FOLDS)
    scores["never an alarm"] = {fold: never(data, fold) for fold in FOLDS}
    table = pd.DataFrame(
        [{"fold": fold, "features": name, **one[fold]} for name, one in scores.items() for fold in FOLDS]
    )[["fold", "features", *FIGURES]]
    files.write_csv(OUT / "skill.csv", table)
    kept = ~data.rows(TEST)
    labels = within(data.decisions.loc[kept, [f"label.{name}" for name in components]].to_numpy())
    alone = single_features(data.features[kept], data.names, labels, components)
    files.write_csv(OUT / "single_features.csv", alone.groupby("component", sort=True).head(TOP))
    full = {"share": 1.0, "repeat": 0, "training_failures": training_failures(data)}
    rows = [{**full, "fold": fold, **one} for fold, one in scores["everything"].items()]
    for share in SHARES:
        for repeat in range(REPEATS):
            stage.progress(f"{share:.0%} of the machines, draw {repeat}")
            part = with_training_machines(data, share, params.train.seed + repeat)
            found = {"share": share, "repeat": repeat, "training_failures": training_failures(part)}
            rows += [
                {**found, "fold": fold, **one} for fold, one in trial(part, recipe, setting, FOLDS).items()
            ]
    learning = pd.DataFrame(rows).sort_values(["share", "repeat"], kind="stable")
    files.write_csv(
        OUT / "learning.csv", learning[["share", "repeat", "training_failures", "fold", *FIGURES]]
    )
    flagged = alone[alone["knows_the_answer"]]
    knows = [
        f"{component}: {name}"
        for component, name in zip(flagged["component"], flagged["feature"], strict=True)
    ]
    for name in knows:
        print(f"warning: {name} knows the answer by itself: find out when it is recorded")
    files.write_json(OUT / "skill.json", {"features_that_know_the_answer": len(knows), "they_are": knows})
    draw_costs(table[table["fold"] == VALIDATION], "features", FIGURE_FOLDER / "costs.png")
    draw_learning(learning, FIGURE_FOLDER / "learning.png")


if __name__ == "__main__":
    stage.run(main)
