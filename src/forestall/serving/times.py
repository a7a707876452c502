"""Times as requests write them, and ticks: RFC 3339 timestamps, or a counter's whole counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from forestall.data.clock import is_counter
from forestall.data.parse import LARGEST_COUNT

STAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]00:?00)?", re.ASCII)
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
