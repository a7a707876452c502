"""Times as answers write them, and the latest that a request may name."""

from __future__ import annotations

import time

import numpy as np

from forestall.data.clock import is_counter
from forestall.features.reference import Reference

AHEAD = 300  # seconds by which a plant's clock may be ahead of this computer's


def time_of(ticks: int, reference: Reference) -> str | int:
    """RFC 3339, or a counter's count. A plant's own wall clock is written as if it were UTC, as it is read."""
    return ticks if is_counter(reference.unit) else f"{np.datetime64(ticks, 's')}Z"


def wall_clock() -> int:
    """The time by UTC or by this computer's wall clock, whichever is later: a plant's tables may be in either."""
    now = int(time.time())
    return max(now, now + time.localtime(now).tm_gmtoff)


def latest(reference: Reference) -> int | None:
    """What lies after it lies in the future; a counter has none."""
    return None if is_counter(reference.unit) else wall_clock() + AHEAD
