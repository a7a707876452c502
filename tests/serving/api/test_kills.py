"""The process is killed under load; everything that it acknowledged is there when it is started again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import numpy as np
import pytest

from tests.serving.api.conftest import END
from tests.serving.api.process import Served, serving, until
from tests.serving.feeding import stamp
from tests.serving.store.stores import Addresses

KILLED_AFTER = 1.5  # seconds of load


@pytest.fixture
def alarming(workspace: Path) -> Path:
    """A workspace whose model raises an alarm wherever it can."""
    manifest = workspace / "models" / "bundle" / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["thresholds"] = dict.fromkeys(content["thresholds"], 0.0)
    manifest.write_text(json.dumps(content), encoding="utf-8")
    return workspace


def open_alarms(served: Served) -> list[dict[str, Any]]:
    """The alarms of a service that has scored its fleet."""
    until(lambda: len(served.client.get("/v1/machines").json()["machines"]) == 12)
    found: list[dict[str, Any]] = served.client.get("/v1/alarms", params={"limit": 500}).json()["alarms"]
    return found


def whole_audit(served: Served, alarm: int) -> list[dict[str, Any]]:
    """Every change of an alarm, over all pages."""
    changes, query = list[dict[str, Any]](), {"limit": "500"}
    while True:
        page = served.client.get(f"/v1/alarms/{alarm}/audit", params=query).json()
        changes += page["changes"]
        if page["next"] is None:
            return changes
        query["cursor"] = page["next"]


def repeat(send: Callable[[httpx.Client, int], Any], base: httpx.URL, kept: list[Any]) -> None:
    """Send one thing after the other until the service is gone, and keep what it acknowledged."""
    with httpx.Client(base_url=base, timeout=30) as client:
        for number in range(100_000):
            try:
                kept.append(send(client, number))
            except (httpx.TransportError, StopIteration):
                return


def killed_under(served: Served, *senders: Callable[[httpx.Client, int], Any]) -> list[list[Any]]:
    """What was acknowledged to each sender before the service was killed."""
    kept: list[list[Any]] = [[] for _ in senders]
    threads = [
        Thread(target=repeat, args=[send, served.client.base_url, mine])
        for send, mine in zip(senders, kept, strict=True)
    ]
    for thread in threads:
        thread.start()
    time.sleep(KILLED_AFTER)
    served.kill()
    for thread in threads:
        thread.join(30)
    return kept


def sends_readings(machine: str) -> Callable[[httpx.Client, int], Any]:
    def send(client: httpx.Client, number: int) -> str:
        row = {"machine": machine, "time": stamp(END + 1 + number), "volt": 170.0}
        assert client.post("/v1/readings", json=[row]).status_code == 200
        return str(row["time"])

    return send


def writes_notes(alarm: int) -> Callable[[httpx.Client, int], Any]:
    def send(client: httpx.Client, number: int) -> str:
        headers = {"If-Match": f'"{number + 1}"'}
        note = f"note {number}"
        assert client.patch(f"/v1/alarms/{alarm}", json={"note": note}, headers=headers).status_code == 200
        return note

    return send


def closes(alarms: list[dict[str, Any]]) -> Callable[[httpx.Client, int], Any]:
    waiting = iter(alarms)

    def send(client: httpx.Client, _: int) -> tuple[int, str]:
        alarm = next(waiting)
        found = stamp(np.datetime64(alarm["opened"][:-1], "s").astype(int) + 60)
        change = {"state": "closed", "finding": "confirmed", "found": found, "replaced": True}
        headers = {"If-Match": '"1"'}
        assert client.patch(f"/v1/alarms/{alarm['id']}", json=change, headers=headers).status_code == 200
        return alarm["id"], f"{alarm['machine']},{found[:-1].replace('T', ' ')},{alarm['component']},feedback"

    return send


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill(alarming: Path, addresses_of_a_kind: Addresses) -> None:
    url = addresses_of_a_kind.new()
    with serving(alarming, "--recorded", "--database", url) as served:
        alarms = open_alarms(served)
        assert len(alarms) > 5
        first, second, *others = [alarm["id"] for alarm in alarms]
        senders = (sends_readings("m1"), writes_notes(first), writes_notes(second), closes(alarms[2:]))
        times, notes, more_notes, closed = killed_under(served, *senders)
    assert min(len(times), len(notes), len(more_notes)) > 10 and closed and others
    with serving(alarming, "--recorded", "--database", url) as served:
        query: dict[str, str | int] = {"after": stamp(END), "limit": 5000}
        there = served.client.get("/v1/machines/m1/readings", params=query).json()["readings"]
        assert {row["time"] for row in there} >= set(times)
        for alarm, written in ((first, notes), (second, more_notes)):
            changes = whole_audit(served, alarm)
            assert [entry["after"]["note"] for entry in changes][: len(written)] == written
            assert len(changes) <= len(written) + 1
            now = served.client.get(f"/v1/alarms/{alarm}").json()
            assert (now["note"], now["version"]) == (changes[-1]["after"]["note"], len(changes) + 1)
        rows = {table: served.client.get(f"/v1/export/{table}").text for table in ("failures", "maintenance")}
        for alarm, row in closed:
            assert served.client.get(f"/v1/alarms/{alarm}").json()["state"] == "closed"
            assert all(row in text.splitlines() for text in rows.values())
