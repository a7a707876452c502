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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from _figures import draw, found_table, quiet_table, rule_table
from _monitors import MONITORS, Monitors, Said, Stream
from _plants import (
    Judged,
    Tables,
    Watch,
    alarms_of,
    blocks_of,
    joined,
    judged,
    laid_out,
    tables_of,
    with_lacking,
)
from forestall.data.simulator.catalogue import MODELS, START
from forestall.data.simulator.traits import Machine, draw_machine
from forestall.evaluation.trials import recipe_of
from forestall.features import build
from forestall.features.files import read_features
from forestall.features.labels import OPINION, VALIDATION
from forestall.monitoring.blocks import Ints, block_start
from forestall.monitoring.reference import read_reference
from forestall.monitoring.trials import Fault, dead, delay, delay_from_silence, offset, stuck
from forestall.monitoring.watched import watched_inputs
from forestall.pipeline import stage
from forestall.pipeline.params import read_params
from forestall.serving.bundle import load_bundle
from forestall.training.fit import FittedModel, fit_model

BUNDLE, FEATURES = Path("models/bundle"), Path("data/features")
SEEDS, OTHER_PLANT = range(101, 125), 100
MACHINES, JOINING, QUARTER = 120, 80, 30
DAY, BEFORE, WEEKS, FOUND_WITHIN = 86400, 101, 52, 8  # the service starts on a Thursday, when weeks begin
LEARNED, OTHER_FAMILY = 365, "random_forest"
TIMES_SD = 2.0


@dataclass(frozen=True, eq=False)
class Case:
    """A plant in service without a fault, and where its fault will be.

    first: when the service started. start: when the fault begins. sensor: whose. spread: each sensor's usual one at the
    machine's load by then, [machines, sensors]. quarter: which machines, [machines]. All times in ticks.
    """

    seed: int
    watch: Watch
    tables: Tables
    base: Judged
    stream: Stream
    first: int
    start: int
    sensor: str
    spread: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    quarter: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @property
    def week(self) -> int:
        """The start of the week in which the fault begins."""
        return int(block_start(np.array([self.start]), self.watch.reference.length)[0])

    @property
    def until(self) -> int:
        """The last tick of the last week in which a fault may be found."""
        return self.week + (FOUND_WITHIN + 1) * self.watch.reference.length - 1

    @property
    def ends(self) -> Ints:
        """Of all whole weeks in service."""
        return self.first + self.watch.reference.length * np.arange(1, WEEKS + 1)


def case_of(seed: int, watch: Watch) -> Case:
    """A plant of this seed."""
    reference, length = watch.bundle.reference, watch.reference.length
    rng = np.random.default_rng(seed)
    machines = [draw_machine(seed, number) for number in range(MACHINES)]
    tables = tables_of(machines, seed, days_in_all())
    first = int(START.astype("int64")) + BEFORE * DAY
    history = laid_out(tables, watch.bundle, first + WEEKS * length - 1)
    base, own = judged(history, watch.bundle, first)
    hours = rng.integers(FOUND_WITHIN * length // 3600, (WEEKS - FOUND_WITHIN - 1) * length // 3600)
    start, quarter = first + int(hours) * 3600, np.zeros(MACHINES, dtype=bool)
    quarter[rng.choice(MACHINES, QUARTER, replace=False)] = True
    alarms = alarms_of(base, tables.events, watch.bundle, watch.bundle.thresholds)
    return Case(
        seed, watch, tables, base, Stream((base,), blocks_of(base, alarms, watch)), first, start,
        sensor=reference.sensors[seed % len(reference.sensors)],
        spread=own.at(np.array([start])).spread[:, 0],
        quarter=quarter,
    )  # fmt: skip


def days_in_all() -> int:
    """Days that a plant is simulated for."""
    return BEFORE + 7 * WEEKS + 1


def faulty(case: Case, other: FittedModel) -> Iterator[tuple[str, Stream]]:
    """Each fault's name, and the plant with it."""
    everyone, some = np.ones(MACHINES, dtype=bool), case.quarter
    limits = case.watch.bundle.plant.dataset.tables.telemetry.sensors[case.sensor].range
    assert limits is not None  # the simulated plant's sensors have some
    possible = (limits[0], limits[1])
    for extent, which in (("all machines", everyone), ("a quarter of them", some)):
        names = case.base.machines[which].tolist()
        more = dict(zip(case.base.machines, TIMES_SD * case.spread[:, place_of(case)], strict=True))
        by = {name: float(more[name]) for name in names if np.isfinite(more[name])}
        yield (
            f"offset of {TIMES_SD:g} sd, {extent}",
            with_sensor(case, which, offset(case.sensor, by, case.start)),
        )
        yield f"dead sensor, {extent}", with_sensor(case, which, dead(case.sensor, names, case.start))
        yield (
            f"stuck sensor, {extent}",
            with_sensor(case, which, stuck(case.sensor, names, case.start, possible)),
        )
    yield f"{JOINING} new machines of one model", with_machines(case)
    yield "thresholds halved", with_thresholds(case, 0.5)
    yield "another plant's model", with_model(case, other)


def place_of(case: Case) -> int:
    """The faulty sensor's place among the sensors."""
    return case.watch.bundle.reference.sensors.index(case.sensor)


def with_sensor(case: Case, which: np.ndarray[tuple[int], np.dtype[np.bool_]], fault: Fault) -> Stream:
    """A fault of some machines' sensor. Of what is older than any feature looks back, nothing is computed again."""
    spans, watch, tables = case.watch.bundle.reference.spans, case.watch, case.tables
    raw, names = tables.telemetry, case.base.machines[which].tolist()
    needed = (raw["time"] > case.week - spans.baseline - 3 * spans.baseline_every) & raw["machine"].isin(
        names
    )
    spoilt = Tables(fault(raw[needed].reset_index(drop=True)), tables.events)
    later, _ = judged(laid_out(spoilt, watch.bundle, case.until), watch.bundle, case.week)
    changed = case.base.of(which).changed(later)
    alarms = alarms_of(changed, tables.events, watch.bundle, watch.bundle.thresholds)
    same = ~np.isin(case.stream.blocks.machine.astype(str), np.array(names, dtype=str))
    blocks = joined([case.stream.blocks.take(same), blocks_of(changed, alarms, watch)])
    return Stream((case.base.of(~which), changed), blocks)


def with_machines(case: Case) -> Stream:
    """New machines of one model are put to work: no readings from before, but it is known how old their parts are."""
    model, watch, new = MODELS[case.seed % len(MODELS)], case.watch, list[Machine]()
    number = MACHINES
    while len(new) < JOINING:
        machine = draw_machine(case.seed, number)
        new, number = new + [machine] * (machine.model == model), number + 1
    tables = tables_of(new, case.seed, days_in_all())
    seen = tables.telemetry["time"] >= case.start
    begun = Tables(tables.telemetry[seen].reset_index(drop=True), tables.events)
    more, _ = judged(laid_out(begun, watch.bundle, case.until), watch.bundle, case.start)
    alarms = alarms_of(more, tables.events, watch.bundle, watch.bundle.thresholds)
    blocks = joined([case.stream.blocks, blocks_of(more, alarms, watch)])
    return Stream((*case.stream.judged, more), blocks)


def with_thresholds(case: Case, times: float) -> Stream:
    """Somebody lowers the thresholds; alarms that are running go on."""
    bundle = case.watch.bundle
    lower = {component: times * threshold for component, threshold in bundle.thresholds.items()}
    usual, more = (
        alarms_of(case.base, case.tables.events, bundle, one) for one in (bundle.thresholds, lower)
    )
    alarms = pd.concat([usual[usual["opened"] < case.start], more[more["opened"] >= case.start]])
    return replace(case.stream, blocks=blocks_of(case.base, alarms, case.watch))


def with_model(case: Case, other: FittedModel) -> Stream:
    """Another model scores under the same thresholds, as if its file had been put in the bundle's place."""
    base, bundle = case.base, case.watch.bundle
    after = slice(*np.searchsorted(base.decisions, [case.start, case.until]))
    features, risks = base.features[:, after], base.risks.copy()
    found = other.risk(features.reshape(-1, features.shape[2])).reshape(*features.shape[:2], -1)
    risks[:, after] = with_lacking(
        found, base.machines, base.no_opinion[:, after], case.tables.events, bundle
    )
    changed = replace(base, risks=risks)
    alarms = alarms_of(changed, case.tables.events, bundle, bundle.thresholds)
    return replace(case.stream, blocks=blocks_of(changed, alarms, case.watch))


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


def measured() -> tuple[pd.DataFrame, pd.DataFrame]:
    """All trials, and all weeks without a fault."""
    began, monitors = time.perf_counter(), monitors_of()
    other = other_model(monitors.watch)
    rows, weeks = list[dict[str, object]](), list[pd.DataFrame]()
    for seed in SEEDS:
        more, quiet = trial(seed, monitors, other)
        rows, weeks = rows + more, [*weeks, quiet]
        print(f"seed {seed}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return pd.DataFrame(rows), pd.concat(weeks, ignore_index=True)


def main() -> None:
    """Print the tables; write the trials and the figure into the folder named."""
    trials, weeks = measured()
    for table in (found_table(trials), rule_table(), quiet_table(weeks)):
        print(table.to_string(index=False), end="\n\n")
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
        trials.to_csv(folder / "monitoring_trials.csv", index=False, lineterminator="\n")
        draw(trials, folder / "monitoring.png")


if __name__ == "__main__":
    main()
