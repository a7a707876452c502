"""A burst of errors, a restart, a Prometheus that was away: what real Prometheus and Alertmanager make of them."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from forestall.monitoring.alert_levels import Durations
from tests.serving.api.process import until
from tests.serving.api.scraping import scored, vector
from tests.serving.api.server import Running, key_for, opened, running
from tests.serving.api.watching import asking, watching

TIMES = Durations().scaled(0.02)  # 2 min are 2.4 s, 10 min are 12 s
BOUND = 25.0  # seconds; an alert of errors waits for its window, and is told for as long after them
ERRORS = "ForestallErrors"
ANSWERED = 'forestall_http_requests_total{route="/predict",status="200"}'
RAISED = "sum(forestall_alarms_raised_total)"


def table_renamed(file: Path, old: str, new: str) -> None:
    """As somebody might do who looks after the database."""
    connection = sqlite3.connect(file, timeout=30)
    connection.execute(f"ALTER TABLE {old} RENAME TO {new}")
    connection.close()


def predicted(api: Running, key: str, times: int) -> None:
    """So many predictions are asked for, and given."""
    api.client.headers["Authorization"] = f"Bearer {key}"
    assert {vector(api).status_code for _ in range(times)} == {200}


@pytest.mark.slow
def test_a_burst_of_errors_is_a_page_of_its_own_and_ends_with_them(
    whole_bundle: Path, tmp_path: Path, soon: None
) -> None:
    file = tmp_path / "forestall.sqlite"
    with running(opened(whole_bundle, file)) as api:
        scored(api)
        key = key_for(api.service, "read")
        api.client.headers["Authorization"] = f"Bearer {key}"
        path = "/v1/machines/m0/readings"
        with watching(tmp_path, api.url, key, TIMES) as seen, asking(api, path):
            until(seen.scraping)
            table_renamed(file, "readings", "kept")
            assert api.client.get(path).status_code == 500
            took = until(lambda: ("people", ERRORS, "firing") in seen.told, BOUND)
            assert took > TIMES.window  # one that is over within its time is told to nobody
            table_renamed(file, "kept", "readings")
            assert api.client.get(path).status_code == 200
            until(lambda: ("people", ERRORS, "resolved") in seen.told, BOUND)
            assert [alert for _, alert, _ in seen.told] == [ERRORS, ERRORS]


@pytest.mark.slow
def test_a_prometheus_that_was_away_and_a_restart_are_told_to_nobody_and_nothing_is_counted_twice_or_lost(
    whole_bundle: Path, tmp_path: Path, soon: None
) -> None:
    file = tmp_path / "forestall.sqlite"
    with ExitStack() as first, ExitStack() as second:
        api = first.enter_context(running(opened(whole_bundle, file)))
        scored(api)
        key = key_for(api.service, "read")
        with watching(tmp_path, api.url, key, TIMES) as seen:
            predicted(api, key, 1)
            until(lambda: seen.value(ANSWERED) == 1)
            assert seen.told == []
        predicted(api, key, 29)  # while nobody asks for metrics
        seen = second.enter_context(watching(tmp_path, api.url, key, TIMES))
        until(lambda: seen.value(ANSWERED) == 30)
        raised = seen.value(RAISED)
        time.sleep(TIMES.window + TIMES.soon)

        again = opened(whole_bundle, file)
        first.close()
        api = second.enter_context(running(again, api.client.base_url.port or 0))
        predicted(api, key, 20)
        until(lambda: seen.value(ANSWERED) == 20)
        assert seen.value(f"resets({ANSWERED}[2m])") == 1
        assert seen.value(f"increase({ANSWERED}[2m])") == pytest.approx(49, rel=0.1)
        assert raised and seen.value(RAISED) == raised
        assert seen.value("sum(resets(forestall_alarms_raised_total[2m]))") == 0
        time.sleep(TIMES.window)
        assert seen.told == []
