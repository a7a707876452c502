"""Times as requests and answers write them, and ticks: RFC 3339 timestamps, or a counter's whole counts."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from forestall.data.clock import is_counter
from forestall.data.parse import LARGEST_COUNT
from forestall.features.history import Spans
from forestall.features.reference import Reference

STAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]00:?00)?", re.ASCII)
AHEAD = 300  # seconds by which a plant's clock may be ahead of this computer's
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMESTAMP = {"type": "string", "format": "date-time", "examples": ["2024-12-30T12:00:00Z"]}


def ticks_of(text: object) -> int:
    """A timestamp in seconds since 1970 UTC; a part of a second is rounded up, as in a plant's tables.

    Without an offset it stands as in the plant's tables.

    Raises:
        PydanticCustomError: it is none, or has an offset from UTC.
    """
    if not isinstance(text, str) or STAMP.fullmatch(text) is None:
        raise PydanticCustomError("timestamp", "not a timestamp in UTC such as 2024-12-30T12:00:00Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise PydanticCustomError("timestamp", "no such time: {why}", {"why": str(error)}) from None
    since = moment.replace(tzinfo=UTC) - EPOCH
    return since.days * 86400 + since.seconds + (since.microseconds > 0)


def time_type(unit: str) -> Any:
    """The type of a time in a request, for pydantic: it reads ticks from a timestamp, or a count of the unit."""
    if is_counter(unit):
        return Annotated[int, Field(strict=True, gt=-LARGEST_COUNT, lt=LARGEST_COUNT)]
    return Annotated[int, BeforeValidator(ticks_of), WithJsonSchema(TIMESTAMP)]


def decision_at(time: int, spans: Spans) -> int:
    """The last decision at or before a time."""
    return (time - spans.offset) // spans.every * spans.every + spans.offset


def decision_from(time: int, spans: Spans) -> int:
    """The first decision at or after a time."""
    return -((spans.offset - time) // spans.every) * spans.every + spans.offset


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
