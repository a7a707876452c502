"""What /metrics says, by name and labels."""

from __future__ import annotations

import time
from typing import Any

from prometheus_client import parser

from tests import plant
from tests.serving.api.conftest import END
from tests.serving.api.process import Served, until
from tests.serving.api.replay import send
from tests.serving.api.server import Running

STATE, WATCH = "forestall_state_timestamp_seconds", "forestall_watch_timestamp_seconds"
Said = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def said_by(text: str) -> Said:
    """By name and labels the values of a text, which the official parser takes."""
    found: Said = {}
    for family in parser.text_string_to_metric_families(text):
        for one in family.samples:
            at = one.name, tuple(sorted(one.labels.items()))
            assert at not in found, at
            found[at] = one.value
    return found


def scraped(api: Running | Served) -> Said:
    response = api.client.get("/metrics")
    assert response.status_code == 200, response.text
    return said_by(response.text)


def worked_out(api: Running | Served) -> Said:
    """What is said once monitoring has worked out all again; the store has to be asked with every scrape."""
    for _ in range(2):  # the first look may have begun before what it is to see
        _look_after(api, time.time())
    return scraped(api)


def _look_after(api: Running | Served, asked: float) -> None:
    until(lambda: scraped(api)[WATCH, ()] > asked, 60)


def value(said: Said, name: str, **labels: str) -> float:
    return said[name, tuple(sorted(labels.items()))]


def series(said: Said, name: str) -> set[tuple[tuple[str, str], ...]]:
    return {labels for found, labels in said if found == name}


def scored(api: Running) -> None:
    """Twenty days are sent, and all machines are judged."""
    send(api, END - 20 * plant.DAY, END)
    until(lambda: not api.service.serving.live.due())


def vector(api: Running, rows: int = 1) -> Any:
    fills = list(api.service.serving.bundle.reference.fills)
    return api.send("/predict", {"features": fills if rows == 1 else [fills] * rows})
