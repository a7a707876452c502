"""What was seen of a source of features, in words for maintenance people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from forestall.data.clock import day_of, hour_of, is_counter
from forestall.features.columns import span_text
from forestall.features.reference import Reference
from forestall.serving.deviations import BEYOND, Deviations
from forestall.serving.texts import say

# How far a feature must be from healthy to be as striking as one standard deviation of the level.
RATIO, MISSING, STUCK = 0.3, 0.1, 6.0
STILL = ("stuck", "silent")
CLOCK, ALL = "machine.clock", "errors"  # the feature that is no attribute; the source of all codes together
Words = Mapping[str, str | float | int]


@dataclass(frozen=True)
class Sighting:
    """What is most striking about a source: in words, the feature that says so, its value and the healthy one.

    says, words: the key of a text and what is put into it. unit: of both values; empty for counts, shares and sensors
    without one.
    """

    says: str
    words: Words
    feature: str
    value: float
    healthy: float
    unit: str = ""

    @property
    def text(self) -> str:
        """In English."""
        return self.in_language("en")

    def in_language(self, language: str) -> str:
        """In one of the LANGUAGES; KeyError for another."""
        return say(self.says, self.words, language)


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
        feature.name: Sighting("", {}, feature.name, float(row[i]), float(healthy[i]))
        for i, feature in enumerate(reference.features)
        if feature.source == source
    }
    if sensor is not None:
        return _sensor(source, seen, reference, sensor)
    first = next(feature for feature in reference.features if feature.source == source)
    if first.group == "errors":
        return _errors(source, seen, reference)
    if first.group == "replacements":
        return _age(source, seen, reference)
    if first.group == "machine" and first.name != CLOCK:
        return _named(source, seen)
    return replace(seen[first.name], says=f"source.{source}")


def _named(source: str, seen: Seen) -> Sighting:
    """Only the name, which is the plant's."""
    return replace(next(iter(seen.values())), says="reason.source", words={"source": source})


def _sensor(sensor: str, seen: Seen, reference: Reference, about: Deviations) -> Sighting:
    kinds = {name: name[len(sensor) + 1 :].split(".", 1)[0] for name in seen}
    name = max(seen, key=lambda name: _striking(kinds[name], seen[name].value))
    if _striking(kinds[name], seen[name].value) > 0:
        return _lasting(sensor, _said(sensor, kinds[name], seen[name], reference, about), reference, about)
    for name, one in seen.items():
        if kinds[name] == "mean":
            words: Words = {"sensor": sensor, "mean": one.value, "span": _span(name, reference)}
            return replace(one, says="reason.mean", words=words, unit=about.unit)
    return _named(sensor, seen)


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
    name, value, level, spread = one.feature, one.value, about.level, about.spread
    if kind in STILL:
        hour = hour_of(reference.unit)[1]
        return replace(
            one, says=f"reason.{kind}", words={"sensor": sensor, "lasted": value, "unit": hour}, unit=hour
        )
    about_sensor = {"sensor": sensor, "span": _span(name, reference)}
    if kind == "missing":
        return replace(one, says="reason.missing", words={**about_sensor, "share": value})
    at, normal = (level + value * spread, level) if kind == "own" else (value * spread, 0.0)
    words: Words = {**about_sensor, "sd": abs(value)}
    if kind == "spread":
        normal, words = spread, {**about_sensor, "times": value}
    elif kind == "slope":
        words = {**about_sensor, "condition": name.removeprefix(f"{sensor}.slope.").rsplit(".", 1)[0]}
    return Sighting(_key(kind, value), words, name, at, normal, about.unit)


def _key(kind: str, value: float) -> str:
    """The text of a kind of feature that is in the sensor's unit."""
    up, down = {
        "own": ("above_over", "below_over"),
        "spread": ("varies", "varies"),
        "trend": ("rose", "fell"),
        "slope": ("follows_more", "follows_less"),
    }[kind]
    return f"reason.{up if value > 0 else down}"


def _lasting(sensor: str, one: Sighting, reference: Reference, about: Deviations) -> Sighting:
    """A level beyond normal, with how long it has been so, where its readings tell."""
    if not one.feature.startswith(f"{sensor}.own.") or abs(one.value - one.healthy) < BEYOND * about.spread:
        return one
    length, sd = about.lasting(1 if one.value > one.healthy else -1)
    if not length:
        return one
    ticks, name = hour_of(reference.unit)
    lasted = length * reference.spans.interval / ticks
    key = f"reason.{'above' if sd > 0 else 'below'}_for{'_more' if length == len(about.values) else ''}"
    words: Words = {"sensor": sensor, "sd": abs(sd), "lasted": lasted, "unit": name}
    return replace(one, says=key, words=words, value=about.level + sd * about.spread)


def _errors(source: str, seen: Seen, reference: Reference) -> Sighting:
    """What was counted over the shortest window in which anything was; `errors` counts different codes."""
    kind, code = _code(source)
    for name, one in seen.items():
        if (".distinct." in name or ".count." in name) and one.value > 0:
            span = _span(name, reference)
            if one.value == 1:
                return replace(one, says=f"{kind}_once", words={**code, "span": span})
            return replace(one, says=f"{kind}_times", words={**code, "span": span, "count": one.value})
    return replace(next(iter(seen.values())), says=f"{kind}_none", words=code)


def _code(source: str) -> tuple[str, Words]:
    """Texts of a code, which is called an error unless it calls itself one: not `error error3`."""
    if source == ALL:
        return "reason.kinds", {}
    code = source.removeprefix("error ")
    return ("reason.code" if code.lower().startswith("err") else "reason.error"), {"code": code}


def _age(source: str, seen: Seen, reference: Reference) -> Sighting:
    component = source.removeprefix("age of ")
    known, age = seen.get(f"{component}.replaced.known"), seen.get(f"{component}.replaced")
    if age is None or (known is not None and known.value == 0):
        unknown = known or next(iter(seen.values()))
        return replace(unknown, says="reason.age_unknown", words={"component": component})
    # A part has no age that is normal for its machine: what stands beside it is what training saw.
    words: Words = {"component": component, "age": age.value, "median": age.healthy}
    unit = day_of(reference.unit)[1]
    if is_counter(reference.unit):
        return replace(age, says="reason.age_counter", words={**words, "unit": unit}, unit=unit)
    return replace(age, says="reason.age_days", words=words, unit=unit)


def _span(feature: str, reference: Reference) -> str:
    """The span in a feature's name, in words."""
    return span_text(feature.rsplit(".", 1)[1], reference.unit)
