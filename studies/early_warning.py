"""early_warning: 48 hours ahead on azure-pdm-hourly, without the service schedule, against a plain forest; its signals.

The dataset file stays as it is: the study overrides the horizon, the folds and the windows in memory.
"""

import forestall.pipeline.interpreter  # noqa: F401  (checks the environment before anything heavy is loaded)

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from forestall.data.clean import reading_spans
from forestall.data.events import Events
from forestall.data.prepare import prepare
from forestall.evaluation import early
from forestall.evaluation.foreseeable import foreseeable, summary
from forestall.evaluation.judge import Data
from forestall.evaluation.study_plots import draw_early, draw_foreseeable
from forestall.features import origins
from forestall.features.labels import OPINION
from forestall.pipeline import files, stage
from forestall.training.fit import Recipe

NAME, OUT, FIGURE_FOLDER = "azure-pdm-hourly", Path("studies/results/azure"), Path("studies/figures/azure")
HORIZON, TOO_LONG, STEP, WINDOWS, LEAST_LEAD = "48h", "72h", "12d", 3, 36.0
SPANS = ["3h", "12h", "24h", "48h"]
GROUPS = ("sensors", "levels", "errors", "replacements", "machine", "gaps")
SEES = ("sensors", "errors", "replacements")
NO_FOLD = "3h"  # of validation: shorter than the gap, so that no decision is in it


def recipe(family: Any, **settings: Any) -> Recipe:
    """A recipe with every healthy row; nothing is calibrated."""
    return Recipe(family, settings, "sigmoid", negatives=100_000, min_failures=5, seed=1)


def chosen(feature: Any) -> bool:
    """What Forestall's models see here: nothing that knows the schedule or tells machines apart."""
    return feature.group in SEES


TREES = {"trees": 100, "min_leaf": 2, "max_features": 0.3}
PLAIN = {"trees": 300, "min_leaf": 1, "max_features": 0.2, "max_samples": 1.0}
CONTENDERS = [
    early.Contender("plain forest", early.plain, recipe("random_forest", **PLAIN)),
    early.Contender("extra_trees", chosen, recipe("extra_trees", **TREES)),
    early.Contender("extra_trees, 8 best features", chosen, recipe("extra_trees", **TREES), 8),
    early.Contender("logistic_regression, 8 best features", chosen, recipe("logistic_regression", c=0.1), 8),
]


def main() -> None:
    """Write studies/results/azure/ and figures."""
    settings = stage.load(params=["features", "prepare", "alarm"], dataset=[])
    whole = stage.read_dataset(NAME)
    frames: list[pd.DataFrame] = []
    carry = settings.params.prepare.carry_forward
    raw, scratch = Path("data/raw") / NAME, OUT / "scratch"
    events, _, _ = prepare(raw, whole, carry, frames.append, stage.progress, scratch)
    ends = reading_spans(pd.concat(frames))
    last = {str(machine): int(time) for machine, time in zip(ends["machine"], ends["max"], strict=True)}
    codes, quiet = settings.params.features.max_codes, settings.params.alarm.quiet
    _signals(frames, events, whole, last, codes)
    windows = _windows(frames, events, whole, last, codes, quiet)
    data, scores = early.judged_scores(windows, CONTENDERS)
    stage.progress("judging")
    curves = {name: early.curve(data, own) for name, own in scores.items()}
    points = pd.concat([one.points.assign(model=name) for name, one in curves.items()], ignore_index=True)
    files.write_csv(OUT / "early_warning.csv", points[["model", *points.columns.drop("model")]])
    files.write_csv(OUT / "all_caught.csv", early.all_caught(curves, "plain forest", [0.0, LEAST_LEAD]))
    draw_early(points, LEAST_LEAD, FIGURE_FOLDER / "early_warning.png")


def _signals(
    frames: list[pd.DataFrame], events: Events, whole: Any, last: dict[str, int], codes: int
) -> None:
    """What is foreseeable; with a horizon that is too long on purpose, so that the warning is seen."""
    end, dataset = max(last.values()), origins.with_split(whole, "21d", "21d", TOO_LONG)
    groups = ("sensors", "errors", "gaps")
    reference, decisions, features = origins.features_at(
        lambda: iter(frames), events, dataset, groups, codes, end
    )
    kept = (decisions["no_opinion"] == OPINION).to_numpy()
    known = origins.events_until(events, end)
    found = foreseeable(
        decisions[kept].reset_index(drop=True), features[kept], reference.features, known, dataset
    )
    figures = summary(found, dataset)
    files.write_csv(OUT / "onsets.csv", found.onsets)
    files.write_csv(OUT / "ceiling.csv", found.ceiling)
    files.write_json(OUT / "signals.json", figures)
    for warning in figures["warnings"]:
        print(f"warning: {warning}")
    draw_foreseeable(found, FIGURE_FOLDER / "signals.png")


def _windows(
    frames: list[pd.DataFrame], events: Events, whole: Any, last: dict[str, int], codes: int, quiet: int
) -> Iterator[early.Window]:
    """Each origin as the pipeline would see it, with the decisions after it."""
    dataset = origins.with_split(whole, NO_FOLD, STEP, HORIZON)
    spans = dataset.windows.model_copy(update={"sensors": SPANS})
    dataset, step = dataset.model_copy(update={"windows": spans}), dataset.ticks(STEP)
    for end in origins.origin_ends(max(last.values()), step, WINDOWS):
        stage.progress(f"origin of {pd.Timestamp(end - step, unit='s')}")
        reference, decisions, features = origins.features_at(
            lambda: iter(frames), events, dataset, GROUPS, codes, end
        )
        names, until = [feature.name for feature in reference.features], origins.last_until(last, end)
        data = Data(decisions, features, names, origins.events_until(events, end), dataset, until, quiet)
        yield early.Window(data, reference.features, end - step)


if __name__ == "__main__":
    stage.run(main)
