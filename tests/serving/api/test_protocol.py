"""What comes over the wire before there is a request: heads without an end, too large, or none."""

from __future__ import annotations

import socket
import time

import pytest

from forestall.serving.api import protocol
from tests.serving.api.server import Running


def sent(running: Running, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What is answered until the connection ends."""
    with socket.create_connection(
        ("127.0.0.1", int(running.url.rpartition(":")[2])), timeout=10
    ) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        answer = b""
        while more := connection.recv(65_536):
            answer += more
        return answer


def test_a_head_that_is_none_is_a_problem(api: Running) -> None:
    answer = sent(api, b"no http\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n")


def test_too_many_headers_end_the_connection(api: Running) -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(70))
    assert sent(api, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\n").startswith(
        b"HTTP/1.1 400"
    )
    few = b"X: " + b"a" * 1000 + b"\r\nConnection: close\r\n\r\n"
    assert sent(api, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + few).startswith(b"HTTP/1.1 200")


def test_a_head_that_does_not_end_is_not_waited_for(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "SECONDS", 0.3)
    assert b"did not end within" in sent(api, b"GET / HTTP/1.1\r\nX")
    assert sent(api) == b""


def test_what_comes_through_a_proxy_or_from_another_site_is_not_this_computers(api: Running) -> None:
    for headers in ({"Via": "1.1 squid"}, {"X-Forwarded-Proto": "https"}, {"Origin": "http://evil.example"}):
        assert api.client.get("/v1/machines", headers=headers).status_code == 403
    assert api.client.get("/v1/machines", headers={"Origin": "http://localhost:8000"}).status_code == 200
    twice = b"GET /v1/machines HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert sent(api, twice).startswith(b"HTTP/1.1 403")
