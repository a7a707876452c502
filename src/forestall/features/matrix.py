"""From histories to the feature matrix: the one function that training, batch and the API all call."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from forestall.features.baselines import OwnBaselines
from forestall.features.columns import Columns, Feature
from forestall.features.events import add_error_features, add_replacement_features, add_schedule_features
from forestall.features.history import History
from forestall.features.reference import Matrix, Reference
from forestall.features.sensors import Normal, add_gap_features, add_sensor_features


def raw_features(history: History, own: OwnBaselines, reference: Reference) -> tuple[list[Feature], Matrix]:
    """The features before filling, [machines, decisions, features]; missing is NaN."""
    spans, unit, columns = reference.spans, reference.unit, Columns(reference.groups)
    sensors = list(reference.sensors)
    normal = normal_of(history, own, reference)
    if "sensors" in reference.groups or "levels" in reference.groups:
        add_sensor_features(columns, history, normal, sensors, reference.condition_places, spans, unit)
    if "gaps" in reference.groups:
        add_gap_features(columns, history, normal, sensors, spans, unit)
    if "errors" in reference.groups:
        add_error_features(columns, history, list(reference.codes), spans, unit)
    if "replacements" in reference.groups:
        add_replacement_features(columns, history, list(reference.components), spans, unit)
    if "schedule" in reference.groups:
        add_schedule_features(columns, history, spans, unit)
    if "machine" in reference.groups:
        _add_machine_features(columns, history, reference)
    return columns.features, columns.stacked()


def feature_matrix(history: History, own: OwnBaselines, reference: Reference) -> Matrix:
    """The features, float32 and finite, [machines, decisions, features]."""
    _, matrix = raw_features(history, own, reference)
    return filled(matrix, reference)


def filled(matrix: Matrix, reference: Reference) -> Matrix:
    """Missing values replaced by the training fold's fills."""
    return np.where(np.isnan(matrix), np.array(reference.fills, dtype=np.float32), matrix)


def with_fills(reference: Reference, features: list[Feature], training: Matrix) -> Reference:
    """The reference with each feature's median over training rows [rows, features]; 0 where all are missing."""
    fills = []
    for column in training.T:
        present = column[~np.isnan(column)]
        fills.append(float(np.median(present)) if present.size else 0.0)
    return replace(reference, fills=tuple(fills), features=tuple(features))


def normal_of(history: History, own: OwnBaselines, reference: Reference) -> Normal:
    """The baselines that hold at each decision; the model's stands in where the own is not known."""
    held = own.at(history.decisions(reference.spans))
    models = model_of(history.events.machines, list(reference.categories))
    typical = np.array([_model_baseline(str(models.get(m, "")), reference) for m in history.machines])
    typical = typical[:, None]
    usual = np.array([reference.model_baselines[""][name][0] for name in reference.conditions])
    known = ~np.isnan(held.level)
    level = held.level + (held.slopes * usual).sum(axis=-1)
    return Normal(
        level=np.where(known, level, typical[..., 0]),
        spread=np.where(known, held.spread, typical[..., 1]),
        slopes=np.where(known[..., None], held.slopes, typical[..., 2:]),
        model_level=np.broadcast_to(typical[..., 0], level.shape),
        model_spread=np.broadcast_to(typical[..., 1], level.shape),
        known=known.astype(np.float64),
        usual=usual,
    )


def model_of(machines: pd.DataFrame, categories: list[str]) -> pd.Series[str]:
    """Machine -> its categories joined: what is called its model."""
    if not categories:
        return pd.Series("", index=pd.Index(machines["machine"]))
    joined = [" ".join(row) for row in zip(*(_texts(machines, name) for name in categories), strict=True)]
    return pd.Series(joined, index=pd.Index(machines["machine"]), dtype=object)


def _texts(machines: pd.DataFrame, attribute: str) -> list[str]:
    return [str(value) for value in machines[attribute]]


def _model_baseline(model: str, reference: Reference) -> list[list[float]]:
    known = reference.model_baselines.get(model, reference.model_baselines[""])
    return [known[sensor] for sensor in reference.sensors]


def _add_machine_features(columns: Columns, history: History, reference: Reference) -> None:
    table = history.events.machines.drop_duplicates("machine").set_index("machine").reindex(history.machines)
    decisions = history.decisions(reference.spans)
    shape = (len(history.machines), len(decisions))
    for attribute in reference.attributes:
        values = table[attribute].to_numpy(dtype=np.float64)
        columns.add(f"machine.{attribute}", "machine", attribute, np.broadcast_to(values[:, None], shape))
    for attribute, categories in reference.categories.items():
        texts = _texts(table, attribute)
        for value in categories:
            is_value = np.array([text == value for text in texts])
            columns.add(
                f"machine.{attribute}.{value}",
                "machine",
                attribute,
                np.broadcast_to(is_value[:, None], shape),
            )
    if reference.own_clocks:
        columns.add("machine.clock", "machine", "time in service", np.broadcast_to(decisions, shape))
