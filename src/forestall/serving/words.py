"""What was seen of a source of features, and how long a part has left, in words for maintenance people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from forestall.data.clock import day_of, hour_of
from forestall.features.columns import span_text
from forestall.features.reference import Reference

Seen = dict[str, float]
# How far a feature must be from healthy to be as striking as one standard deviation of the level.
RATIO, MISSING, STUCK = 0.3, 0.1, 6.0
STILL = {"stuck": "unchanged", "silent": "silent"}


def describe(source: str, row: npt.NDArray[np.float32], reference: Reference) -> str:
    """What is most striking about a source in one row of features [features]."""
    seen = {f.name: float(row[i]) for i, f in enumerate(reference.features) if f.source == source}
    if source in reference.sensors:
        return _sensor(source, seen, reference)
    group = next(feature.group for feature in reference.features if feature.source == source)
    if group == "errors":
        return _errors(source, seen, reference)
    return _age(source, seen, reference) if group == "replacements" else source


def _sensor(sensor: str, seen: Seen, reference: Reference) -> str:
    found = max(_striking(sensor, seen, reference), default=(0.0, sensor))
    if found[0] > 0:
        return found[1]
    levels = {name: value for name, value in seen.items() if name.startswith(f"{sensor}.mean.")}
    for name, value in levels.items():
        return f"{sensor} at {value:.3g} on average over {_span(name, reference)}"
    return sensor


def _striking(sensor: str, seen: Seen, reference: Reference) -> Iterator[tuple[float, str]]:
    """How striking each feature of a sensor is, and what to say of it."""
    for name, value in seen.items():
        kind, _, window = name.removeprefix(f"{sensor}.").rpartition(".")
        over = f"over {span_text(window, reference.unit)}"
        if kind == "own":
            side = "above" if value > 0 else "below"
            yield abs(value), f"{sensor} {abs(value):.1f} sd {side} this machine's normal {over}"
        elif kind == "spread":
            yield (value - 1) / RATIO, f"{sensor} varies {value:.1f} times as much as normal {over}"
        elif kind == "trend":
            side = "rose" if value > 0 else "fell"
            yield abs(value) / 2, f"{sensor} {side} by {abs(value):.1f} sd {over}"
        elif kind.startswith("slope."):
            more = "more" if value > 0 else "less"
            yield abs(value), f"{sensor} follows {kind.removeprefix('slope.')} {more} than normal {over}"
        elif kind == "missing":
            yield value / MISSING, f"{sensor} missing in {value:.0%} of readings {over}"
        elif window in STILL:
            yield value / STUCK, f"{sensor} {STILL[window]} for {value:.0f} {hour_of(reference.unit)[1]}"


def _errors(source: str, seen: Seen, reference: Reference) -> str:
    """What was counted over the shortest window in which anything was; `errors` counts different codes."""
    for name, value in seen.items():
        window = f"in {_span(name, reference)}"
        if ".distinct." in name and value > 0:
            return f"{value:.0f} different errors {window}"
        if ".count." in name and value > 0:
            return f"{source} seen {value:.0f} times {window}"
    return f"{source}: none lately"


def _age(source: str, seen: Seen, reference: Reference) -> str:
    component = source.removeprefix("age of ")
    if seen.get(f"{component}.replaced.known", 1.0) == 0 or f"{component}.replaced" not in seen:
        return f"{component}: age unknown"
    return f"{component} replaced {seen[f'{component}.replaced']:.0f} {day_of(reference.unit)[1]} ago"


def _span(feature: str, reference: Reference) -> str:
    """The span in a feature's name, in words."""
    return span_text(feature.rsplit(".", 1)[1], reference.unit)


def life_in_words(life: float, longest: int) -> str:
    """A quantile of remaining life in whole hours (or a counter's unit), or that it lies beyond the longest horizon."""
    return f"{life:.0f}" if np.isfinite(life) else f"beyond {longest}"
