"""How soon monitoring finds a fault, and how often it says something of a plant that is as it was.

The repository's bundle, with its reference, serves simulated plants that it has never seen: a year each, after 101 days
of history. Each is watched as it is, and again with each fault from a random hour on. Beside it Kolmogorov-Smirnov
tests of each feature's week against the reference weeks, as one would write them in an afternoon.

Run it from the repository's top folder after `dvc repro`. With a folder as argument, the trials and the figure are
written there too.
"""

from __future__ import annotations

import forestall  # noqa: F401  (pins the kernels)

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from _faults import FOUND_WITHIN, MACHINES, Case, case_of, faulty
from _figures import draw, found_table, quiet_table, rule_table
from _monitors import MONITORS, Monitors, Said, Stream
from _plants import (
    Watch,
    judged,
    laid_out,
    tables_of,
    without_season,
)
from forestall.data.simulator.traits import draw_machine
from forestall.evaluation.trials import recipe_of
from forestall.features import build
from forestall.features.files import read_features
from forestall.features.labels import OPINION, VALIDATION
from forestall.monitoring.reference import read_reference
from _trials import delay, delay_from_silence
from forestall.monitoring.watched import watched_inputs
from forestall.pipeline import stage
from forestall.pipeline.params import read_params
from forestall.serving.bundle import load_bundle
from forestall.training.fit import FittedModel, fit_model

BUNDLE, FEATURES = Path("models/bundle"), Path("data/features")
SEEDS, OTHER_PLANT = range(101, 125), 100
LEARNED, OTHER_FAMILY = 365, "random_forest"


def other_model(watch: Watch) -> FittedModel:
    """Of another family, fitted on another plant."""
    dataset, params, reference = stage.read_dataset("simulated"), read_params(), watch.bundle.reference
    machines = [draw_machine(OTHER_PLANT, number) for number in range(MACHINES)]
    tables = tables_of(machines, OTHER_PLANT, LEARNED)
    end = int(tables.telemetry["time"].max())
    history = laid_out(tables, watch.bundle, end)
    told, _ = judged(history, watch.bundle)
    decisions = build.decisions_of(history, tables.events, dataset, end)
    names = [feature.name for feature in reference.features]
    recipe = recipe_of(params.train, params.alarm, family=OTHER_FAMILY)
    features = told.features.reshape(-1, told.features.shape[2])
    horizons = len(reference.spans.horizons)
    with joblib.parallel_config(backend="sequential"):
        return fit_model(
            decisions, features, names, watch.bundle.components, horizons, recipe, lambda _: None
        )


def watched(
    case: Case, stream: Stream, ends: Iterable[int], monitors: Monitors, usual: list[Said]
) -> list[Said]:
    """What is said at these ends. Where features are as they were, so is what the tests of features say."""
    if stream.judged is case.stream.judged:
        return [said | monitors.ours(stream, end) for said, end in zip(usual, ends, strict=True)]
    return said_at(stream, ends, monitors)


def said_at(stream: Stream, ends: Iterable[int], monitors: Monitors) -> list[Said]:
    """What all monitors say at the ends of weeks."""
    return [monitors.ours(stream, end) | monitors.naive(stream, end) for end in ends]


def trial(seed: int, monitors: Monitors, other: FittedModel) -> tuple[list[dict[str, object]], pd.DataFrame]:
    """A row for each fault and monitor; and what was said in each week without a fault, a column for each monitor."""
    case = case_of(seed, monitors.watch)
    quiet = said_at(case.stream, case.ends.tolist(), monitors)
    near = (case.ends > case.start) & (
        case.ends <= case.start + FOUND_WITHIN * monitors.watch.reference.length
    )
    ends, usual = case.ends[near], [quiet[at] for at in np.flatnonzero(near)]
    rows: list[dict[str, object]] = []
    for fault, stream in faulty(case, other):
        said = watched(case, stream, ends.tolist(), monitors, usual)
        for name in MONITORS:
            pair = [one[name] for one in said], [one[name] for one in usual]
            new = (now - without for now, without in zip(*pair, strict=True))
            rows.append({
                "seed": seed, "fault": fault, "sensor": case.sensor, "monitor": name,
                "delay": delay(ends, *pair, case.start),
                "from silence": delay_from_silence(ends, *pair, case.start),
                "said": "; ".join(sorted(next(filter(None, new), frozenset()))),
            })  # fmt: skip
    weeks = pd.DataFrame(quiet).assign(seed=seed, end=case.ends)
    return rows, weeks


def monitors_of() -> Monitors:
    """The repository's bundle, and the features of its reference weeks."""
    bundle = load_bundle(BUNDLE)
    reference = read_reference(BUNDLE, bundle)
    inputs = watched_inputs(bundle, reference)
    assert reference is not None and inputs is not None  # the default pipeline exports one
    names = [feature.name for feature in bundle.reference.features]
    decisions, features = read_features(FEATURES, names, bundle.plant.dataset.clock)
    rows = (decisions["fold"] == VALIDATION) & (decisions["no_opinion"] == OPINION)
    return Monitors(Watch(bundle, reference, inputs), np.sort(features[rows.to_numpy()].T, axis=1), names)


def season() -> tuple[int, int]:
    """From when to when the reference's weeks are: the plants' year has the same calendar."""
    reference = monitors_of().watch.reference
    return int(reference.blocks.start.min()), int(reference.blocks.start.max()) + reference.length


def without_any(seed: int, monitors: Monitors) -> pd.DataFrame:
    """What is said in each week of the plant of this seed without a fault and without a season."""
    with without_season():
        case = case_of(seed, monitors.watch)
    return pd.DataFrame(said_at(case.stream, case.ends.tolist(), monitors)).assign(seed=seed, end=case.ends)


def measured() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """All trials; all weeks without a fault; the same without a season."""
    began, monitors = time.perf_counter(), monitors_of()
    other = other_model(monitors.watch)
    rows, weeks, even = list[dict[str, object]](), list[pd.DataFrame](), list[pd.DataFrame]()
    for seed in SEEDS:
        more, quiet = trial(seed, monitors, other)
        rows, weeks, even = rows + more, [*weeks, quiet], [*even, without_any(seed, monitors)]
        print(f"seed {seed}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return pd.DataFrame(rows), pd.concat(weeks, ignore_index=True), pd.concat(even, ignore_index=True)


def main() -> None:
    """Print the tables; write the trials and the figure into the folder named."""
    trials, weeks, even = measured()
    quiet = [quiet_table(some, season()) for some in (weeks, even)]
    quiet[1] = quiet[1].rename(columns={"without a fault": "without a fault and without a season"})
    for table in (found_table(trials), rule_table(), *quiet):
        print(table.to_string(index=False), end="\n\n")
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
        trials.to_csv(folder / "monitoring_trials.csv", index=False, lineterminator="\n")
        draw(trials, folder / "monitoring.png")


if __name__ == "__main__":
    main()
