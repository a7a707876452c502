"""How numbers, units and times are written in a language: what stands after the colon of a text's placeholder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Real

SPAN = re.compile(r"(\d+ ?)(\D+)")
STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d)(:\d\d)?Z?", re.ASCII)
MARKS = str.maketrans(",.", ".,")


def written(value: object, spec: str, units: Mapping[str, str], language: str) -> str:
    """A value as a language writes it.

    Args:
        spec: `time` of a timestamp or a count with its unit; `unit` of a unit or a span such as `24h`; for numbers as
            in `format`, and behind it the words for one and for many: `.0f|day|days`.
        units: words for units that have some in the language; all others are the plant's.
    """
    number, *forms = spec.split("|")
    if spec == "time" and (stamp := STAMP.fullmatch(str(value))):
        year, month, day, clock = stamp.groups()[:4]
        return f"{day}.{month}.{year}, {clock} Uhr" if language == "de" else f"{year}-{month}-{day} {clock}"
    if spec in ("time", "unit"):
        return _with_unit(str(value), units, language)
    text = _german(value, number) if language == "de" and isinstance(value, Real) else format(value, number)
    return f"{text} {forms[0] if text == '1' else forms[1]}" if forms else text


def _with_unit(text: str, units: Mapping[str, str], language: str) -> str:
    """A unit, or a number and its unit: German keeps a space between the two."""
    if language == "en":
        return text
    span = SPAN.fullmatch(text)
    return f"{span[1].strip()} {units.get(span[2], span[2])}" if span else units.get(text, text)


def _german(value: Real, spec: str) -> str:
    """With a comma; significant digits without a power of ten, for which planners have no use."""
    if spec.endswith("g"):
        return format(float(format(value, spec)), ".15g").translate(MARKS)
    return format(value, spec).translate(MARKS).replace("%", " %")
