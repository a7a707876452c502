"""Where a page ends, as the text that asks for the next one.

It names the last row of the page, not how many came before: rows that come and go meanwhile move nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import orjson

from forestall.serving.api.problems import Problem, unfit


def _number(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _time(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**62


def _rank(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 2**31


def _text(value: Any) -> bool:
    return type(value) is str and len(value) <= 200 and "\0" not in value


FORMS: dict[str, tuple[Callable[[Any], bool], ...]] = {
    "risk": (_rank, _number, _text),
    "soon": (_rank, _number, _text),
    "machine": (_text, _text),
    "alarm": (_number,),
    "change": (_number,),
    "reading": (_time,),
}


def cursor_of(order: str, place: tuple[Any, ...] | None) -> str | None:
    """A page's end in an order; None after the last page."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(orjson.dumps([order, *place])).decode().rstrip("=")


def place_of(order: str, cursor: str | None) -> tuple[Any, ...] | None:
    """What `cursor_of` was given.

    Raises:
        Problem: 422, it is none, or of another order.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        held = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise _none() from None
    if type(held) is not list or held[:1] != [order] or not _fits(held[1:], FORMS[order]):
        raise _none()
    return tuple(held[1:])


def _fits(place: list[Any], form: tuple[Callable[[Any], bool], ...]) -> bool:
    return len(place) == len(form) and all(fits(value) for fits, value in zip(form, place, strict=True))


def _none() -> Problem:
    return unfit([("cursor", "is not the `next` of a page of this list in this order")])
