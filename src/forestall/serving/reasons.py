"""Why a risk is what it is: each source of features in turn set to the machine's healthy reference and re-scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forestall.data.clock import day_of
from forestall.features.columns import Feature, span_text
from forestall.features.matrix import Reference
from forestall.features.sensors import Normal
from forestall.serving.bundle import Bundle

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Reason:
    """A source, how much of the risk goes when it is set to healthy, and what was seen of it."""

    source: str
    share: float
    text: str


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


def reasons(features: Matrix, healthy: Matrix, bundle: Bundle, most: int) -> list[list[list[Reason]]]:
    """For each row and component at most `most` reasons, the strongest first; one call of the model in all.

    Args:
        features, healthy: [rows, features].
    """
    sources = list(dict.fromkeys(feature.source for feature in bundle.reference.features))
    is_of = np.array([[f.source == source for f in bundle.reference.features] for source in sources])
    changed = np.where(is_of[None], healthy[:, None], features[:, None])
    risk = bundle.risk(features)
    without = bundle.risk(changed.reshape(-1, features.shape[1])).reshape(len(features), len(sources), -1)
    drop = risk[:, None] - without
    texts = [[describe(source, row, bundle.reference) for source in sources] for row in features]
    return [
        [
            _strongest(drop[row, :, c], float(risk[row, c]), sources, texts[row], most)
            for c in range(risk.shape[1])
        ]
        for row in range(len(features))
    ]


def _strongest(drop: Matrix, risk: float, sources: list[str], texts: list[str], most: int) -> list[Reason]:
    order = np.argsort(-drop, kind="stable")[:most]
    return [Reason(sources[i], float(drop[i]) / risk, texts[i]) for i in order if drop[i] > 0.05 * risk]


def describe(source: str, row: Matrix, reference: Reference) -> str:
    """What was seen of a source, in words."""
    seen = {f.name: float(row[i]) for i, f in enumerate(reference.features) if f.source == source}
    groups = {f.group for f in reference.features if f.source == source}
    if "sensors" in groups:
        return _sensor_text(source, seen, reference)
    if "levels" in groups:
        name, value = next(item for item in seen.items() if item[0].startswith(f"{source}.mean."))
        return f"{source} at {value:.3g} on average over {_span(name, reference)}"
    if "errors" in groups:
        counts = {name: value for name, value in seen.items() if ".count." in name and value > 0}
        if not counts:
            return f"{source}: none lately"
        name, value = next(iter(counts.items()))
        return f"{source} seen {value:.0f} times in {_span(name, reference)}"
    if f"{source}.replaced" in seen:
        known = seen.get(f"{source}.replaced.known", 1.0) > 0
        _, unit = day_of(reference.unit)
        return (
            f"{source} replaced {seen[f'{source}.replaced']:.0f} {unit} ago"
            if known
            else f"{source}: age unknown"
        )
    return source


def _sensor_text(sensor: str, seen: dict[str, float], reference: Reference) -> str:
    distances = {name: value for name, value in seen.items() if name.startswith(f"{sensor}.own.")}
    name, value = max(distances.items(), key=lambda item: abs(item[1]))
    spread = {name: value for name, value in seen.items() if name.startswith(f"{sensor}.spread.")}
    wide, ratio = max(spread.items(), key=lambda item: item[1])
    if abs(value) < 1 and ratio > 1.3:
        return f"{sensor} varies {ratio:.1f} times as much as normal over {_span(wide, reference)}"
    slopes = {name: value for name, value in seen.items() if name.startswith(f"{sensor}.slope.")}
    follows, slope = max(slopes.items(), key=lambda item: abs(item[1]), default=("", 0.0))
    if abs(value) < 1 and abs(slope) >= 1:
        condition = follows.removeprefix(f"{sensor}.slope.").rsplit(".", 1)[0]
        more = "more" if slope > 0 else "less"
        return f"{sensor} follows {condition} {more} than normal over {_span(follows, reference)}"
    side = "above" if value > 0 else "below"
    return f"{sensor} {abs(value):.1f} sd {side} this machine's normal over {_span(name, reference)}"


def _span(feature: str, reference: Reference) -> str:
    """The span in a feature's name, in words."""
    return span_text(feature.rsplit(".", 1)[1], reference.unit)
