"""What a machine's features would be if it were healthy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from forestall.features.columns import Feature
from forestall.features.reference import Matrix, Reference
from forestall.features.sensors import Normal


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
