"""What monitoring says stays right and does not stop unseen: reports sent twice, a month without failures, a database
that is gone while drift is worked out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from forestall.monitoring.reference import MonitoringReference, write_reference
from forestall.serving.api import scoring
from forestall.serving.api.metric_names import METRICS
from tests import plant
from tests.pipeline.servers import postgresql_server
from tests.serving.api.conftest import END, EVENTS, TELEMETRY
from tests.serving.api.process import until
from tests.serving.api.replay import events, records, send
from tests.serving.api.scraping import STATE, WATCH, Said, scraped, series, value, worked_out
from tests.serving.api.server import Running, opened, running
from tests.serving.conftest import Made, bundle_with_baselines

OF_PLANT = {series for one in METRICS if one.of == "plant" for series in one.series}
BEGIN = END - 20 * plant.DAY


@pytest.fixture(scope="module")
def watched_bundle(
    made: Made, monitored: MonitoringReference, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The small plant's bundle, with a reference of what weeks look like."""
    folder = tmp_path_factory.mktemp("watched") / "bundle"
    folder.mkdir()
    write_reference(folder, monitored, plant.dataset().clock)
    return bundle_with_baselines(folder, made, TELEMETRY, EVENTS)


@pytest.fixture
def api(watched_bundle: Path, tmp_path: Path, soon: None) -> Iterator[Running]:
    with running(opened(watched_bundle, tmp_path / "forestall.sqlite")) as one:
        yield one


def lives(api: Running, low: int, high: int, failures: bool = True) -> None:
    """Readings and events come by two days, after what was before them."""
    for after, before in pairwise([low - 20 * plant.DAY, *range(low, high, 2 * plant.DAY), high]):
        some = TELEMETRY[TELEMETRY["time"].between(after + 1, before)]
        rows = [row for row in events(after, before) if failures or row["kind"] != "failures"]
        assert api.send("/v1/events", rows).status_code == 200
        assert api.send("/v1/readings", records(some)).status_code == 200
        api.service.serving.live.score_due()


def of_plant(said: Said) -> Said:
    return {at: number for at, number in said.items() if at[0] in OF_PLANT}


def test_a_machine_that_reports_twice_counts_once(api: Running) -> None:
    lives(api, BEGIN, END)
    before = of_plant(worked_out(api))
    assert any(name == "forestall_drift_psi" for name, _ in before)
    last = TELEMETRY[TELEMETRY["time"] > END - 3 * plant.DAY]
    again = api.send("/v1/readings", records(last))
    assert again.json() == {"received": len(last), "new": 0, "known": len(last)}
    send(api, END - 3 * plant.DAY, END)
    other = api.send("/v1/readings", records(last.assign(volt=last["volt"] + 1)))
    assert other.status_code == 409
    assert api.service.serving.live.score_due() == 0
    with running(opened(api.service.champion.folder, str(api.service.store.engine.url))) as fresh:
        assert of_plant(worked_out(fresh)) == before


def test_in_a_month_without_failures_nothing_is_said_that_is_not_defined(api: Running) -> None:
    lives(api, BEGIN, END, failures=False)
    said = worked_out(api)
    assert all(math.isfinite(number) for number in said.values())
    assert series(said, "forestall_outcomes") and not series(said, "forestall_event_recall_ratio")
    components = api.service.serving.bundle.components
    for outcome in ("caught", "missed", "unforeseen"):
        assert all(value(said, "forestall_outcomes", component=c, outcome=outcome) == 0 for c in components)
    assert not any(value(said, "forestall_calibration_refuted", component=c) for c in components)
    assert value(said, "forestall_state_errors_total") == 0


def test_a_week_is_compared_once_it_is_scored(
    watched_bundle: Path, tmp_path: Path, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "SECONDS", 3600.0)  # the service looks for what is due at its start alone
    with running(opened(watched_bundle, tmp_path / "forestall.sqlite")) as api:
        lives(api, BEGIN, END - 7 * plant.DAY)
        before = drift_of(worked_out(api))
        send(api, END - 7 * plant.DAY, END)
        assert drift_of(worked_out(api)) == before != {}
        api.service.serving.live.score_due()
        assert drift_of(worked_out(api)) != before


@contextmanager
def held(url: str, table: str) -> Iterator[None]:
    """Nobody else may read or write a table; until the database is stopped, or the end of the block."""
    connection = psycopg.connect(url.replace("+psycopg", ""))
    connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        connection.close()


@pytest.mark.slow
def test_a_database_that_is_gone_while_drift_is_worked_out_leaves_no_gap_that_nobody_sees(
    watched_bundle: Path, soon: None
) -> None:
    week = 7 * plant.DAY
    with postgresql_server() as database, running(opened(watched_bundle, database.url())) as api:
        lives(api, BEGIN, END - week)
        before = worked_out(api)
        lives(api, END - week, END)
        with held(database.url(), "input_counts"):
            for _ in range(3):  # each waits for drift, and not for ever
                said = scraped(api)
            assert value(said, "forestall_store_up") == 1
            assert value(said, STATE) - value(said, WATCH) > 2  # of which an alert is made
            assert drift_of(said) == drift_of(before) != {}
            database.stop()
            said = scraped(api)
            assert value(said, "forestall_store_up") == 0 and drift_of(said) == drift_of(before)
        database.start()
        until(lambda: drift_of(scraped(api)) != drift_of(before))
        assert value(said, "forestall_state_errors_total") > 0
        assert worked_out(api)[WATCH, ()] > said[STATE, ()]


def drift_of(said: Said) -> Said:
    return {at: number for at, number in said.items() if at[0] == "forestall_drift_psi"}
