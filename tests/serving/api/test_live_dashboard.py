"""Every panel's query is answered, with data, by a real Prometheus that scrapes the real service of a plant."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forestall.monitoring.alert_levels import Durations
from forestall.monitoring.dashboard.board import dashboard
from forestall.monitoring.reference import MonitoringReference, write_reference
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.api import outcome_state, start
from forestall.serving.api.service import Service
from tests import plant
from tests.serving.api.conftest import END, EVENTS, TELEMETRY
from tests.serving.api.process import until
from tests.serving.api.replay import send as send_over_http
from tests.serving.api.scraping import vector
from tests.serving.api.server import key_for, opened, running
from tests.serving.api.watching import Watching, asking, watching
from tests.serving.conftest import Made, bundle_with_baselines
from tests.serving.feeding import between, events_between, send, send_events

BOUND = 60.0  # seconds until all panels have data
STEP = 5 * plant.DAY
LATELY = END - plant.DAY
PUT_IN = {"$job": "forestall", "$__rate_interval": "5s", "$__interval": "1s"}
NOTHING_THERE = "The model in shadow"  # nothing is


class Clock:
    """The plant's, which goes on with the computer's once it is let go."""

    def __init__(self) -> None:
        self.time, self.since = plant.START, 0.0

    def __call__(self) -> int:
        return int(self.time + (time.monotonic() - self.since if self.since else 0))

    def let_go(self) -> None:
        self.since = time.monotonic()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(start, "wall_clock", found)
    return found


@pytest.fixture
def few_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outcomes of all weeks count: a plant of six machines has few failures."""
    all_weeks = replace(THRESHOLDS, outcome_horizons=50, calibration_failures=2)
    monkeypatch.setattr(outcome_state, "THRESHOLDS", all_weeks)


@pytest.fixture
def watched_bundle(made: Made, monitored: MonitoringReference, tmp_path: Path) -> Path:
    """A bundle with a reference of what weeks look like."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    write_reference(folder, monitored, plant.dataset().clock)
    return bundle_with_baselines(folder, made, TELEMETRY, EVENTS)


def live_through(service: Service, clock: Clock) -> None:
    """All weeks but for the last day come in, and are judged."""
    serving = service.serving
    while clock.time < LATELY:
        # The first decision by itself: what was before a machine was first scored is not judged.
        taken = 3 * plant.HOUR if clock.time == plant.START else STEP
        low, clock.time = clock.time, min(clock.time + taken, LATELY)
        send(serving.store, between(TELEMETRY, low, clock.time), serving.bundle)
        send_events(serving.store, events_between(EVENTS, low, clock.time), serving.bundle)
        serving.live.score_due()
    assert not serving.live.due()


def put_in(expr: str) -> str:
    """As Grafana sends it."""
    for name, value in PUT_IN.items():
        expr = expr.replace(name, value)
    return expr


def without_data(seen: Watching, since: float) -> list[str]:
    """The panels' queries, and the marks', that give no finite number."""
    found = []
    board: dict[str, Any] = dashboard()
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            series = seen.asked(put_in(target["expr"]), since if target["range"] else None)
            if not any(math.isfinite(float(value)) for values in series for _, value in values):
                found.append(f"{panel['title']}: {target['expr']}")
    marks = board["annotations"]["list"]
    return found + [one["name"] for one in marks if not seen.asked(put_in(one["target"]["expr"]), since)]


@pytest.mark.slow
def test_every_panel_has_data(
    watched_bundle: Path, tmp_path: Path, clock: Clock, soon: None, few_failures: None
) -> None:
    service = opened(watched_bundle, tmp_path / "forestall.sqlite", recorded=False)
    live_through(service, clock)
    with running(service) as api:
        key = key_for(service, "read")
        api.client.headers["Authorization"] = f"Bearer {key_for(service, 'write')}"
        begun = time.time()
        with watching(tmp_path, api.url, key, Durations()) as seen, asking(api):
            until(seen.scraping)
            clock.time = END
            clock.let_go()
            send_over_http(api, LATELY, END)
            vector(api)
            lacking: list[str] = []

            def all_there() -> bool:
                lacking[:] = without_data(seen, begun)
                return [one.partition(":")[0] for one in lacking] == [NOTHING_THERE]

            assert_within(all_there, BOUND, lacking)


def assert_within(holds: Callable[[], bool], seconds: float, lacking: list[str]) -> None:
    """Wait until all have data, or say which have not."""
    try:
        until(holds, seconds)
    except AssertionError:
        pytest.fail("Without data:\n" + "\n".join(lacking))
