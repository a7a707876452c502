"""The database goes away, hangs, or has no room: what is said then, how soon, and that it passes by itself."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import create_engine, text

from tests.pipeline.servers import postgresql_server
from tests.serving.api.conftest import END
from tests.serving.api.process import Served, serving, until
from tests.serving.api.server import fields

MACHINES = "/v1/machines"
BOUND = 25  # seconds: one silence, and one attempt to connect again


def reading(number: int) -> list[dict[str, Any]]:
    stamp = f"{np.datetime64(END + 1 + number, 's')}Z"
    return [{"machine": "m1", "time": stamp, "volt": 170.0}]


def ranked(served: Served) -> bool:
    return len(served.client.get(MACHINES).json().get("machines", [])) == 12


def answers_503(response: httpx.Response) -> bool:
    assert fields(response) in ([], ["store"]), response.text
    assert "Retry-After" in response.headers and "postgres" not in response.text
    return response.status_code == 503


@pytest.mark.slow
def test_a_database_that_is_stopped_and_started_again(workspace: Path) -> None:
    with (
        postgresql_server() as server,
        serving(workspace, "--recorded", "--database", server.url()) as served,
    ):
        client = served.client
        until(lambda: ranked(served))
        assert client.post("/v1/readings", json=reading(0)).status_code == 200
        server.stop()
        begun = time.monotonic()
        for _ in range(3):
            assert answers_503(client.get(MACHINES))
            assert answers_503(client.post("/v1/readings", json=reading(1)))
            assert fields(client.get("/health/ready")) == ["store"]
        assert client.get("/health/live").status_code == 200
        assert time.monotonic() - begun < 15
        time.sleep(6)  # the scorer has failed and waits, too
        server.start()
        assert until(lambda: client.get("/health/ready").status_code == 200) < 10
        assert client.post("/v1/readings", json=reading(1)).json()["new"] == 1
        assert ranked(served)
        assert served.process.poll() is None
        last = f"{np.datetime64(END + 2, 's')}Z"
        assert client.get(f"{MACHINES}/m1").json()["last_reading"] == last


@pytest.mark.slow
def test_a_database_that_hangs_is_not_waited_for_for_ever(workspace: Path) -> None:
    with (
        postgresql_server() as server,
        serving(workspace, "--recorded", "--database", server.url()) as served,
    ):
        until(lambda: ranked(served))
        answers: list[tuple[int, float]] = []

        def ask(number: int) -> None:
            begun = time.monotonic()
            with httpx.Client(base_url=served.client.base_url, timeout=120) as client:
                sends = number % 2
                said = client.post("/v1/readings", json=reading(number)) if sends else client.get(MACHINES)
                assert answers_503(said)
            answers.append((said.status_code, time.monotonic() - begun))

        with server.frozen():
            threads = [Thread(target=ask, args=[number]) for number in range(60)]
            for thread in threads:
                thread.start()
            alive = time.monotonic()
            assert served.client.get("/health/live").status_code == 200
            assert time.monotonic() - alive < 1
            for thread in threads:
                thread.join(120)
            assert [status for status, _ in answers] == [503] * 60
            assert max(seconds for _, seconds in answers) < BOUND
            begun = time.monotonic()
            assert fields(served.client.get("/health/ready")) == ["store"]
            assert time.monotonic() - begun < BOUND
        assert until(lambda: served.client.get("/health/ready").status_code == 200) < 10
        assert served.client.post("/v1/readings", json=reading(99)).status_code == 200
        assert ranked(served)


@pytest.fixture(params=["sqlite", "postgresql"])
def on_small_disk(request: pytest.FixtureRequest, small_disk: Path) -> Iterator[str]:
    """The address of a database on a disk of 3 MB, or of 16: PostgreSQL's empty one has 7."""
    if request.param == "sqlite":
        yield f"sqlite:///{small_disk}/store.db"
        return
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    with postgresql_server() as server:
        owner = server.pid_file.parent.stat()
        os.chown(small_disk, owner.st_uid, owner.st_gid)
        for parent in small_disk.parents:  # pytest's own folders are closed to others
            if not parent.stat().st_mode & 0o001:
                parent.chmod(0o711)
        engine = create_engine(server.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE TABLESPACE small LOCATION '{small_disk}'"))
            connection.execute(text("CREATE DATABASE small TABLESPACE small"))
        engine.dispose()
        yield server.url("small")


@pytest.mark.slow
def test_a_disk_that_is_full_can_be_read_and_says_so(
    workspace: Path, small_disk: Path, on_small_disk: str
) -> None:
    with serving(workspace, "--recorded", "--database", on_small_disk) as served:
        client = served.client
        until(lambda: ranked(served))
        assert client.get("/health/ready").json()["full"] is False
        rows, sent = [row for number in range(1000) for row in reading(number)], 0
        while (said := client.post("/v1/readings", json=rows[sent : sent + 500])).status_code == 200:
            sent += 500
            rows += [row for number in range(len(rows), len(rows) + 500) for row in reading(number)]
        assert (said.status_code, fields(said)) == (507, [])
        assert "no room left" in said.json()["detail"]
        before = client.get(MACHINES).json()
        # What a refused batch took is free again, and so is what PostgreSQL logged: a small one may fit after all.
        large = [row for number in range(len(rows), len(rows) + 45_000) for row in reading(number)]
        for _ in range(5):
            assert client.post("/v1/readings", json=large).status_code == 507
            assert client.get(MACHINES).json() == before and len(before["machines"]) == 12
        assert client.get(f"{MACHINES}/m1").status_code == 200

        def refused_and_said() -> bool:
            # What is scored meanwhile may fit, and then there was room again.
            assert client.post("/v1/readings", json=large).status_code == 507
            ready = client.get("/health/ready")
            assert ready.status_code == 200
            return bool(ready.json()["full"])

        until(refused_and_said)
        subprocess.run(["mount", "-o", "remount,size=30m", str(small_disk)], check=True)
        assert client.post("/v1/readings", json=rows[sent : sent + 500]).json()["new"] == 500
        assert client.get("/health/ready").json()["full"] is False
        served.process.terminate()
        assert any('"event":"store"' in line and "no room left" in line for line in served.log())
