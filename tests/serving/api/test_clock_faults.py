"""Readings that stop, and a clock that jumps: told by real Prometheus and Alertmanager, and when it is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from forestall.monitoring.alert_levels import Durations
from forestall.serving import times
from forestall.serving.api import scoring
from tests.plant import DAY, HOUR
from tests.serving.api.conftest import END, TELEMETRY
from tests.serving.api.process import until
from tests.serving.api.replay import records
from tests.serving.api.scraping import scraped, value
from tests.serving.api.server import ATTRIBUTES, Running, key_for, opened, running
from tests.serving.api.watching import watching
from tests.serving.feeding import stamp

LAG, AGE = 10, 20  # seconds: the plant's readings are as old when they come, and may be as old
TIMES = Durations(every=0.25, window=5, soon=8, settled=2, lasting=4, data_age=AGE, ahead=5)
BOUND = 15.0  # seconds until people are told, and until they are told that it is over
STOPPED, FUTURE, STALE = "ForestallIngestionStopped", "ForestallDataOfFuture", "ForestallMachinesStale"


@dataclass
class Sender:
    """Sends a reading of each machine twice a second, by the plant's own clock. statuses: of the answers."""

    api: Running
    sends: bool = True
    statuses: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.over.wait(0.5):
            if self.sends:
                at = stamp(int(time.time()) - LAG)
                rows = [{"machine": name, "time": at, "volt": 170.0, "spin": 450.0} for name in ATTRIBUTES]
                self.statuses.append(self.api.send("/v1/readings", rows).status_code)


@contextmanager
def sending(api: Running) -> Iterator[Sender]:
    sender = Sender(api)
    thread = threading.Thread(target=sender.run)
    thread.start()
    try:
        yield sender
    finally:
        sender.over.set()
        thread.join(30)


def send_last_days(api: Running) -> None:
    """Readings of the last three days, until an hour ago, so that machines are judged."""
    some = TELEMETRY[TELEMETRY["time"] > END - 3 * DAY]
    shift = int(time.time()) // HOUR * HOUR - HOUR - END
    assert api.send("/v1/readings", records(some.assign(time=some["time"] + shift))).status_code == 200
    until(lambda: not api.service.serving.live.due())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The computer's clock, as the service reads it; `ahead` seconds before the plant's."""
    made = SimpleNamespace(ahead=0, localtime=time.localtime)
    made.time = lambda: time.time() + made.ahead
    monkeypatch.setattr(times, "time", made)
    return made


@pytest.mark.slow
def test_readings_that_stop_and_a_clock_that_jumps_are_told_and_what_follows_is_not(
    whole_bundle: Path,
    tmp_path: Path,
    soon: None,
    clock: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "SECONDS", 0.05)
    with running(opened(whole_bundle, tmp_path / "forestall.sqlite", recorded=False)) as api:
        key = key_for(api.service, "write")
        api.client.headers["Authorization"] = f"Bearer {key}"
        send_last_days(api)
        with sending(api) as sender, watching(tmp_path, api.url, key, TIMES) as seen:
            until(seen.scraping)

            def sent(receiver: str, alert: str, status: str) -> float:
                return until(lambda: (receiver, alert, status) in seen.told, BOUND + AGE - LAG)

            time.sleep(TIMES.lasting + 4)
            assert seen.told == []
            sender.sends = False
            assert sent("people", STOPPED, "firing") > AGE - LAG
            sender.sends = True
            sent("people", STOPPED, "resolved")
            time.sleep(TIMES.lasting)
            assert len(seen.told) == 2, seen.told

            seen.told.clear()
            clock.ahead = DAY
            assert value(scraped(api), "forestall_data_age_seconds") == pytest.approx(DAY + LAG, abs=5)
            sent("people", STOPPED, "firing")
            until(lambda: STALE in seen.silenced(), BOUND)
            clock.ahead = 0
            sent("people", STOPPED, "resolved")
            time.sleep(TIMES.lasting)
            assert len(seen.told) == 2, seen.told
            assert set(sender.statuses) == {200}

            seen.told.clear()
            clock.ahead = -HOUR
            sent("tickets", FUTURE, "firing")
            until(lambda: sender.statuses[-1] == 422)  # a reading of the future is the sender's to keep
            clock.ahead = 0
            sent("tickets", FUTURE, "resolved")
            until(lambda: sender.statuses[-1] == 200)
            assert len(seen.told) == 2, seen.told
