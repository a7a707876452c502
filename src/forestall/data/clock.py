"""Time as whole ticks: seconds since 1970 for timestamps, counts for a counter such as cycles.

Everything past the reader works on ticks, so that a plant with dates and one with cycles run the same code.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
DAYS_PER_MONTH = 30.4375  # 365.25 / 12
LONGEST = 10**9  # of any unit: far beyond any history, and far from the end of 64 bits
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")


def is_counter(unit: str) -> bool:
    """Whether ticks of this unit are those of a counter, which each machine starts from new."""
    return unit != "s"


def hour_of(unit: str) -> tuple[int, str]:
    """Ticks in the unit that lead times are shown in, and its name: hours, or a counter's own unit."""
    return (1, unit) if is_counter(unit) else (SECONDS["h"], "h")


def day_of(unit: str) -> tuple[int, str]:
    """Ticks in the unit that ages are shown in, and its name: days, or a counter's own unit."""
    return (1, unit) if is_counter(unit) else (SECONDS["d"], "days")


def _check_duration(text: str) -> str:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("write a number and a unit: 30min, 12h, 7d, or 30cycles for a counter")
    if float(match[1]) > LONGEST:
        raise ValueError(f"a duration is at most {LONGEST:,} of its unit")
    return text


Duration = Annotated[str, AfterValidator(_check_duration)]


def ticks(duration: str, unit: str = "s") -> int:
    """A duration such as `12h` in ticks of `unit` (`s`, or a counter's name such as `cycles`).

    Raises:
        ValueError: the unit does not belong to the clock, or the duration is not a whole number of ticks.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration!r} is not a duration such as 12h")
    allowed = {unit: 1} if is_counter(unit) else SECONDS
    if match[2] not in allowed:
        raise ValueError(f"{duration!r}: the unit must be one of {', '.join(allowed)}")
    exact = float(match[1]) * allowed[match[2]]
    if exact != round(exact):
        raise ValueError(f"{duration!r} is not a whole number of {unit}")
    return round(exact)
