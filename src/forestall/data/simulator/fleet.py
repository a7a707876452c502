"""The fleet, a chunk of machines at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.simulator import tables
from forestall.data.simulator.catalogue import HOURS_PER_DAY, LOAD
from forestall.data.simulator.codes import code_events, draw_counts
from forestall.data.simulator.dirt import Export, make_dirty
from forestall.data.simulator.precursors import combine, signature
from forestall.data.simulator.settings import SimulateParams
from forestall.data.simulator.streams import stream
from forestall.data.simulator.telemetry import down_hours, readings, standing_still, true_loads
from forestall.data.simulator.traits import Machine, draw_machine
from forestall.data.simulator.truth import detectable_from, information
from forestall.data.simulator.wear import History, simulate_wear

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
CHUNK = 40


@dataclass(frozen=True)
class FleetChunk:
    """The tables of some machines, in the order of a file; times are datetime64[s].

    telemetry: machine, time, sensors and load; errors: machine, time, code; maintenance and failures:
    machine, time, component; machines: machine, model, age (years); downtime: machine, start, end; truth:
    machine, component, time of failure, mode, foreseeable (0 or 1), from and onset (NaT where there is none).
    """

    telemetry: pd.DataFrame
    errors: pd.DataFrame
    maintenance: pd.DataFrame
    failures: pd.DataFrame
    machines: pd.DataFrame
    downtime: pd.DataFrame
    truth: pd.DataFrame


def simulate_fleet(params: SimulateParams, chunk: int = CHUNK) -> Iterator[FleetChunk]:
    """The fleet in chunks of machines, in order of their numbers; memory holds one chunk."""
    for first in range(0, params.machines, chunk):
        numbers = range(first, min(first + chunk, params.machines))
        machines = [draw_machine(params.seed, number) for number in numbers]
        yield _simulate_chunk(machines, params.seed, params.days * HOURS_PER_DAY)


def _simulate_chunk(machines: list[Machine], seed: int, hours: int) -> FleetChunk:
    histories = [simulate_wear(one, hours, stream(seed, one.number, "wear")) for one in machines]
    precursors = [combine([signature(life, hours) for life in history.lives], hours) for history in histories]
    loads = true_loads(machines, seed, hours)
    clean = readings(machines, loads, precursors, seed)
    still = standing_still(hours)
    exports, errors, truth = [], [], []
    for place, (machine, history) in enumerate(zip(machines, histories, strict=True)):
        down = down_hours(history.stops, hours)
        export = make_dirty(machine, clean[place], down, still, stream(seed, machine.number, "dirt"))
        rng = stream(seed, machine.number, "codes")
        counts = draw_counts(machine, precursors[place].codes, ~down, rng)
        exports.append(export)
        errors.append(code_events(counts, history, rng))
        truth += _truth(machine, history, loads[:, place], counts, export, ~down)
    return FleetChunk(
        telemetry=tables.telemetry(machines, exports),
        errors=tables.events(machines, errors, "code"),
        maintenance=tables.events(machines, [_replacements(one, hours) for one in histories], "component"),
        failures=tables.events(machines, [_failures(one) for one in histories], "component"),
        machines=tables.machines(machines),
        downtime=tables.downtime(machines, histories, hours),
        truth=tables.truth(truth),
    )


def _failures(history: History) -> list[tuple[float, str]]:
    return sorted((life.ended, life.component.name) for life in history.lives if life.failed)


def _replacements(history: History, hours: int) -> list[tuple[float, str]]:
    """When each part in use was put in: before the data start, or at the end of a stop inside them."""
    return sorted((life.installed, life.component.name) for life in history.lives if life.installed < hours)


def _truth(
    machine: Machine, history: History, load: Floats, counts: Counts, export: Export, running: Bools
) -> list[tables.TruthRow]:
    rows = []
    for life in sorted((one for one in history.lives if one.failed), key=lambda one: one.ended):
        sign = signature(life, len(load))
        gained = information(machine, sign, load, counts, export.usable[:, :LOAD], running)
        start = detectable_from(sign, gained, life.ended)
        onset = life.onset if life.strength > 0 else None
        name, mode = life.component.name, life.mode.name if life.strength > 0 else "sudden"
        rows.append((machine.name, name, life.ended, mode, int(start is not None), start, onset))
    return rows
