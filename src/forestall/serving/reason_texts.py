"""What was seen of a source of features, in words for maintenance people."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from forestall.data.clock import day_of, hour_of
from forestall.features.columns import span_text
from forestall.features.reference import Reference
from forestall.serving.deviations import BEYOND, Deviations

# How far a feature must be from healthy to be as striking as one standard deviation of the level.
RATIO, MISSING, STUCK = 0.3, 0.1, 6.0
STILL = {"stuck": "unchanged", "silent": "silent"}


@dataclass(frozen=True)
class Sighting:
    """What is most striking about a source: in words, the feature that says so, its value and the healthy one.

    unit: of both values; empty for counts, shares and sensors without one.
    """

    text: str
    feature: str
    value: float
    healthy: float
    unit: str = ""


Seen = dict[str, Sighting]  # the features of one source by name, without words


def describe(
    source: str,
    row: npt.NDArray[np.float32],
    healthy: npt.NDArray[np.float32],
    reference: Reference,
    sensor: Deviations | None = None,
) -> Sighting:
    """What is most striking about a source in one row of features [features], beside the healthy ones.

    Args:
        sensor: if the source is a sensor, its readings.
    """
    seen = {
        feature.name: Sighting("", feature.name, float(row[i]), float(healthy[i]))
        for i, feature in enumerate(reference.features)
        if feature.source == source
    }
    if sensor is not None:
        return _sensor(source, seen, reference, sensor)
    group = next(feature.group for feature in reference.features if feature.source == source)
    if group == "errors":
        return _errors(source, seen, reference)
    if group == "replacements":
        return _age(source, seen, reference)
    return replace(next(iter(seen.values())), text=source)


def _sensor(sensor: str, seen: Seen, reference: Reference, about: Deviations) -> Sighting:
    kinds = {name: name[len(sensor) + 1 :].split(".", 1)[0] for name in seen}
    name = max(seen, key=lambda name: _striking(kinds[name], seen[name].value))
    if _striking(kinds[name], seen[name].value) > 0:
        return _lasting(sensor, _said(sensor, kinds[name], seen[name], reference, about), reference, about)
    for name, one in seen.items():
        if kinds[name] == "mean":
            text = f"{sensor} at {one.value:.3g} on average over {_span(name, reference)}"
            return replace(one, text=text, unit=about.unit)
    return replace(next(iter(seen.values())), text=sensor)


def _striking(kind: str, value: float) -> float:
    """How striking a kind of feature is, in standard deviations of the level; 0 if there are no words for it."""
    if kind in ("own", "slope"):
        return abs(value)
    if kind == "spread":
        return (value - 1) / RATIO
    if kind == "trend":
        return abs(value) / 2
    return value / MISSING if kind == "missing" else value / STUCK if kind in STILL else 0.0


def _said(sensor: str, kind: str, one: Sighting, reference: Reference, about: Deviations) -> Sighting:
    """What a sensor's feature says, in words and in the sensor's unit."""
    name, value = one.feature, one.value
    if kind in STILL:
        hour = hour_of(reference.unit)[1]
        return replace(one, text=f"{sensor} {STILL[kind]} for {value:.0f} {hour}", unit=hour)
    over, level, spread, unit = f"over {_span(name, reference)}", about.level, about.spread, about.unit
    if kind == "own":
        text = f"{sensor} {abs(value):.1f} sd {_side(value)} this machine's normal {over}"
        return Sighting(text, name, level + value * spread, level, unit)
    if kind == "spread":
        text = f"{sensor} varies {value:.1f} times as much as normal {over}"
        return Sighting(text, name, value * spread, spread, unit)
    if kind == "trend":
        text = f"{sensor} {'rose' if value > 0 else 'fell'} by {abs(value):.1f} sd {over}"
        return Sighting(text, name, value * spread, 0.0, unit)
    if kind == "slope":
        condition = name.removeprefix(f"{sensor}.slope.").rsplit(".", 1)[0]
        text = f"{sensor} follows {condition} {'more' if value > 0 else 'less'} than normal {over}"
        return Sighting(text, name, value * spread, 0.0, unit)
    return replace(one, text=f"{sensor} missing in {value:.0%} of readings {over}")


def _lasting(sensor: str, one: Sighting, reference: Reference, about: Deviations) -> Sighting:
    """A level beyond normal, with how long it has been so, where its readings tell."""
    if not one.feature.startswith(f"{sensor}.own.") or abs(one.value - one.healthy) < BEYOND * about.spread:
        return one
    length, sd = about.lasting(1 if one.value > one.healthy else -1)
    if not length:
        return one
    ticks, name = hour_of(reference.unit)
    lasted = length * reference.spans.interval / ticks
    more = " or more" if length == len(about.values) else ""
    text = f"{sensor} {abs(sd):.1f} sd {_side(sd)} this machine's normal for {lasted:.3g} {name}{more}"
    return replace(one, text=text, value=about.level + sd * about.spread)


def _side(value: float) -> str:
    return "above" if value > 0 else "below"


def _errors(source: str, seen: Seen, reference: Reference) -> Sighting:
    """What was counted over the shortest window in which anything was; `errors` counts different codes."""
    for name, one in seen.items():
        window = f"in {_span(name, reference)}"
        if ".distinct." in name and one.value > 0:
            what = "one kind of error" if one.value == 1 else f"{one.value:.0f} different errors"
            return replace(one, text=f"{what} {window}")
        if ".count." in name and one.value > 0:
            often = "once" if one.value == 1 else f"{one.value:.0f} times"
            return replace(one, text=f"{_code(source)} seen {often} {window}")
    return replace(next(iter(seen.values())), text=f"{_code(source)}: none lately")


def _code(source: str) -> str:
    """The code, called an error unless it calls itself one: not `error error3`."""
    code = source.removeprefix("error ")
    return code if code.lower().startswith("err") else source


def _age(source: str, seen: Seen, reference: Reference) -> Sighting:
    component = source.removeprefix("age of ")
    known, age = seen.get(f"{component}.replaced.known"), seen.get(f"{component}.replaced")
    if age is None or (known is not None and known.value == 0):
        return replace(known or next(iter(seen.values())), text=f"{component}: age unknown")
    days = day_of(reference.unit)[1]
    # A part has no age that is normal for its machine: what stands beside it is what training saw.
    text = f"{component} replaced {age.value:.0f} {days} ago, training median {age.healthy:.0f} {days}"
    return replace(age, text=text, unit=days)


def _span(feature: str, reference: Reference) -> str:
    """The span in a feature's name, in words."""
    return span_text(feature.rsplit(".", 1)[1], reference.unit)
