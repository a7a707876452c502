"""Prometheus and Alertmanager with the committed settings, faster, and what they send."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from forestall.data.settings import read_yaml
from forestall.monitoring.alert_levels import Durations
from forestall.monitoring.alert_rules import rules_yaml
from tests.pipeline.servers import free_port
from tests.serving.api.process import until
from tests.serving.api.server import Running

DEPLOY = Path(__file__).parents[3] / "deploy"
HERE = "127.0.0.1"
Sent = tuple[str, str, str]


@dataclass(frozen=True)
class Watching:
    """Both programs.

    told: receiver, alert and status of all that was sent, in its order. parts: alert, component and status.
    """

    prometheus: str
    alertmanager: str
    told: list[Sent] = field(default_factory=list)
    parts: list[Sent] = field(default_factory=list)

    def scraping(self) -> bool:
        """Whether the service has answered Prometheus."""
        return bool(self.value('up{job="forestall"} == 1'))

    def asked(self, expr: str, since: float | None = None) -> list[list[tuple[float, str]]]:
        """Of each series that an expression gives, times and values: of now, or of every second since."""
        spans = {} if since is None else {"start": since, "end": time.time(), "step": 1.0}
        path = "query" if since is None else "query_range"
        answer = httpx.get(f"{self.prometheus}/api/v1/{path}", params={"query": expr, **spans}).json()
        assert answer["status"] == "success", (expr, answer)
        result = answer["data"]["result"]
        return [one["values"] if "values" in one else [one["value"]] for one in result]

    def value(self, expr: str) -> float | None:
        """What an expression is now, if it is one number."""
        found = self.asked(expr)
        return float(found[0][0][1]) if len(found) == 1 else None

    def silenced(self) -> set[str]:
        """Alerts that fire and are not sent, because another one says more."""
        alerts = httpx.get(f"{self.alertmanager}/api/v2/alerts").json()
        return {one["labels"]["alertname"] for one in alerts if one["status"]["inhibitedBy"]}


@contextmanager
def watching(
    folder: Path, service: str, key: str, times: Durations, scrape: str = "500ms"
) -> Iterator[Watching]:
    """Prometheus scrapes the service at an address with a key, and waits for an answer as long as it waits between two;
    the rules have these durations.
    """
    ports = free_port(), free_port()
    told, parts = list[Sent](), list[Sent]()
    with _receiver(told, parts) as receiver:
        _write_rules(folder, times)
        _write_prometheus(folder, service, key, ports[1], scrape)
        _write_alertmanager(folder, receiver)
        with (
            _started(folder, "alertmanager", ports[1], "--storage.path", "--cluster.listen-address="),
            _started(folder, "prometheus", ports[0], "--storage.tsdb.path"),
        ):
            yield Watching(f"http://{HERE}:{ports[0]}", f"http://{HERE}:{ports[1]}", told, parts)


@contextmanager
def alertmanager(folder: Path) -> Iterator[tuple[str, list[Sent]]]:
    """It alone: its address, and receiver, alert and status of all that it sent."""
    port, told = free_port(), list[Sent]()
    with _receiver(told, []) as receiver:
        _write_alertmanager(folder, receiver)
        with _started(folder, "alertmanager", port, "--storage.path", "--cluster.listen-address="):
            yield f"http://{HERE}:{port}", told


def _write_rules(folder: Path, times: Durations) -> None:
    (folder / "forestall.rules.yml").write_text(rules_yaml(times), encoding="utf-8")


def _write_prometheus(folder: Path, service: str, key: str, alertmanager: int, scrape: str) -> None:
    (folder / "key").write_text(key, encoding="utf-8")
    settings = read_yaml(DEPLOY / "prometheus/prometheus.yml")
    settings["global"]["scrape_interval"] = scrape
    settings["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"{HERE}:{alertmanager}"]
    (job,) = settings["scrape_configs"]
    job["authorization"]["credentials_file"] = str(folder / "key")
    job["static_configs"][0]["targets"] = [service.removeprefix("http://")]
    _write(folder / "prometheus.yml", settings)


def _write_alertmanager(folder: Path, receiver: str) -> None:
    settings = read_yaml(DEPLOY / "alertmanager/alertmanager.yml")
    settings["route"] |= {"group_wait": "200ms", "group_interval": "500ms"}
    # Mail, too, comes to the test.
    settings["receivers"] = [
        {
            "name": one["name"],
            "webhook_configs": [{"url": f"{receiver}/{one['name']}", "send_resolved": True}],
        }
        for one in settings["receivers"]
    ]
    _write(folder / "alertmanager.yml", settings)


def _write(path: Path, settings: Any) -> None:
    path.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML


@contextmanager
def asking(api: Running, path: str = "/v1/machines") -> Iterator[None]:
    """Somebody looks, again and again, whatever the answer."""
    stop = Event()

    def ask() -> None:
        while not stop.wait(0.1):
            api.client.get(path)

    thread = Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


@contextmanager
def _started(folder: Path, name: str, port: int, storage: str, *more: str) -> Iterator[None]:
    """A program of Debian's, or of its authors, until it answers and then to the end of the block."""
    found = shutil.which(f"prometheus-{name}") or shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed: run .ci/services")
    command = [found, f"--config.file={folder / name}.yml", f"{storage}={folder / name}"]
    command += [f"--web.listen-address={HERE}:{port}", *more]
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        until(lambda: _answers(f"http://{HERE}:{port}/-/ready", process))
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "it has ended; its log is beside its settings"
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def _receiver(told: list[Sent], parts: list[Sent]) -> Iterator[str]:
    """A webhook; its address, to which a receiver's name is added."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            for one in sent["alerts"]:
                labels, status = one["labels"], one["status"]
                part = labels.get("component") or labels.get("name", "")
                told.append((self.path[1:], labels["alertname"], status))
                parts.append((labels["alertname"], part, status))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer((HERE, 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HERE}:{server.server_port}"
        server.shutdown()
