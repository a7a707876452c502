"""The reference of monitoring: what a machine's week looked like on the validation fold, kept in the bundle.

Of the validation fold, as thresholds were chosen there; the test fold decides nothing, and of training rows the model
knows the answer.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forestall.data import store
from forestall.data.dataset import Clock
from forestall.data.events import Events, absent_pairs
from forestall.errors import ForestallError
from forestall.features.labels import OPINION, VALIDATION
from forestall.features.reference import Matrix
from forestall.monitoring.bins import Bins
from forestall.monitoring.blocks import (
    OPINIONS,
    Blocks,
    Counts,
    Ints,
    block_length,
    block_start,
    opinion_counts,
)
from forestall.monitoring.inputs import input_values, inputs_of
from forestall.serving.bundle import Bundle
from forestall.training.alarms import open_alarms
from forestall.training.series import Rules, risk_matrix, series_of

MONITORING = "monitoring.parquet"
ABOUT = b"forestall"
TABLES = ("alarms", "risks", "inputs", "opinions")
EVER = 2**62


@dataclass(frozen=True, eq=False)
class MonitoringReference:
    """Blocks of the reference, and how they were counted.

    length, every: ticks of a block, and between two decisions. components: columns of alarms. risks: bins of the risk
    over the longest horizon, by component. inputs: bins of inputs, by source.
    """

    length: int
    every: int
    components: tuple[str, ...]
    risks: Bins
    inputs: Bins
    blocks: Blocks

    @cached_property
    def machines(self) -> Ints:
        """The blocks' machines as numbers from 0 on, [B]."""
        return np.unique(self.blocks.machine.astype(str), return_inverse=True)[1].astype(np.int64)

    def exposure(self, blocks: Blocks) -> npt.NDArray[np.float64]:
        """Ticks of decisions with an opinion, by component, [blocks, components]: 0 of what a machine lacks."""
        known = np.add.reduceat(blocks.risks, self.risks.starts[:-1], axis=1)
        return known.astype(np.float64) * self.every


def risk_counts(risks: Matrix, bins: Bins, group: Ints, groups: int) -> Counts:
    """Risks [decisions, components] in bins, [groups, N]; what a machine lacks, NaN, is no risk and not counted."""
    counts = bins.counts(risks, group, groups)
    counts[:, bins.starts[1:] - 1] = 0
    return counts


def monitoring_reference(
    decisions: pd.DataFrame, features: Matrix, events: Events, bundle: Bundle
) -> MonitoringReference:
    """Of all decisions of the validation fold.

    Args:
        decisions: machine, time, no_opinion and fold. features: theirs, filled, [rows, features].

    Raises:
        ForestallError: there is none.
    """
    fold = (decisions["fold"] == VALIDATION).to_numpy()
    told = fold & (decisions["no_opinion"] == OPINION).to_numpy()
    if not told.any():
        raise ForestallError(
            "no decision of the validation fold has an opinion: make split.validation longer."
        )
    reference = bundle.reference
    length, components = block_length(reference.spans, reference.unit), bundle.components
    around = decisions[_around(decisions, fold, reference.own_clocks)]
    keys = pd.MultiIndex.from_arrays([around["machine"], block_start(_time(around), length)])
    weeks = keys.unique().sort_values()
    some, seen = decisions[told], features[told]
    at = weeks.get_indexer(_keys(some["machine"], _time(some), length))
    risks, inputs = _risks(some, seen, events, bundle), inputs_of(reference)
    values = input_values(seen, inputs)
    by_risk, by_input = Bins.of(components, risks), Bins.of([one.name for one in inputs], values)
    blocks = Blocks(
        machine=weeks.get_level_values(0).to_numpy(dtype=object),
        start=weeks.get_level_values(1).to_numpy(dtype=np.int64),
        alarms=_alarms(some, risks, events, bundle, weeks, length),
        risks=risk_counts(risks, by_risk, at, len(weeks)),
        inputs=by_input.counts(values, at, len(weeks)),
        opinions=opinion_counts(around["no_opinion"].tolist(), weeks.get_indexer(keys), len(weeks)),
    )
    every = reference.spans.every
    return MonitoringReference(length, every, tuple(components), by_risk, by_input, blocks)


def _around(decisions: pd.DataFrame, fold: npt.NDArray[np.bool_], own_clocks: bool) -> npt.NDArray[np.bool_]:
    """The fold's decisions and those between them that have no opinion, which are in no fold."""
    time, ours = _time(decisions), decisions["machine"].isin(decisions["machine"][fold].unique()).to_numpy()
    empty = (decisions["no_opinion"] != OPINION).to_numpy() & ours
    if not own_clocks:
        empty &= (time >= time[fold].min()) & (time <= time[fold].max())
    return np.asarray(fold | empty)


def _risks(decisions: pd.DataFrame, features: Matrix, events: Events, bundle: Bundle) -> Matrix:
    risks, absent = bundle.risk(features), absent_pairs(events.machines, bundle.plant.dataset)
    for place, component in enumerate(bundle.components):
        lacking = [machine for machine, part in absent if part == component]
        risks[decisions["machine"].isin(lacking).to_numpy(), place] = np.nan
    return risks


def _alarms(
    decisions: pd.DataFrame, risks: Matrix, events: Events, bundle: Bundle, weeks: pd.MultiIndex, length: int
) -> Counts:
    """Alarms by the rules that thresholds were chosen by, [blocks, components]."""
    dataset, plant = bundle.plant.dataset, bundle.plant
    absent = absent_pairs(events.machines, dataset)
    series = series_of(decisions, bundle.components, absent, events.failures, events.maintenance, EVER)
    least = dataset.ticks(dataset.decisions.min_lead)
    rules = Rules(bundle.reference.spans.horizon, least, plant.quiet)
    alarms = open_alarms(series, risk_matrix(series, decisions, risks), bundle.thresholds, rules)
    at = weeks.get_indexer(_keys(alarms["machine"], alarms["opened"].to_numpy(dtype=np.int64), length))
    counts = np.zeros((len(weeks), len(bundle.components)), dtype=np.int32)
    place = np.array([bundle.components.index(one) for one in alarms["component"]], dtype=np.int64)
    np.add.at(counts, (at, place), 1)
    return counts


def _time(decisions: pd.DataFrame) -> Ints:
    return decisions["time"].to_numpy(dtype=np.int64)


def _keys(machine: pd.Series[Any], time: Ints, length: int) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([machine, block_start(time, length)])


def write_reference(folder: Path, reference: MonitoringReference, clock: Clock) -> None:
    """As a file of the bundle: a row a block; how they were counted is in the file's own metadata."""
    blocks = reference.blocks
    table = store.to_arrow(pd.DataFrame({"machine": blocks.machine, "start": blocks.start}), clock)
    for name in TABLES:
        counts = getattr(blocks, name)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(counts.ravel()), counts.shape[1])
        table = table.append_column(name, lists)
    about = {
        "length": reference.length,
        "every": reference.every,
        "components": reference.components,
        "opinions": OPINIONS,
        "risks": dict(reference.risks.edges),
        "inputs": dict(reference.inputs.edges),
    }
    pq.write_table(table.replace_schema_metadata({ABOUT: json.dumps(about)}), folder / MONITORING)


def read_reference(folder: Path, bundle: Bundle) -> MonitoringReference | None:
    """The one in a bundle's folder; None if it was exported without one.

    Raises:
        ForestallError: the folder holds another bundle's by now.
    """
    known = bundle.manifest["sha256"].get(MONITORING)
    if known is None:
        return None
    content = (folder / MONITORING).read_bytes()
    if hashlib.sha256(content).hexdigest() != known:
        raise ForestallError(f"{folder / MONITORING} is another bundle's than the one that answers.")
    table = pq.read_table(pa.BufferReader(content))
    about = json.loads(table.schema.metadata[ABOUT])
    frame = store.from_arrow(table.select(["machine", "start"]), bundle.plant.dataset.clock)
    counts = {name: _counts(table[name].combine_chunks()) for name in TABLES}
    blocks = Blocks(
        machine=frame["machine"].to_numpy(dtype=object),
        start=frame["start"].to_numpy(dtype=np.int64),
        **counts,
    )
    bins = {name: Bins({q: tuple(edges) for q, edges in about[name].items()}) for name in ("risks", "inputs")}
    return MonitoringReference(
        about["length"], about["every"], tuple(about["components"]), bins["risks"], bins["inputs"], blocks
    )


def _counts(lists: pa.FixedSizeListArray) -> Counts:
    flat: Counts = lists.flatten().to_numpy().astype(np.int32)
    return flat.reshape(len(lists), -1)
