"""What every request passes: an id, its place, the headers of its answer, and its line in the log."""

from __future__ import annotations

import logging
import os
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forestall.serving.api.access import UNLIMITED
from forestall.serving.api.counters import Counters
from forestall.serving.api.exception_handlers import unexpected
from forestall.serving.api.limits import ConcurrencyLimit
from forestall.serving.api.logs import LOG, say
from forestall.serving.api.paths import keep_slashes
from forestall.serving.api.problem_json import answer
from forestall.serving.api.problems import Problem

SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestMiddleware:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, concurrency: ConcurrencyLimit, counters: Counters) -> None:
        self.app, self.concurrency, self.counters = app, concurrency, counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        begun, request_id = time.perf_counter(), _request_id(scope)
        scope["request_id"] = request_id
        status = 0
        keep_slashes(scope)

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name for name, _ in message["headers"]}
                usual = [header for header in SECURITY if header[0] not in own]
                message["headers"] = [*message["headers"], *usual, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._inside(scope, receive, send_with_headers)
        except Exception:
            LOG.exception("failed", extra={"fields": {"request_id": request_id}})
            if status == 0:
                await unexpected(scope)(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - begun
            self.counters.request(scope.get("route"), scope["method"], status, seconds)
            _log(scope, status, seconds)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(UNLIMITED):
            return await self.app(scope, receive, send)
        try:
            self.concurrency.enter()
        except Problem as problem:
            self.counters.refused.labels("concurrency").inc()
            return await answer(problem, scope)(scope, receive, send)
        try:
            await self.app(scope, receive, send)
        finally:
            self.concurrency.leave()


def _request_id(scope: Scope) -> str:
    """What the client or the proxy calls the request, if that is harmless; else an id of our own."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value, "ascii")
    return os.urandom(8).hex()


def _log(scope: Scope, status: int, seconds: float) -> None:
    if LOG.isEnabledFor(logging.INFO):
        say(
            "request",
            request_id=scope["request_id"],
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
            key=scope.get("key", ""),
        )
