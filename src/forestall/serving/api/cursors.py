"""Where a page ends, as the text that asks for the next one."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from forestall.serving.api.problems import Problem, unfit

FORMS: dict[str, tuple[tuple[type, ...], ...]] = {
    "risk": ((float, int), (int,), (str,)),
    "machine": ((str,), (str,)),
}
LARGEST = 2**31


def cursor_of(order: str, place: tuple[Any, ...] | None) -> str | None:
    """A page's end in an order; None after the last page."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(orjson.dumps([order, *place])).decode().rstrip("=")


def place_of(order: str, cursor: str) -> tuple[Any, ...]:
    """What `cursor_of` was given.

    Raises:
        Problem: 422, it is none, or of another order.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        held = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise _none() from None
    if type(held) is not list or held[:1] != [order] or not _fits(held[1:], FORMS[order]):
        raise _none()
    return tuple(held[1:])


def _fits(place: list[Any], form: tuple[tuple[type, ...], ...]) -> bool:
    def fits(value: Any, types: tuple[type, ...]) -> bool:
        if type(value) is str:
            return str in types and len(value) <= 200 and "\0" not in value
        return type(value) in types and abs(value) < LARGEST

    return len(place) == len(form) and all(map(fits, place, form))


def _none() -> Problem:
    return unfit([("cursor", "is not the `next` of a page in this order")])
