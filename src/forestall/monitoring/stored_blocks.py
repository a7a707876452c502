"""The current weeks as the store has them, counted as the reference's are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, select

from forestall.features.reference import Matrix
from forestall.monitoring.blocks import Blocks, Counts, Ints, block_start, opinion_counts
from forestall.monitoring.drift import Drift, ago_of, drift
from forestall.monitoring.reference import MonitoringReference, risk_counts
from forestall.monitoring.thresholds import Thresholds
from forestall.monitoring.watched import WatchedInputs, watched_inputs
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.store.input_counts import counts_between
from forestall.serving.store.opinions import CURVE
from forestall.serving.store.tables import alarms, machines, risks

WEEK = ["machine", "start"]
Limits = tuple[ColumnElement[int] | int, ColumnElement[int] | int]


def stored_blocks(
    connection: Connection,
    bundle: Bundle,
    model: int,
    watched: tuple[MonitoringReference, WatchedInputs],
    until: int,
    weeks: int,
) -> tuple[Blocks, Ints]:
    """The last whole weeks of what a model thought, and how many before the latest each of them is, [B].

    The week in the middle of which the model began is none: a few decisions differ from the reference by chance.

    Args:
        model: the bundle's number in the store; what another model thought is not compared with this one's reference.
        until: the fleet's time in ticks. Machines with clocks of their own are each counted up to their own end.
        weeks: how many.
    """
    reference, inputs = watched
    limits = _limits(bundle, reference.length, until, weeks)
    told = _whole(_decisions(connection, model, limits), reference, bundle.reference.own_clocks)
    index = pd.MultiIndex.from_frame(told[WEEK]).unique().sort_values()
    group = index.get_indexer(pd.MultiIndex.from_frame(told[WEEK]))
    blocks = Blocks(
        machine=index.get_level_values(0).to_numpy(dtype=object),
        start=index.get_level_values(1).to_numpy(dtype=np.int64),
        alarms=_alarms(connection, model, limits, index, reference),
        risks=risk_counts(_risks(told, bundle), reference.risks, group, len(index)),
        inputs=_inputs(connection, inputs, index),
        opinions=opinion_counts(told["no_opinion"].tolist(), group, len(index)),
    )
    latest = (
        None
        if bundle.reference.own_clocks
        else until // reference.length * reference.length - reference.length
    )
    return blocks, ago_of(blocks, reference.length, latest)


def stored_drift(
    connection: Connection, live: Live, reference: MonitoringReference, until: int, thresholds: Thresholds
) -> Drift | None:
    """What the last whole weeks up to a time show; None if the bundle's model judged nothing in them.

    Raises:
        ForestallError: the reference watches other inputs than this release does.
    """
    inputs = watched_inputs(live.bundle, reference)
    assert inputs is not None  # there is a reference
    weeks = thresholds.n + thresholds.alarm_rate_weeks - 1
    blocks, ago = stored_blocks(connection, live.bundle, live.model, (reference, inputs), until, weeks)
    own_clocks = live.bundle.reference.own_clocks
    return drift(reference, blocks, ago, thresholds, own_clocks) if len(blocks) else None


def _limits(bundle: Bundle, length: int, until: int, weeks: int) -> Limits:
    """From which decision on, and before which: whole weeks only."""
    if bundle.reference.own_clocks:
        end = machines.c.last - machines.c.last % length
        return end - weeks * length, end
    end_of_all = until // length * length
    return end_of_all - weeks * length, end_of_all


def _decisions(connection: Connection, model: int, limits: Limits) -> pd.DataFrame:
    """machine, time, no_opinion, curves."""
    query = (
        select(machines.c.name, risks.c.time, risks.c.no_opinion, risks.c.curves)
        .join(machines, machines.c.id == risks.c.machine_id)
        .where(risks.c.model_id == model, risks.c.time >= limits[0], risks.c.time < limits[1])
    )
    columns = ["machine", "time", "no_opinion", "curves"]
    return pd.DataFrame(connection.execute(query).all(), columns=columns, dtype=object)


def _whole(told: pd.DataFrame, reference: MonitoringReference, own_clocks: bool) -> pd.DataFrame:
    """Decisions, each with its week's start; without the week that had begun when the model first judged the fleet, or
    a machine with a clock of its own.
    """
    time = told["time"].astype("int64")
    told["start"] = block_start(np.asarray(time, dtype=np.int64), reference.length)
    first = time.groupby(told["machine"]).transform("min") if own_clocks else time.min()
    return told[(told["start"] > first) | (first - told["start"] <= reference.every)]


def _risks(told: pd.DataFrame, bundle: Bundle) -> Matrix:
    """Over the longest horizon, [decisions, components]; NaN where there is none."""
    shape = (len(told), len(bundle.components), len(bundle.reference.spans.horizons))
    return np.frombuffer(b"".join(told["curves"]), dtype=CURVE).reshape(shape)[:, :, -1]


def _alarms(
    connection: Connection, model: int, limits: Limits, index: pd.MultiIndex, reference: MonitoringReference
) -> Counts:
    """Alarms that the model raised, [blocks, components]."""
    query = (
        select(machines.c.name, alarms.c.opened, alarms.c.component)
        .join(machines, machines.c.id == alarms.c.machine_id)
        .join(risks, (risks.c.machine_id == alarms.c.machine_id) & (risks.c.time == alarms.c.opened))
        .where(risks.c.model_id == model, alarms.c.opened >= limits[0], alarms.c.opened < limits[1])
    )
    counts = np.zeros((len(index), len(reference.components)), dtype=np.int32)
    for machine, opened, component in connection.execute(query):
        start = opened // reference.length * reference.length
        if component in reference.components and (machine, start) in index:
            counts[index.get_loc((machine, start)), reference.components.index(component)] += 1
    return counts


def _inputs(connection: Connection, inputs: WatchedInputs, index: pd.MultiIndex) -> Counts:
    counts = np.zeros((len(index), inputs.bins.size), dtype=np.int32)
    if not len(index):
        return counts
    starts = index.get_level_values(1)
    found = counts_between(connection, inputs.kind, inputs.bins.size, int(starts.min()), int(starts.max()))
    at = index.get_indexer(pd.MultiIndex.from_arrays([found.machine, found.start]))
    counts[at[at >= 0]] = found.counts[at >= 0]
    return counts
