"""JSON taken at its word: one value a key, no NaN, no deep nesting, UTF-8."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from forestall.serving.api.problems import Problem, sentence

DEEPEST = 20
_SPACE_BEFORE_COLON = re.compile(rb'"[ \t\r\n]+:')


def loads(body: bytes, where: str = "body") -> Any:
    """The value that `body` is.

    Raises:
        Problem: 400, if it is no strict JSON, names a key twice in one object, or is nested deeper than DEEPEST.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _malformed(where, f"no JSON: {error.msg} at byte {error.pos}") from None
    except RecursionError:
        raise _malformed(where, f"nested deeper than {DEEPEST}") from None
    flat = type(value) is dict and body.count(b"{") == 1 and body.count(b"[") < DEEPEST
    keys = len(value) if flat else _keys(value, where)
    # orjson keeps the last of two equal keys and says nothing. Where no string holds an escape, a quote before a colon
    # ends a key, or begins a string: as many as there are keys means that none was dropped.
    exact = keys == body.count(b'":') and b"\\" not in body and not _SPACE_BEFORE_COLON.search(body)
    if not exact:
        _refuse_twice(body, where)
    return value


def _malformed(where: str, problem: str) -> Problem:
    return Problem(
        400,
        sentence(f"{'The body' if where == 'body' else where} cannot be used: {problem}"),
        [(where, problem)],
    )


def _keys(value: Any, where: str) -> int:
    """How many keys all objects have together.

    Raises:
        Problem: 400, nested deeper than DEEPEST.
    """
    count, level = 0, [value]
    for _ in range(DEEPEST + 1):
        below: list[Any] = []
        for one in level:
            if type(one) is dict:
                count += len(one)
                below += [inner for inner in one.values() if type(inner) in (dict, list)]
            elif type(one) is list:
                below += [inner for inner in one if type(inner) in (dict, list)]
        if not below:
            return count
        level = below
    raise _malformed(where, f"nested deeper than {DEEPEST}")


def _refuse_twice(body: bytes, where: str) -> None:
    """Read it once more, with every pair.

    Raises:
        Problem: 400, a key stands twice in one object.
    """

    def pairs(items: list[tuple[str, Any]]) -> None:
        seen = set()
        for key, _ in items:
            if key in seen:
                raise _malformed(where, f"the key {key[:100]!r} stands twice in one object")
            seen.add(key)

    # Numbers may be of any length here: they have been read, and Python would refuse to turn very long ones.
    json.loads(body, object_pairs_hook=pairs, parse_int=len, parse_float=len)
