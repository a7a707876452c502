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
from forestall.features.history import Bools, History, Ints, lay_out, spans_of
from forestall.features.matrix import Reference

Chunks = Callable[[], Iterator[pd.DataFrame]]
MACHINES_AT_A_TIME = 200
FILL_ROWS = 200_000


@dataclass(frozen=True)
class Part:
    """Some machines' decisions.

    decisions: machine, time, fold, no_opinion, label.<component>. features: float32 [rows, features].
    """

    decisions: pd.DataFrame
    features: matrix.Matrix


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
    own = [_own_at(history, dataset, fold_end) for history in histories(chunks, events, dataset, end)]
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
        yield Part(decisions_of(history, events, dataset, end), features.reshape(-1, features.shape[2]))


def decisions_of(history: History, events: Events, dataset: Dataset, end: int) -> pd.DataFrame:
    """Machine, time, fold, no_opinion (why; empty where there is one) and label.<component> of each decision."""
    spans = spans_of(dataset)
    times = history.decisions(spans)
    absent = absent_pairs(events.machines, dataset)
    frame = labels.frame_of(history.machines, times)
    frame["no_opinion"] = labels.opinions(history, spans).ravel()
    fold = labels.folds(history.machines, times, end, dataset).ravel()
    frame["fold"] = np.where(frame["no_opinion"] == labels.OPINION, fold, labels.NO_FOLD)
    for component in dataset.components:
        frame[f"label.{component}"] = labels.labels(history, component, absent, spans).ravel()
    if dataset.split.by == "machine":
        frame["fold"] = np.where(_after_end(history, times), labels.NO_FOLD, frame["fold"])
    return frame


def latest_baselines(chunks: Chunks, events: Events, dataset: Dataset, end: int) -> pd.DataFrame:
    """Each machine's own baseline as of `end`: NaN where unknown."""
    rows = [_own_at(history, dataset, end) for history in histories(chunks, events, dataset, end)]
    return pd.concat(rows, ignore_index=True)


def check_training(decisions: pd.DataFrame, dataset: Dataset, file: str) -> None:
    """Refuse a training fold from which nothing can be learnt.

    Raises:
        InputError: it is empty, or a component never fails in it.
    """
    training = decisions[decisions["fold"] == labels.TRAIN]
    todo = "Shorten `split.test` and `split.validation` in the dataset file, or add history"
    if training.empty:
        raise InputError("the training fold is empty", todo, file)
    for component in dataset.components:
        if not (training[f"label.{component}"] == 1).any():
            problem = (
                f"component {component!r} does not fail in the training fold, so nothing can be learnt of it"
            )
            raise InputError(problem, f"{todo}, or take it out of `components` with its rows", file)


def _after_end(history: History, times: Ints) -> Bools:
    slots = np.arange(history.readings.shape[1])
    last = np.where(np.isnan(history.readings).all(axis=2), -1, slots).max(axis=1)
    step = times[1] - times[0] if len(times) > 1 else 1
    ends = times[0] + last // (history.readings.shape[1] // len(times)) * step
    after: Bools = (times[None, :] >= ends[:, None]).ravel()
    return after


def _training_end(dataset: Dataset, end: int) -> int:
    return labels.fold_ends(end, dataset)[labels.TRAIN] if dataset.split.by == "time" else end


def _is_training(machine: str, dataset: Dataset) -> bool:
    if dataset.split.by == "time":
        return labels.ranked(machine) >= dataset.split.unseen_machines
    return labels.ranked(machine) >= float(dataset.split.test) + float(dataset.split.validation)


def _own_at(history: History, dataset: Dataset, time: int) -> pd.DataFrame:
    """Each machine's own baseline as of `time`."""
    sensors, conditions = list(dataset.tables.telemetry.sensors), condition_places(dataset)
    own = own_baselines(history, spans_of(dataset), conditions, until=time)
    return own_frame(history, own, sensors, conditions)


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
        training = decisions_of(history, events, dataset, end)["fold"].to_numpy() == labels.TRAIN
        sampled.append(raw.reshape(-1, raw.shape[2])[training])
        rows += len(sampled[-1])
        if rows >= FILL_ROWS:
            break
    return matrix.with_fills(reference, features, np.concatenate(sampled))
