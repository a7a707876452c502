"""The real service over a real socket, with a small plant's bundle and a store."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from forestall.serving.api.app import create_app
from forestall.serving.api.protocol import Protocol
from forestall.serving.api.service import Service
from forestall.serving.api.start import open_service
from forestall.serving.store.keys import Role, create_key
from forestall.serving.store.machines import add_machines
from tests import plant
from tests.pipeline.servers import free_port

ATTRIBUTES: dict[str, dict[str, str | float | None]] = {
    row["machine"]: {"model": row["model"], "age": row["age"]}
    for row in plant.events(6, 60).machines.to_dict("records")
}


@dataclass(frozen=True)
class Running:
    """A running service and a client of it."""

    service: Service
    url: str
    client: httpx.Client

    def send(self, path: str, content: Any, kind: str = "application/json", **headers: str) -> httpx.Response:
        """POST text or bytes as they are, anything else as JSON."""
        as_is = {"content": content, "headers": {"Content-Type": kind, **headers}}
        if isinstance(content, str | bytes):
            return self.client.post(path, **as_is)
        return self.client.post(path, json=content, headers=headers)


def opened(folder: Path, database: Path | str, host: str = "127.0.0.1", recorded: bool = True) -> Service:
    """A service whose store knows the plant's machines, in an SQLite file or at an address."""
    url = f"sqlite:///{database}" if isinstance(database, Path) else database
    service = open_service(url, folder, host, recorded)
    if service.champion.serving is not None:
        with service.champion.serving.store.writing() as connection:
            add_machines(connection, ATTRIBUTES)
    return service


@contextmanager
def running(service: Service, port: int = 0) -> Iterator[Running]:
    """The service on a port of this computer; if 0, on a free one."""
    port = port or free_port()
    config = uvicorn.Config(
        create_app(service), port=port, loop="uvloop", http=Protocol, access_log=False, log_config=None
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, timeout=30) as client:
        yield Running(service, url, client)
    server.should_exit = True
    thread.join(30)


def key_for(service: Service, role: Role, name: str = "") -> str:
    """A new key's text."""
    assert service.champion.serving is not None
    with service.champion.serving.store.writing() as connection:
        return create_key(connection, name or role, role, int(time.time()))[1]


def fields(response: httpx.Response) -> list[str]:
    """The fields that a problem names; it has the form of one."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert (
        problem["title"] and problem["detail"] and problem["request_id"] == response.headers["x-request-id"]
    )
    return [error["field"] for error in problem.get("errors", [])]
