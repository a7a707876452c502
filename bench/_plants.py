"""Simulated plants in service for bench/monitoring.py: judged at every decision, and counted week by week."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clean import clean_telemetry
from forestall.data.events import Events, absent_pairs
from forestall.data.repairs import Repairs
from forestall.data.simulator import telemetry
from forestall.data.simulator.catalogue import HOURS_PER_DAY
from forestall.data.simulator.fleet import CHUNK, _simulate_chunk
from forestall.data.simulator.traits import Machine
from forestall.features import labels, matrix
from forestall.features.baselines import OwnBaselines, own_baselines
from forestall.features.history import History, lay_out
from forestall.features.reference import Matrix
from forestall.monitoring.blocks import Blocks, Ints, block_start, opinion_counts
from forestall.monitoring.reference import EVER, MonitoringReference, risk_counts
from forestall.monitoring.watched import WatchedInputs
from forestall.serving.bundle import Bundle
from forestall.training.alarms import open_alarms
from forestall.training.series import Rules, risk_matrix, series_of

SMALL = [one.name for one in fields(Events)]
TICKS, TEXTS = ("time", "start", "end"), ("code", "component", "model")


@dataclass(frozen=True)
class Watch:
    """A bundle at work, and what its risks and inputs are counted in."""

    bundle: Bundle
    reference: MonitoringReference
    inputs: WatchedInputs


@dataclass(frozen=True)
class Tables:
    """A plant's raw telemetry (machine, time in ticks, running, sensors) and its small tables."""

    telemetry: pd.DataFrame
    events: Events


@dataclass(frozen=True, eq=False)
class Judged:
    """What live scoring would think of M machines at D decisions.

    machines: [M]. decisions: ticks, [D]. no_opinion: why there is none, [M, D]. features: filled, [M, D, features].
    risks: over the longest horizon, [M, D, components], NaN without an opinion and of what a machine lacks.
    """

    machines: npt.NDArray[np.object_]
    decisions: Ints
    no_opinion: npt.NDArray[np.object_]
    features: Matrix
    risks: Matrix

    @property
    def told(self) -> npt.NDArray[np.bool_]:
        """Where there is an opinion, [M, D]."""
        return np.asarray(self.no_opinion == labels.OPINION, dtype=np.bool_)

    def of(self, machines: npt.NDArray[np.bool_]) -> Judged:
        """Some machines, by a mask [M]."""
        return Judged(
            self.machines[machines], self.decisions, self.no_opinion[machines], self.features[machines],
            self.risks[machines],
        )  # fmt: skip

    def changed(self, later: Judged) -> Judged:
        """With what is thought of the same machines otherwise, at some of the decisions."""
        at = np.searchsorted(self.decisions, later.decisions)
        tables = {name: getattr(self, name).copy() for name in ("no_opinion", "features", "risks")}
        for name, values in tables.items():
            values[:, at] = getattr(later, name)
        return replace(self, **tables)


@contextmanager
def without_season() -> Iterator[None]:
    """The simulated plants that are made meanwhile have the same weather all year."""
    usual = telemetry.SEASON
    telemetry.SEASON = 0.0
    try:
        yield
    finally:
        telemetry.SEASON = usual


def tables_of(machines: Sequence[Machine], seed: int, days: int) -> Tables:
    """What the simulator writes as CSV files, as it is read from them."""
    chunks = [
        # The simulator's own chunks are of machines with consecutive numbers; these are of any.
        _simulate_chunk(list(machines[first : first + CHUNK]), seed, days * HOURS_PER_DAY)
        for first in range(0, len(machines), CHUNK)
    ]
    frames = {name: _as_read([getattr(chunk, name) for chunk in chunks]) for name in ("telemetry", *SMALL)}
    raw = frames.pop("telemetry")
    raw.insert(2, "running", True)
    return Tables(raw, Events(**{name: frame.drop_duplicates() for name, frame in frames.items()}))


def _as_read(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Names as texts, times as ticks."""
    rows = pd.concat([frame.astype({"machine": object}) for frame in frames], ignore_index=True)
    texts = dict.fromkeys((name for name in TEXTS if name in rows), object)
    times = {
        name: rows[name].to_numpy().astype("datetime64[s]").astype("int64") for name in TICKS if name in rows
    }
    return rows.astype(texts).assign(**times)


def laid_out(tables: Tables, bundle: Bundle, end: int) -> History:
    """Cleaned, and on the grid of the bundle's decisions, up to an end."""
    plant, reference = bundle.plant, bundle.reference
    raw, downtime = tables.telemetry, tables.events.downtime
    clean = clean_telemetry(raw, downtime, plant.dataset, plant.carry_forward, Repairs([]))
    return lay_out(clean, tables.events, list(reference.sensors), reference.spans, end)


def judged(history: History, bundle: Bundle, start: int = 0) -> tuple[Judged, OwnBaselines]:
    """What is thought at the decisions from a start on, in ticks, and the machines' own baselines."""
    reference = bundle.reference
    own = own_baselines(history, reference.spans, reference.condition_places)
    decisions, machines = history.decisions(reference.spans), np.array(history.machines, dtype=object)
    kept = decisions >= start
    features = matrix.feature_matrix(history, own, reference)[:, kept]
    no_opinion = labels.opinions(history, reference.spans)[:, kept]
    risks = bundle.risk(features.reshape(-1, features.shape[2])).reshape(*features.shape[:2], -1)
    known = with_lacking(risks, machines, no_opinion, history.events, bundle)
    return Judged(machines, decisions[kept], no_opinion, features, known), own


def with_lacking(
    risks: Matrix, machines: npt.NDArray[np.object_], no_opinion: npt.NDArray[np.object_], events: Events,
    bundle: Bundle,
) -> Matrix:  # fmt: skip
    """Risks [M, D, components] as they are stored: NaN without an opinion, and of what a machine lacks."""
    absent, stored = absent_pairs(events.machines, bundle.plant.dataset), risks.copy()
    stored[no_opinion != labels.OPINION] = np.nan
    for place, component in enumerate(bundle.components):
        stored[[(machine, component) in absent for machine in machines], :, place] = np.nan
    return stored


def alarms_of(
    judgement: Judged, events: Events, bundle: Bundle, thresholds: Mapping[str, float]
) -> pd.DataFrame:
    """All alarms (machine, component, opened), by the rules that the service has."""
    dataset, told = bundle.plant.dataset, judgement.told
    row, step = np.nonzero(told)
    decisions = pd.DataFrame({"machine": judgement.machines[row], "time": judgement.decisions[step]})
    absent = absent_pairs(events.machines, dataset)
    series = series_of(decisions, bundle.components, absent, events.failures, events.maintenance, EVER)
    least = dataset.ticks(dataset.decisions.min_lead)
    rules = Rules(bundle.reference.spans.horizon, least, bundle.plant.quiet)
    risk = risk_matrix(series, decisions, judgement.risks[told])
    return open_alarms(series, risk, dict(thresholds), rules)


def blocks_of(judgement: Judged, alarms: pd.DataFrame, watch: Watch) -> Blocks:
    """Counted as the store's weeks are."""
    reference, told = watch.reference, judgement.told
    starts, week = np.unique(block_start(judgement.decisions, reference.length), return_inverse=True)
    count = len(judgement.machines) * len(starts)
    group = np.arange(len(judgement.machines))[:, None] * len(starts) + week
    opened = np.zeros((count, len(reference.components)), dtype=np.int32)
    row = pd.Index(judgement.machines).get_indexer(pd.Index(alarms["machine"]))
    at = np.searchsorted(starts, block_start(alarms["opened"].to_numpy(dtype=np.int64), reference.length))
    part = pd.Index(reference.components).get_indexer(pd.Index(alarms["component"]))
    np.add.at(opened, (row * len(starts) + at, part), 1)
    return Blocks(
        machine=np.repeat(judgement.machines, len(starts)),
        start=np.tile(starts, len(judgement.machines)),
        alarms=opened,
        risks=risk_counts(judgement.risks.reshape(told.size, -1), reference.risks, group.ravel(), count),
        inputs=watch.inputs.counts(judgement.features[told], group[told], count),
        opinions=opinion_counts(judgement.no_opinion.ravel().tolist(), group.ravel(), count),
    )


def joined(pieces: Sequence[Blocks]) -> Blocks:
    """The blocks of several groups of machines."""
    return Blocks(
        **{one.name: np.concatenate([getattr(piece, one.name) for piece in pieces]) for one in fields(Blocks)}
    )
