"""Why a risk is what it is: each source of features in turn set to the machine's healthy reference and re-scored."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from forestall.features.columns import Feature
from forestall.features.history import Floats
from forestall.features.reference import Matrix, Reference
from forestall.features.sensors import Normal
from forestall.serving.bundle import Bundle
from forestall.serving.deviations import Deviations, deviations
from forestall.serving.reason_texts import Sighting, describe

LEAST = 0.05  # what makes less of a risk than this is no reason


@dataclass(frozen=True)
class Reason(Sighting):
    """A source, how much of the risk goes when it is set to healthy, and what was seen of it."""

    source: str = field(kw_only=True)
    share: float = field(kw_only=True)


def healthy_reference(features: Matrix, normal: Normal, reference: Reference) -> Matrix:
    """What each machine's features would be if it were healthy, [machines, features].

    Sensors stand where the machine's own baseline has them at the conditions that it ran at, no error was seen
    within the lookback, and what has no healthy value of its own is at the training fold's median.

    Args:
        features: one row a machine, filled.
        normal: the baselines that hold at the rows' time, [machines, 1, sensors].
    """
    healthy = np.tile(np.array(reference.fills, dtype=np.float32), (len(features), 1))
    seen = {feature.name: features[:, position] for position, feature in enumerate(reference.features)}
    for position, feature in enumerate(reference.features):
        if feature.source in reference.sensors and feature.group in ("sensors", "levels"):
            value = _healthy_sensor(feature, seen, normal, reference.sensors.index(feature.source))
            healthy[:, position] = healthy[:, position] if value is None else value
        elif feature.group == "errors":
            healthy[:, position] = 0
        elif feature.group == "machine":
            healthy[:, position] = features[:, position]
    return healthy


def _healthy_sensor(
    feature: Feature, seen: dict[str, Any], normal: Normal, number: int
) -> npt.NDArray[np.float64] | float | None:
    kind, window = feature.name.removeprefix(feature.source + ".").rsplit(".", 1)
    level, model_level = normal.level[:, 0, number], normal.model_level[:, 0, number]
    if kind == "mean":
        own = seen.get(f"{feature.source}.own.{window}")
        return level if own is None else np.asarray(seen[feature.name] - own * normal.spread[:, 0, number])
    if kind == "model":
        return np.asarray((level - model_level) / normal.model_spread[:, 0, number])
    return 0.0 if kind in ("own", "trend") or kind.startswith("slope.") else None


def reasons(
    features: Matrix, healthy: Matrix, normal: Normal, readings: Floats, bundle: Bundle, most: int
) -> list[list[list[Reason]]]:
    """For each row and component at most `most` reasons, the strongest first; two calls of the model in all.

    Args:
        features, healthy: [rows, features].
        normal: the baselines that hold at the rows' time, [rows, 1, …].
        readings: those of the lookback up to it, [rows, slots, sensors].
    """
    sources = list(dict.fromkeys(feature.source for feature in bundle.reference.features))
    of_feature = np.array([sources.index(feature.source) for feature in bundle.reference.features])
    is_of = of_feature == np.arange(len(sources))[:, None]
    changed = np.where(is_of[None], healthy[:, None], features[:, None])
    differs = (changed != features[:, None]).any(axis=2)
    risk = bundle.risk(features)
    drop = np.zeros((len(features), len(sources), risk.shape[1]), dtype=np.float32)
    drop[differs] = risk[np.nonzero(differs)[0]] - bundle.risk(changed[differs])

    @cache
    def seen(row: int, source: str) -> Sighting:
        sensor = _readings_of(source, row, normal, readings, bundle)
        return describe(source, features[row], healthy[row], bundle.reference, sensor)

    def strongest(row: int, c: int) -> list[Reason]:
        of, whole = drop[row, :, c], float(risk[row, c])
        order = [i for i in np.argsort(-of, kind="stable")[:most] if of[i] > LEAST * whole]
        return [
            Reason(**vars(seen(row, sources[i])), source=sources[i], share=float(of[i]) / whole)
            for i in order
        ]

    return [[strongest(row, c) for c in range(risk.shape[1])] for row in range(len(features))]


def _readings_of(
    source: str, row: int, normal: Normal, readings: Floats, bundle: Bundle
) -> Deviations | None:
    """The readings behind a source that is a sensor."""
    reference = bundle.reference
    if source not in reference.sensors:
        return None
    unit = bundle.plant.dataset.tables.telemetry.sensors[source].unit
    return deviations(readings, normal, row, reference.sensors.index(source), reference, unit)
