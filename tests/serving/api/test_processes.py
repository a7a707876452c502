"""/metrics of several processes over one PostgreSQL, and of one whose database hangs."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from forestall.serving.api import state
from forestall.serving.api.metric_names import METRICS
from tests.pipeline.servers import postgresql_server
from tests.serving.api.process import serving, until
from tests.serving.api.scraping import scraped, series, value


@pytest.mark.slow
def test_two_processes_count_apart_and_agree_on_the_plant(workspace: Path) -> None:
    words = ("--recorded", "--database")
    with (
        postgresql_server() as server,
        serving(workspace, *words, server.url()) as first,
        serving(workspace, *words, server.url()) as second,
    ):
        for number in range(5):
            (first, second)[number % 2].client.get("/v1/machines/m1")
        time.sleep(state.EVERY)
        both = [scraped(first), scraped(second)]
        about = {"route": "/v1/machines/{machine}", "method": "GET", "status": "200"}
        assert [value(one, "forestall_http_requests_total", **about) for one in both] == [3, 2]
        live = [
            labels
            for labels in series(both[0], "forestall_predictions_total")
            if ("source", "live") in labels
        ]
        counts = [sum(one["forestall_predictions_total", labels] for labels in live) for one in both]
        opinions = first.client.get("/v1/machines", params={"limit": 500}).json()["machines"]
        assert sum(counts) == sum(one["risk"] is not None for one in opinions) > 0
        of_plant = {name for one in METRICS if one.of == "plant" for name in one.series}
        states = [{key: found for key, found in one.items() if key[0] in of_plant} for one in both]
        assert states[0] == states[1] and len(states[0]) > 10
        first.process.terminate()
        first.process.wait(30)
        with serving(workspace, *words, server.url()) as again:
            new = scraped(again)
        start = "process_start_time_seconds"
        assert value(new, start) > value(both[0], start)
        assert sum(new["forestall_predictions_total", labels] for labels in live) == 0
        raised = {k: v for k, v in both[0].items() if k[0] == "forestall_alarms_raised_total"}
        assert raised.items() <= new.items()


@pytest.mark.slow
def test_a_database_that_hangs_does_not_hold_a_scrape(workspace: Path) -> None:
    with (
        postgresql_server() as server,
        serving(workspace, "--recorded", "--database", server.url()) as served,
    ):
        before = scraped(served)
        assert value(before, "forestall_store_up") == 1
        with server.frozen():
            threads = [threading.Thread(target=served.client.get, args=["/v1/machines"]) for _ in range(20)]
            for thread in threads:
                thread.start()
            time.sleep(state.EVERY)
            for _ in range(3):
                begun = time.monotonic()
                said = scraped(served)
                assert time.monotonic() - begun < 9, "longer than Prometheus waits"
                assert value(said, "forestall_store_up") == 0
            assert {k for k in said if k[0] == "forestall_machines"} == {
                k for k in before if k[0] == "forestall_machines"
            }
        for thread in threads:
            thread.join(60)
        until(lambda: value(scraped(served), "forestall_store_up") == 1, 40)
        assert os.getpgid(served.process.pid)
