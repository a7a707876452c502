"""HTTP itself, with what uvicorn leaves open: a head of a request has a size and a time, and a bad one a problem."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from forestall.serving.api.problem_json import MEDIA_TYPE

LARGEST_HEAD, LARGEST_WAITING = 64 * 1024, 1024 * 1024  # bytes of all headers; bytes before they end
SECONDS = 10.0  # from the beginning of a connection or a request to the end of its headers


class Protocol(HttpToolsProtocol):
    """A connection that is closed where the head of a request is too large, takes too long or is none."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._head = self._waiting = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Refuse a head that does not end."""
        if self._timer is not None:
            self._waiting += len(data)
            if self._waiting - len(data) > LARGEST_WAITING:
                self.send_400_response("The headers are too large.")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._wait()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count; what is raised here is answered by `send_400_response`."""
        self._head += len(name) + len(value)
        if self._head > LARGEST_HEAD:
            raise ValueError("the headers are too large")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._stop()
        self._waiting = 0
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """A problem, and the end of the connection: where the next request would begin is not known."""
        content = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": msg}
        body = orjson.dumps(content)
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def _wait(self) -> None:
        self._stop()
        self._timer = self.loop.call_later(SECONDS, self._late)

    def _late(self) -> None:
        self._timer = None
        if not self._waiting:
            self.transport.close()  # nobody asked anything
        elif not self.transport.is_closing():
            self.send_400_response(f"The headers did not end within {SECONDS:.0f} s.")

    def _stop(self) -> None:
        self._head = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
