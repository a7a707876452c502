"""The plant's state as /metrics tells it: right, the same from every process, and kept while the store is away."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from forestall.serving.api import metric_names, metrics, state
from forestall.serving.api.metrics import Exported
from forestall.serving.api.service import Service, Serving
from forestall.serving.api.state import Sample, State
from forestall.serving.api.watch import Watch
from forestall.serving.opinions import Opinion
from forestall.serving.store.machines import add_machines, known_numbers
from forestall.serving.store.opinions import write_opinions
from tests import plant
from tests.serving.api.conftest import END
from tests.serving.api.process import until
from tests.serving.api.replay import send
from tests.serving.api.scraping import said_by, scored, scraped, series, value, vector
from tests.serving.api.server import opened, running
from tests.serving.feeding import stamp


def test_the_state_is_that_of_the_lists(service: Service, soon: None) -> None:
    with running(service) as api:
        scored(api)
        alarms = api.client.get("/v1/alarms", params={"limit": 500}).json()["alarms"]
        assert len(alarms) > 1
        first = alarms[0]
        closing = {"state": "closed", "finding": "no fault found", "note": "looked at"}
        path = f"/v1/alarms/{first['id']}"
        assert api.client.patch(path, json=closing, headers={"If-Match": "*"}).status_code == 200
        ranked = api.client.get("/v1/machines", params={"limit": 500}).json()["machines"]
        said = scraped(api)
        last = api.client.get("/health/ready").json()["latest"]
    of = Counter(one["component"] for one in alarms)
    for component in service.serving.bundle.components:
        assert value(said, "forestall_alarms_raised_total", component=component) == of[component]
        open_now = of[component] - (component == first["component"])
        assert value(said, "forestall_alarms_open", component=component, state="open") == open_now
    assert value(said, "forestall_feedback_total", finding="no fault found") == 1
    assert value(said, "forestall_feedback_total", finding="confirmed") == 0
    in_alarm = {one["machine"] for one in ranked if one["status"] == "alarm"}
    judged = {one["machine"] for one in ranked if one["status"] == "normal"} - in_alarm
    assert value(said, "forestall_machines", status="alarm") == len(in_alarm)
    assert value(said, "forestall_machines", status="normal") == len(judged)
    assert value(said, "forestall_machines", status="no opinion") == 6 - len(in_alarm | judged)
    assert stamp(int(value(said, "forestall_latest_reading_timestamp_seconds"))) == last
    assert value(said, "forestall_scoring_due_machines") == 0
    assert value(said, "forestall_scored_timestamp_seconds") == END // 10800 * 10800


def test_ages_follow_a_clock_that_jumps(service: Service) -> None:
    now = [END + 100]
    live = replace(service.serving.live, now=lambda: now[0])
    service.champion.serving = replace(service.serving, live=live)
    with running(service) as api:
        send(api, END - 3 * plant.DAY, END)
        for jump in (100, 10**6, -(10**6), 7):
            now[0] = END + jump
            assert value(scraped(api), "forestall_data_age_seconds") == jump


def test_a_recording_has_no_age(service: Service) -> None:
    with running(service) as api:
        send(api, END - plant.DAY, END)
        said = scraped(api)
    assert not series(said, "forestall_data_age_seconds")
    assert value(said, "forestall_latest_reading_timestamp_seconds") == END


def test_a_plant_that_counts_has_no_seconds(counting_folder: Path, tmp_path: Path) -> None:
    with running(opened(counting_folder, tmp_path / "counting.sqlite")) as api:
        rows = [{"machine": "e1", "time": 5, "t24": 640.0}]
        sensors = api.service.serving.bundle.reference.sensors
        rows = [{"machine": "e1", "time": 5, sensors[0]: 1.0}]
        assert api.send("/v1/readings", rows).status_code == 200
        said = scraped(api)
    gone = ("forestall_latest_reading_timestamp_seconds", "forestall_scored_timestamp_seconds")
    assert not any(series(said, name) for name in (*gone, "forestall_data_age_seconds"))
    assert value(said, "forestall_machines", status="no opinion") >= 1


def test_a_store_that_is_gone_leaves_the_last_values(whole_bundle: Path, tmp_path: Path, soon: None) -> None:
    file = tmp_path / "forestall.sqlite"
    with running(opened(whole_bundle, file)) as api:
        scored(api)
        before = scraped(api)
        assert value(before, "forestall_store_up") == 1
        file.rename(tmp_path / "away")
        assert api.client.get("/v1/machines").status_code == 503
        gone = scraped(api)
        assert value(gone, "forestall_store_up") == 0
        for name in (
            "forestall_machines",
            "forestall_alarms_raised_total",
            "forestall_state_timestamp_seconds",
        ):
            assert {k: v for k, v in gone.items() if k[0] == name} == {
                k: v for k, v in before.items() if k[0] == name
            }
        (tmp_path / "away").rename(file)
        until(lambda: value(scraped(api), "forestall_store_up") == 1)


def test_without_a_model_it_says_so(tmp_path: Path) -> None:
    with running(opened(tmp_path / "bundle", tmp_path / "forestall.sqlite")) as api:
        said = scraped(api)
    assert value(said, "forestall_bundle_refused") == 1
    assert value(said, "forestall_store_up") == 1
    for name in ("forestall_model_info", "forestall_machines", "forestall_bundle_accepted_timestamp_seconds"):
        assert not series(said, name)


def slow_state(service: Service, collectors: Iterable[state.Collector], now: Callable[[], float]) -> State:
    return State(service, tuple(collectors), ThreadPoolExecutor(1), now)


def test_the_store_is_asked_once_in_15_seconds(service: Service) -> None:
    clock, asked = [100.0], [0]

    def count(_: Serving, __: Connection) -> list[Sample]:
        asked[0] += 1
        return [Sample(metric_names.MACHINES_STALE, asked[0])]

    async def scrape(times: int) -> None:
        for _ in range(times):
            await asyncio.gather(*(told.refresh() for _ in range(5)))

    told = slow_state(service, [count], lambda: clock[0])
    with asyncio.Runner() as runner:
        runner.run(scrape(20))
        assert asked == [1]
        clock[0] += 14.9
        runner.run(scrape(20))
        assert asked == [1]
        clock[0] += 0.1
        runner.run(scrape(20))
        assert asked == [2] and [one.value for one in told.samples] == [2]


def test_a_store_that_hangs_is_waited_for_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "PATIENCE", 0.3)
    monkeypatch.setattr(state, "EVERY", 0.0)
    go_on, hangs = threading.Event(), [False]

    def hang(_: Serving, __: Connection) -> list[Sample]:
        if hangs[0]:
            go_on.wait(20)
        return [Sample(metric_names.MACHINES_STALE, 3)]

    async def scrape() -> float:
        begun = time.monotonic()
        await told.refresh()
        return time.monotonic() - begun

    told = slow_state(service, [hang], time.monotonic)
    with asyncio.Runner() as runner:
        runner.run(scrape())
        assert told.up
        hangs[0] = True
        assert 0.25 < runner.run(scrape()) < 2 and not told.up
        assert runner.run(scrape()) < 0.2 and not told.up
        assert [one.value for one in told.samples] == [3]
        hangs[0] = False
        go_on.set()
        until(lambda: runner.run(scrape()) < 1 and told.up)


def test_a_collector_that_fails_hides_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Serving, connection: Connection) -> list[Sample]:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")
        return []

    def mislabel(_: Serving, __: Connection) -> list[Sample]:
        return [Sample(metric_names.MACHINES, 1)]

    monkeypatch.setattr(metrics, "COLLECTORS", (fail, mislabel, *metrics.COLLECTORS))
    with running(service) as api:
        said = scraped(api)
    assert value(said, "forestall_state_errors_total") == 2
    assert value(said, "forestall_store_up") == 1
    assert value(said, "forestall_machines", status="no opinion") == 6


def test_ten_thousand_machines_make_no_more_series_than_six(service: Service) -> None:
    with running(service) as api:
        vector(api)
        scraped(api)
        few = scraped(api)
    add_fleet(service, 10_000)
    exported = Exported(service, Watch(service, service.champion.folder))
    begun = time.monotonic()
    with asyncio.Runner() as runner:
        text = runner.run(exported.text(False)).decode()
    assert time.monotonic() - begun < state.PATIENCE
    many = said_by(text)
    assert value(many, "forestall_store_up") == 1
    assert (
        sum(value(many, "forestall_machines", status=s) for s in ("alarm", "normal", "no opinion")) == 10_006
    )
    assert set(many) == set(few) and len(many) < 200


def add_fleet(service: Service, count: int) -> None:
    """Machines with an opinion of each component."""
    bundle, names = service.serving.bundle, [f"x{number}" for number in range(count)]
    with service.serving.store.writing() as connection:
        add_machines(connection, {name: {} for name in names})
        numbers = known_numbers(connection, names)
        about = [(name, part, limit) for name in names for part, limit in bundle.thresholds.items()]
        opinions = [Opinion(name, part, END, "", limit, (0.01, 0.02)) for name, part, limit in about]
        write_opinions(connection, numbers, opinions)
