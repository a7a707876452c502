"""The service on the default fleet, week by week, and what real Prometheus and Alertmanager send of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from forestall.monitoring.alert_levels import Durations
from forestall.serving.api import champion, outcome_state, scoring, start, state
from forestall.serving.api.start import open_service
from tests.serving.api.fleet_weeks import BUNDLE, SINCE, Fleet, Weeks, fill, read_fleet
from tests.serving.api.process import until
from tests.serving.api.scraping import Said
from tests.serving.api.server import key_for, running
from tests.serving.api.watching import Sent, Watching, watching

SCRAPE = 2  # seconds: while a week is scored, an answer takes as long as a second
# Ages are the plant's own, which passes a week in some seconds.
TIMES = Durations(every=0.25, window=5, soon=10, settled=30, lasting=2)
BOUND = 15.0  # seconds until people are told, and until they are told that it is over
RISK, RATE = "ForestallRiskDrift", "ForestallAlarmRateChanged"
REFUTED = "ForestallCalibrationRefuted"
STALE, OPINIONS = "ForestallMachinesStale", "ForestallOpinionsDrift"
Started = Callable[..., AbstractContextManager[tuple[Weeks, Watching]]]


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return read_fleet(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="session")
def filled(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole fleet's store when the test fold's first whole week begins."""
    return fill(tmp_path_factory.mktemp("filled") / "forestall.sqlite", fleet)


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Started:
    """The service over a copy of a store; Prometheus scrapes it from some seconds later on."""
    monkeypatch.setattr(state, "PATIENCE", 1.0)  # a scrape does not wait for what is worked out
    monkeypatch.setattr(outcome_state, "SECONDS", 10.0)
    monkeypatch.setattr(scoring, "SECONDS", 0.05)
    monkeypatch.setattr(champion, "SECONDS", 0.05)

    @contextmanager
    def begin(store: Path, fleet: Fleet, folder: Path = BUNDLE) -> Iterator[tuple[Weeks, Watching]]:
        begun: list[Weeks] = []
        monkeypatch.setattr(start, "wall_clock", lambda: begun[0].now if begun else SINCE)
        copy = shutil.copy(store, tmp_path / "forestall.sqlite")
        service = open_service(f"sqlite:///{copy}", folder, "127.0.0.1")
        with running(service) as api:
            key = key_for(service, "admin")
            api.client.headers["Authorization"] = f"Bearer {key}"
            begun.append(Weeks(api, fleet, monkeypatch))
            with watching(tmp_path, api.url, key, TIMES, f"{SCRAPE}s") as seen:
                yield begun[0], seen

    return begin


def drifted(said: Said, of: str) -> set[str]:
    """What has drifted for two weeks of three."""
    return {part["name"] for part in _true(said, "forestall_drifted") if part["of"] == of}


def changed(said: Said) -> set[str]:
    """Components whose alarms come at another rate."""
    return {part["component"] for part in _true(said, "forestall_alarm_rate_changed")}


def refuted(said: Said) -> set[str]:
    """Components of which other failures come than the risks let expect."""
    return {part["component"] for part in _true(said, "forestall_calibration_refuted")}


def _true(said: Said, name: str) -> list[dict[str, str]]:
    return [
        {"name": "", **dict(labels)} for (metric, labels), value in said.items() if metric == name and value
    ]


def told(seen: Watching, alert: str, *parts: str, status: str = "firing") -> None:
    """Until people are told of an alert, of these components."""
    wanted: set[Sent] = {(alert, part, status) for part in parts or ("",)}
    until(lambda: wanted <= set(seen.parts), BOUND)


def sent(seen: Watching) -> set[tuple[str, str]]:
    """Receivers and alerts of all that was sent."""
    return {(receiver, alert) for receiver, alert, _ in seen.told}
