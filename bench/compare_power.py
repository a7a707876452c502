"""How often `forestall compare` says better or worse: of runs that differ by the seed alone, and of real improvements.

Small simulated fleets, in memory. For each fleet models of many seeds, two by two: nothing differs but chance. Then
models that were handicapped (fewer machines to learn from, groups of features switched off, ...) against models that
were not. The spread over seeds is measured for each fleet as `studies/seeds.py` does it, with seeds of its own.
With a folder as argument, the table and the figure are written there too.
"""

from __future__ import annotations

import forestall  # noqa: F401  (pins the kernels)

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from forestall.comparison import paired
from forestall.comparison.paired import Judged
from forestall.data import store
from forestall.data.prepare import prepare
from forestall.data.simulator.settings import SimulateParams
from forestall.data.simulator.write import write_fleet
from forestall.evaluation.judge import Data, fold_of
from forestall.evaluation.resampling import drawn
from forestall.evaluation.tables import COST
from forestall.evaluation.trials import (
    Setting,
    risks,
    setting_of,
    thresholds,
    with_groups,
    with_training_machines,
)
from forestall.features.columns import Feature
from forestall.features.labels import TRAIN, VALIDATION
from forestall.features.origins import features_at, with_split
from forestall.pipeline import stage
from forestall.training.fit import Recipe

MACHINES, DAYS, FOLD = 30, 240, "60d"
FLEETS, SPREAD_SEEDS, PAIRS, PLANTED = 10, 5, 12, 4  # pairs and planted: of each fleet
RECIPE = Recipe("extra_trees", {"trees": 10, "min_leaf": 2, "max_features": 0.3}, "sigmoid", 1500, 5, 0)
SEED_ALONE = "the seed alone"


@dataclass(frozen=True)
class Fleet:
    """A fleet's data, what its features are, and how alarms are set."""

    data: Data
    described: tuple[Feature, ...]
    setting: Setting


Handicap = Callable[[Fleet, int], tuple[Data, Recipe]]


def fewer_machines(share: float) -> Handicap:
    """A base that learned from a share of the training machines."""
    return lambda fleet, seed: (with_training_machines(fleet.data, share, seed), RECIPE)


def without(*groups: str) -> Handicap:
    """A base without some groups of features."""

    def handicapped(fleet: Fleet, _: int) -> tuple[Data, Recipe]:
        kept = {one.group for one in fleet.described} - set(groups)
        return with_groups(fleet.data, fleet.described, kept), RECIPE

    return handicapped


def fewer_negatives(count: int) -> Handicap:
    """A base that saw fewer rows without a failure."""
    return lambda fleet, _: (fleet.data, replace(RECIPE, negatives=count))


HANDICAPS: dict[str, Handicap] = {
    "half of the training machines": fewer_machines(0.5),
    "a quarter of them": fewer_machines(0.25),
    "a tenth of them": fewer_machines(0.1),
    "100 rows without a failure, not 1,500": fewer_negatives(100),
    "no error codes": without("errors"),
    "no sensors": without("sensors", "gaps"),
    "no sensors, no error codes": without("sensors", "gaps", "errors"),
}


def fleet_of(seed: int) -> Fleet:
    """A simulated fleet, prepared and featurized as the stages do it; without decisions that nothing here reads."""
    dataset, params = with_split(stage.read_dataset("simulated"), FOLD, FOLD), stage.read_params()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_fleet(
            SimulateParams(seed=seed, machines=MACHINES, days=DAYS), folder / "raw", folder / "truth.csv"
        )
        with store.TelemetryWriter(folder, dataset.clock) as writer:
            carried = params.prepare.carry_forward
            events, _, _ = prepare(
                folder / "raw", dataset, carried, writer.write, lambda _: None, folder / "scratch"
            )
        last = store.last_readings(folder, dataset.clock)
        groups = tuple(group for group, on in params.features.groups if on)
        reference, decisions, features = features_at(
            lambda: store.read_telemetry(folder, dataset.clock),
            events, dataset, groups, params.features.max_codes, max(last.values()),
        )  # fmt: skip
    used = decisions["fold"].isin([TRAIN, VALIDATION]).to_numpy()
    names = [feature.name for feature in reference.features]
    data = Data(
        decisions[used].reset_index(drop=True),
        features[used],
        names,
        events,
        dataset,
        last,
        params.alarm.quiet,
    )
    return Fleet(data, reference.features, setting_of(params.alarm))


def model(fleet: Fleet, seed: int, handicap: Handicap | None = None) -> Judged:
    """A model of that seed, judged on the validation fold as `forestall compare` judges it."""
    data, recipe = handicap(fleet, seed) if handicap else (fleet.data, RECIPE)
    risk = risks(data, replace(recipe, seed=seed))
    fold = fold_of(fleet.data, VALIDATION, risk, risk * 0)
    return paired.judged(fold, thresholds(fleet.data, risk, fleet.setting), drawn(len(fold.machines)))


def compared(number: int) -> list[dict[str, object]]:
    """One row a pair of one fleet: change, cost of both, and the words with and without the spread over seeds."""
    with joblib.parallel_config(backend="sequential"):
        return list(_compared(fleet_of(number), number))


def _compared(fleet: Fleet, number: int) -> Iterator[dict[str, object]]:
    costs = [model(fleet, seed).figures[COST][0] for seed in range(SPREAD_SEEDS)]
    spread = float(np.std(costs, ddof=1))
    pairs = [(SEED_ALONE, None)] * PAIRS + [one for one in HANDICAPS.items() for _ in range(PLANTED)]
    seed = SPREAD_SEEDS
    for name, handicap in pairs:
        base, head = model(fleet, seed, handicap), model(fleet, seed + 1)
        seed += 2
        cost = paired.difference(COST, base.figures[COST], head.figures[COST])
        yield {
            "fleet": number, "change": name, "base": cost.base, "head": cost.head, "low": cost.low,
            "high": cost.high, "spread": spread, "word": paired.verdict(cost, spread).word,
            "by_machines_alone": paired.verdict(cost, None).word,
        }  # fmt: skip


def table_of(pairs: pd.DataFrame) -> pd.DataFrame:
    """By change: pairs, the mean cost saved in percent, and how often each word was said, in percent."""
    rows = []
    for name, some in pairs.groupby("change", sort=False):
        words, alone = Counter(some["word"]), Counter(some["by_machines_alone"])
        share = 100 / len(some)
        rows.append({
            "what base lacks": name,
            "pairs": len(some),
            "cost saved, %": round(100 * (1 - some["head"].sum() / some["base"].sum()), 1),
            "better, %": round(share * words["better"], 1),
            "worse, %": round(share * words["worse"], 1),
            "better by machines alone, %": round(share * alone["better"], 1),
            "worse by machines alone, %": round(share * alone["worse"], 1),
        })  # fmt: skip
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame, file: Path) -> None:
    """The share found better over the cost saved."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes, ordered = figure.subplots(), table.sort_values("cost saved, %")
    x = ordered["cost saved, %"]
    axes.plot(x, ordered["better, %"], "o-", label="better")
    axes.plot(x, ordered["better by machines alone, %"], "o:", label="better, without the spread over seeds")
    axes.plot(x, ordered["worse, %"], "o-", label="worse")
    axes.set(xlabel="mean cost saved, %", ylabel="share of pairs, %", ylim=(-2, 102))
    axes.axhline(5, color="grey", linewidth=0.8, linestyle="--")
    axes.legend()
    figure.savefig(file, dpi=100, metadata={"Software": None})


def main() -> None:
    """Print the table; write it and the figure into the folder named."""
    with ProcessPoolExecutor(2) as pool:
        found = [row for rows in pool.map(compared, range(1, FLEETS + 1)) for row in rows]
    pairs = pd.DataFrame(found)
    table = table_of(pairs)
    print(table.to_string(index=False))
    spread = pairs["spread"] / pairs["head"]
    print(f"spread over {SPREAD_SEEDS} seeds: {spread.min():.1%} to {spread.max():.1%} of the cost, by fleet")
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
        pairs.to_csv(folder / "compare_pairs.csv", index=False, lineterminator="\n")
        draw(table, folder / "compare_power.png")


if __name__ == "__main__":
    main()
