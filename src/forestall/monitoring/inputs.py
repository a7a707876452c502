"""Which of a model's inputs are watched: one feature for each source, so that a drift is named once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forestall.features.columns import Feature, span_name
from forestall.features.reference import Matrix, Reference


@dataclass(frozen=True)
class Input:
    """A quantity that is watched: a source's name, and its feature's place in the matrix.

    known: place of the feature that says whether it is known (1) or missing (0); None where a filled value says it.
    fill: the value that stands for a missing one; None where the feature is never missing.
    """

    name: str
    place: int
    known: int | None = None
    fill: float | None = None


def inputs_of(reference: Reference) -> list[Input]:
    """Each sensor's distance from its own normal and each error code's count, over the shortest window; how many
    codes came; each part's age. Sources whose groups of features the model does without are left out.
    """
    place = {feature.name: number for number, feature in enumerate(reference.features)}
    sensors = span_name(min(reference.spans.sensors), reference.unit)
    events = span_name(min(reference.spans.events), reference.unit)
    wanted = [f"{sensor}.own.{sensors}" for sensor in reference.sensors]
    wanted += [f"{code}.count.{events}" for code in reference.codes] + [f"errors.distinct.{events}"]
    wanted += [f"{component}.replaced" for component in reference.components]
    return [_input(reference.features[place[name]], place, reference) for name in wanted if name in place]


def input_values(features: Matrix, inputs: list[Input]) -> Matrix:
    """The watched values of filled feature rows: [rows, features] -> [rows, inputs], NaN where missing."""
    values = features[:, [one.place for one in inputs]]
    for column, one in enumerate(inputs):
        if one.known is not None:
            values[features[:, one.known] < 1, column] = np.nan
        elif one.fill is not None:
            values[values[:, column] == np.float32(one.fill), column] = np.nan
    return values


def _input(feature: Feature, place: dict[str, int], reference: Reference) -> Input:
    number, known = place[feature.name], place.get(f"{feature.name}.known")
    # Of the others only distances from normal can be missing: a median to the last bit is a fill, not a reading.
    fill = reference.fills[number] if feature.group == "sensors" else None
    return Input(feature.source, number, known, fill)
