"""A load that is not the bottleneck, in a process of its own: _load.py, and a JSON object on standard input.

{"port", "requests": files with a whole HTTP request each, one for each client, "seconds"}
-> {"requests", "seconds", "p50_ms", "p99_ms"}
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from pathlib import Path

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


async def client(port: int, request: bytes, until: float) -> list[float]:
    """Seconds that each request took, one after another on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    took = []
    while (began := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")):
            raise RuntimeError(f"{head[:100]!r} {body[:500]!r}")
        took.append(time.perf_counter() - began)
        if b"connection: close" in head.lower():
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    writer.close()
    return took


async def load(port: int, requests: list[bytes], seconds: float) -> dict[str, float]:
    """All clients at once, each with its own request; the first second warms up and does not count."""
    await asyncio.gather(*(client(port, one, time.perf_counter() + 1) for one in requests))
    began = time.perf_counter()
    took = await asyncio.gather(*(client(port, one, began + seconds) for one in requests))
    every = sorted(second for some in took for second in some)
    return {
        "requests": len(every),
        "seconds": time.perf_counter() - began,
        "p50_ms": every[len(every) // 2] * 1000,
        "p99_ms": every[min(int(len(every) * 0.99), len(every) - 1)] * 1000,
    }


if __name__ == "__main__":
    import uvloop

    asked = json.load(sys.stdin)
    bodies = [Path(file).read_bytes() for file in asked["requests"]]
    print(json.dumps(uvloop.run(load(asked["port"], bodies, asked["seconds"]))))
