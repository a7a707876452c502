"""The featurize stage's work: fit the reference on the training fold, then features and labels of all machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forestall.data.dataset import Dataset
from forestall.data.events import Events, absent_pairs
from forestall.errors import InputError
from forestall.features import labels, matrix
from forestall.features.baselines import model_baselines, own_baselines, own_frame
from forestall.features.columns import Feature
from forestall.features.history import History, Ints, lay_out, spans_of
from forestall.features.reference import Matrix, Reference

Chunks = Callable[[], Iterator[pd.DataFrame]]
MACHINES_AT_A_TIME = 200
FILL_ROWS = 200_000


@dataclass(frozen=True)
class Part:
    """Some machines' decisions.

    decisions: machine, time, fold, no_opinion, label.<component>. features: float32 [rows, features].
    """

    decisions: pd.DataFrame
    features: Matrix


def histories(chunks: Chunks, events: Events, dataset: Dataset, end: int) -> Iterator[History]:
    """The telemetry's machines laid out, a limited number at a time."""
    spans, sensors = spans_of(dataset), list(dataset.tables.telemetry.sensors)
    for frame in chunks():
        machines = frame["machine"].unique()
        for first in range(0, len(machines), MACHINES_AT_A_TIME):
            some = frame[frame["machine"].isin(machines[first : first + MACHINES_AT_A_TIME])]
            yield lay_out(some, events, sensors, spans, end)


def fit_reference(
    chunks: Chunks, events: Events, dataset: Dataset, groups: tuple[str, ...], max_codes: int, end: int
) -> Reference:
    """The reference, fitted on the training fold: error codes, categories, models' baselines, fills."""
    spans = spans_of(dataset)
    fold_end = _training_end(dataset, end)
    own = [
        _own_at(history, dataset, _known_until(history, dataset, fold_end))
        for history in histories(chunks, events, dataset, end)
    ]
    frame = pd.concat(own, ignore_index=True)
    training = frame[[_is_training(machine, dataset) for machine in frame["machine"]]]
    attributes = dataset.tables.machines.attributes if dataset.tables.machines else {}
    known = events.machines[events.machines["machine"].isin(training["machine"])]
    categories = {
        name: sorted(known[name].astype(str).unique())
        for name, kind in attributes.items()
        if kind == "category"
    }
    group = matrix.model_of(events.machines, list(categories))
    sensors = list(dataset.tables.telemetry.sensors)
    reference = Reference(
        spans=spans,
        unit=dataset.clock.unit,
        sensors=tuple(sensors),
        conditions=dataset.tables.telemetry.conditions,
        components=tuple(dataset.components),
        groups=groups,
        codes=_codes(events, training["machine"], dataset, end)[:max_codes],
        categories=categories,
        attributes=tuple(name for name, kind in attributes.items() if kind == "number"),
        model_baselines=model_baselines(training, group, sensors, condition_places(dataset)),
    )
    return _fit_fills(reference, chunks, events, dataset, end)


def parts(chunks: Chunks, events: Events, dataset: Dataset, reference: Reference, end: int) -> Iterator[Part]:
    """Decisions, labels and filled features, some machines at a time."""
    for history in histories(chunks, events, dataset, end):
        own = own_baselines(history, reference.spans, reference.condition_places)
        features = matrix.feature_matrix(history, own, reference)
        decisions = decisions_of(history, events, dataset, end)
        until = np.repeat(_known_until(history, dataset, end), features.shape[1])
        within = decisions["time"].to_numpy() <= until
        yield Part(decisions[within].reset_index(drop=True), features.reshape(-1, features.shape[2])[within])


def decisions_of(history: History, events: Events, dataset: Dataset, end: int) -> pd.DataFrame:
    """Machine, time, fold, no_opinion (why; empty where there is one) and label.<component> of each decision.

    A decision of which no outcome is known is in no fold.
    """
    spans, until = spans_of(dataset), _known_until(history, dataset, end)
    times = history.decisions(spans)
    absent = absent_pairs(events.machines, dataset)
    frame = labels.frame_of(history.machines, times)
    frame["no_opinion"] = labels.opinions(history, spans).ravel()
    frame["fold"] = labels.folds(history.machines, times, end, dataset).ravel()
    names = [f"label.{component}" for component in dataset.components]
    for name, component in zip(names, dataset.components, strict=True):
        frame[name] = labels.labels(history, component, absent, spans, until).ravel()
    judged = (frame["no_opinion"] == labels.OPINION) & (frame[names] >= 0).any(axis=1)
    frame["fold"] = frame["fold"].where(judged, labels.NO_FOLD)
    return frame


def latest_baselines(chunks: Chunks, events: Events, dataset: Dataset, end: int) -> pd.DataFrame:
    """Each machine's own baseline when its data end, as `own_frame` has it."""
    rows = [
        _own_at(history, dataset, _known_until(history, dataset, end))
        for history in histories(chunks, events, dataset, end)
    ]
    return pd.concat(rows, ignore_index=True)


def _known_until(history: History, dataset: Dataset, end: int) -> Ints:
    """Until when each machine's failures are known, [machines]: all until `end`, or split by machine each its own."""
    if not dataset.split_by_machine:
        return np.full(len(history.machines), end, dtype=np.int64)
    last = dict(zip(history.machines, history.last.tolist(), strict=True))
    own = labels.own_ends(last, history.events.failures)
    return np.array([own[machine] for machine in history.machines], dtype=np.int64)


def _training_end(dataset: Dataset, end: int) -> int:
    return end if dataset.split_by_machine else labels.fold_ends(end, dataset)[labels.TRAIN]


def _is_training(machine: str, dataset: Dataset) -> bool:
    if dataset.split_by_machine:
        return labels.ranked(machine) >= float(dataset.split.test) + float(dataset.split.validation)
    return labels.ranked(machine) >= dataset.split.unseen_machines


def _own_at(history: History, dataset: Dataset, until: Ints) -> pd.DataFrame:
    """Each machine's own baseline as of its time in `until`, [machines]."""
    sensors, conditions = list(dataset.tables.telemetry.sensors), condition_places(dataset)
    own = own_baselines(history, spans_of(dataset), conditions, until)
    return own_frame(history.machines, own, until, sensors, conditions)


def condition_places(dataset: Dataset) -> tuple[int, ...]:
    """Positions of the operating conditions among the sensors."""
    telemetry = dataset.tables.telemetry
    return tuple(list(telemetry.sensors).index(name) for name in telemetry.conditions)


def _codes(events: Events, machines: pd.Series[str], dataset: Dataset, end: int) -> tuple[str, ...]:
    errors = events.errors[events.errors["machine"].isin(machines)]
    errors = errors[errors["time"] <= _training_end(dataset, end)]
    counts = errors["code"].value_counts()
    return tuple(sorted(counts.index, key=lambda code: (-counts[code], code)))


def _fit_fills(reference: Reference, chunks: Chunks, events: Events, dataset: Dataset, end: int) -> Reference:
    rows, sampled = 0, []
    features: list[Feature] = []
    for history in histories(chunks, events, dataset, end):
        own = own_baselines(history, reference.spans, reference.condition_places)
        features, raw = matrix.raw_features(history, own, reference)
        if not features:
            todo = "Switch on more of `features.groups`, or add tables to the dataset file"
            raise InputError(
                "the groups of features that are on give none on this dataset", todo, "params.yaml"
            )
        training = decisions_of(history, events, dataset, end)["fold"].to_numpy() == labels.TRAIN
        sampled.append(raw.reshape(-1, raw.shape[2])[training])
        rows += len(sampled[-1])
        if rows >= FILL_ROWS:
            break
    return matrix.with_fills(reference, features, np.concatenate(sampled))
