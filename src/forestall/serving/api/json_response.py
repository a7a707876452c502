"""Answers as JSON."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Response

OPTIONS = orjson.OPT_SERIALIZE_NUMPY


def as_json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The content as JSON; a float32 is written with the fewest digits that give it back."""
    return Response(orjson.dumps(content, option=OPTIONS), status, headers, "application/json")
