"""Reading a request's body: no larger than allowed, in time, and of a type that is understood."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect

from forestall.serving.api.problems import Problem

LARGEST = 8 * 1024 * 1024
SECONDS = 30
JSON = ("application/json",)


async def read_body(request: Request, types: tuple[str, ...] = JSON) -> tuple[bytes, str]:
    """The body and its media type, one of `types`.

    Raises:
        Problem: 415, another type, character set or encoding; 413, larger than LARGEST; 408, it did not come in time;
            400, the client went away.
    """
    kind = media_type(request, types)
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > LARGEST:
        raise _too_large()
    try:
        async with asyncio.timeout(SECONDS):
            return await _all_of(request), kind
    except TimeoutError:
        raise Problem(
            408, f"The body did not come within {SECONDS} s.", headers={"Connection": "close"}
        ) from None
    except ClientDisconnect:
        raise Problem(400, "The client went away before its body was complete.") from None


async def _all_of(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > LARGEST:
            raise _too_large()
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def media_type(request: Request, types: tuple[str, ...]) -> str:
    """The request's content type, if it is among `types`.

    Raises:
        Problem: 415.
    """
    given = request.headers.get("content-type", "")
    kind, _, parameters = given.partition(";")
    kind = kind.strip().lower()
    wanted = f"Send {' or '.join(types)} in UTF-8"
    if kind not in types:
        accept = {"Accept-Patch" if request.method == "PATCH" else "Accept": ", ".join(types)}
        detail = f"Content-Type {given[:100]!r} is not understood here. {wanted}."
        raise Problem(415, detail, [("Content-Type", wanted)], accept)
    charset = parameters.strip().lower().replace('"', "")
    if charset and charset not in ("charset=utf-8", "charset=utf8", "charset=us-ascii", "header=present"):
        raise Problem(
            415, f"{parameters.strip()[:100]!r} is not understood. {wanted}.", [("Content-Type", wanted)]
        )
    if (encoding := request.headers.get("content-encoding", "identity")) != "identity":
        problem = "send the body as it is, not compressed"
        raise Problem(415, f"Content-Encoding {encoding[:40]!r}: {problem}.", [("Content-Encoding", problem)])
    return kind


def _too_large() -> Problem:
    problem = f"larger than {LARGEST} bytes; send it in pieces"
    return Problem(413, f"The body is {problem}.", [("body", problem)])
