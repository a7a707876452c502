"""Plants in service for bench/monitoring.py, as they are and with each fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from _monitors import Stream
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
from forestall.monitoring.blocks import Ints, block_start
from _trials import Fault, dead, offset, stuck
from forestall.training.fit import FittedModel

MACHINES, JOINING, QUARTER = 120, 80, 30
DAY, BEFORE, WEEKS, FOUND_WITHIN = 86400, 101, 52, 8  # the service starts on a Thursday, when weeks begin
TIMES_SD = 2.0
Bools = npt.NDArray[np.bool_]


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
    spread: npt.NDArray[np.float64]
    quarter: Bools

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


def with_sensor(case: Case, which: Bools, fault: Fault) -> Stream:
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
