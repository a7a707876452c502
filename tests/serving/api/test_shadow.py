"""A challenger beside the champion in the running service: taken, asked, exchanged, removed, and never in the way."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from forestall.retraining import served
from forestall.retraining.history import Promotion
from forestall.serving.api import champion
from forestall.serving.api.aside import PAUSE, Aside
from forestall.serving.bundle import load_bundle
from forestall.serving.export import write_bundle
from forestall.serving.live import Live
from forestall.serving.store.database import Store
from forestall.serving.store.machines import known_machines
from forestall.serving.store.shadows import shadow_of
from forestall.serving.store.tables import machines, risks
from tests import plant
from tests.serving import challengers
from tests.serving.api.conftest import END
from tests.serving.api.process import Served, serving, until
from tests.serving.api.replay import events, records, send
from tests.serving.api.scraping import scored, scraped, series, value, vector
from tests.serving.api.server import Running, opened, running
from tests.serving.challengers import Row, shadow_rows
from tests.serving.conftest import Made, empty_store
from tests.serving.conftest import served as plant_served
from tests.serving.predict_body import body
from tests.serving.store.stores import Addresses

BEGIN = END - 2 * plant.DAY
TIMES = range(BEGIN + 6 * plant.HOUR, END + 1, 6 * plant.HOUR)
INFO, REFUSED = "forestall_shadow_info", "forestall_shadow_refused"


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is looked at more often than in service."""
    monkeypatch.setattr(champion, "SECONDS", 0.05)


@pytest.fixture
def folder(whole_bundle: Path, tmp_path: Path) -> Path:
    """A folder of what is served, with its champion."""
    return serve(tmp_path / "served", whole_bundle)


@pytest.fixture
def other(whole_bundle: Path, made: Made, tmp_path: Path) -> Path:
    return challengers.other(tmp_path / "other", whole_bundle, made)


def serve(folder: Path, bundle: Path, revision: str = "a" * 40) -> Path:
    with served.exclusively(folder):
        version = served.lay_down(folder, bundle, revision)
        number = len(list((folder / "releases").iterdir()))
        one = Promotion(number, version, served.champion(folder), revision, 0, "Ann", "passed")
        served.exchange(folder, one)
    return folder


def put(folder: Path, bundle: Path, revision: str = "b" * 40) -> str:
    with served.exclusively(folder):
        version = served.lay_down(folder, bundle, revision)
        served.put_in_shadow(folder, version)
    return version


def count(api: Running | Served, of: str, outcome: str) -> float:
    return value(scraped(api), f"forestall_shadow_{of}_total", outcome=outcome)


def in_shadow(api: Running | Served) -> set[str]:
    """The versions that score beside the champion."""
    return {dict(labels)["version"] for labels in series(scraped(api), INFO)}


def post(service: Served, low: int, high: int) -> None:
    from tests.serving.api.conftest import TELEMETRY

    some = TELEMETRY[TELEMETRY["time"].between(low + 1, high)]
    for path, rows in (("/v1/events", events(low, high)), ("/v1/readings", records(some))):
        assert service.client.post(path, json=rows).status_code == 200


def is_scored(store: Store, time_: int) -> bool:
    with store.reading() as connection:
        return {one.scored_until for one in known_machines(connection).values()} == {time_}


def risk_rows(store: Store) -> list[Row]:
    columns = (machines.c.name, risks.c.time, risks.c.no_opinion, risks.c.curves)
    query = select(*columns).join(machines, machines.c.id == risks.c.machine_id)
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(machines.c.name, risks.c.time))]


def test_readings_come_both_score_and_a_kill_changes_nothing(
    addresses_of_a_kind: Addresses, folder: Path, other: Path, tmp_path: Path
) -> None:
    url = addresses_of_a_kind.new()
    version = put(folder, other)
    challenger = load_bundle(folder / "challenger")
    store = empty_store(url, challenger)
    model = Live.over(store, challenger, None).model
    arguments = ("--bundle", "served/champion", "--recorded", "--database", url)

    def both(time_: int) -> bool:
        return is_scored(store, time_) and len(shadow_rows(store, model, [time_])) == 6

    with serving(tmp_path, *arguments) as one:
        post(one, BEGIN - 6 * plant.DAY, BEGIN)
        until(lambda: both(BEGIN), 60)
        for low, time_ in pairwise((BEGIN, *TIMES[:4])):
            post(one, low, time_)
            until(lambda time_=time_: both(time_), 60)  # type: ignore[misc]
        one.kill()
    with serving(tmp_path, *arguments) as one:
        until(lambda: in_shadow(one) == {version}, 60)
        for low, time_ in pairwise(TIMES[3:]):
            post(one, low, time_)
            until(lambda time_=time_: both(time_), 60)  # type: ignore[misc]
        assert count(one, "decisions", "scored") == 6 * len(TIMES[4:])
        assert count(one, "decisions", "failed") == count(one, "decisions", "dropped") == 0
    with store.reading() as connection:
        found = shadow_of(connection, model)
    assert found is not None and found.since == BEGIN and found.machines == 6 * (1 + len(TIMES))

    alone = empty_store(addresses_of_a_kind.new(), challenger)
    address = alone.engine.url.render_as_string(hide_password=False)
    serve(tmp_path / "alone", other, "b" * 40)
    with serving(tmp_path, "--bundle", "alone/champion", "--recorded", "--database", address) as one:
        for low, time_ in pairwise((BEGIN - 6 * plant.DAY, BEGIN, *TIMES)):
            post(one, low, time_)
            until(lambda time_=time_: is_scored(alone, time_), 60)  # type: ignore[misc]
    rows = shadow_rows(store, model)
    assert rows == risk_rows(alone) and len(rows) >= 6 * 2 * len(TIMES)
    assert rows != risk_rows(store)
    store.close()
    alone.close()


@pytest.mark.usefixtures("often")
def test_one_that_fails_is_counted_and_said_and_the_champion_goes_on(
    folder: Path, whole_bundle: Path, made: Made, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    put(folder, challengers.broken(tmp_path / "broken", whole_bundle, made))
    with running(opened(folder / "champion", tmp_path / "store.sqlite")) as api:
        scored(api)
        until(lambda: count(api, "decisions", "failed") == 6)
        ranking = api.client.get("/v1/machines").json()["machines"]
        assert {one["status"] for one in ranking} >= {"normal"}
        for _ in range(2):
            assert api.send("/predict", body("m0")).status_code == 200
        until(lambda: count(api, "requests", "failed") == 2)
        assert vector(api).status_code == 200  # vectors it can answer
        until(lambda: count(api, "requests", "agreed") + count(api, "requests", "disagreed") == 1)
    said = [vars(record).get("fields", {}) for record in caplog.records]
    assert {one.get("of") for one in said} >= {"live", "request"}


@pytest.mark.usefixtures("often")
def test_it_is_exchanged_and_removed_under_load(
    folder: Path, whole_bundle: Path, other: Path, tmp_path: Path
) -> None:
    over, statuses = threading.Event(), Counter[int]()
    with running(opened(folder / "champion", tmp_path / "store.sqlite")) as api:
        fills = list(api.service.serving.bundle.reference.fills)

        def ask(content: Any) -> None:
            with httpx.Client(base_url=api.url, timeout=30) as client:
                while not over.is_set():
                    statuses[client.post("/predict", json=content).status_code] += 1

        with ThreadPoolExecutor(2) as clients:
            asking = [clients.submit(ask, content) for content in ({"features": fills}, body("m0"))]
            send(api, END - 20 * plant.DAY, END)
            for number in range(6):
                bundle = (whole_bundle, other)[number % 2]
                version = put(folder, bundle, f"{number}" * 40)
                until(lambda version=version: in_shadow(api) == {version})  # type: ignore[misc]
            before = count(api, "requests", "agreed")
            until(lambda: count(api, "requests", "agreed") > before)
            with served.exclusively(folder):
                served.end_shadow(folder)
            until(lambda: in_shadow(api) == set())
            over.set()
        for one in asking:
            one.result()
        assert set(statuses) == {200}
        assert count(api, "requests", "failed") == count(api, "requests", "unfit") == 0
        time.sleep(5 * PAUSE)
        quiet = count(api, "requests", "agreed")
        assert vector(api).status_code == 200
        time.sleep(5 * PAUSE)
        assert count(api, "requests", "agreed") == quiet
        assert value(scraped(api), REFUSED) == 0


@pytest.mark.usefixtures("often")
def test_one_that_cannot_be_compared_is_refused_until_another_comes(
    folder: Path, whole_bundle: Path, other: Path, made: Made, tmp_path: Path
) -> None:
    slow = replace(made.reference, spans=replace(made.reference.spans, every=2 * made.reference.spans.every))
    write_bundle(
        tmp_path / "mill", made.fit("extra_trees"), made.reference, replace(plant_served(), name="mill")
    )
    write_bundle(tmp_path / "slow", made.fit("extra_trees"), slow, plant_served())
    with running(opened(folder / "champion", tmp_path / "store.sqlite")) as api:
        for name in ("mill", "slow"):
            put(folder, tmp_path / name)
            until(lambda: value(scraped(api), REFUSED) == 1)
            assert in_shadow(api) == set() and vector(api).status_code == 200
            version = put(folder, other, name * 10)
            until(lambda version=version: in_shadow(api) == {version})  # type: ignore[misc]
            assert value(scraped(api), REFUSED) == 0


@pytest.mark.usefixtures("often")
def test_what_is_promoted_is_no_challenger_any_more(folder: Path, other: Path, tmp_path: Path) -> None:
    version = put(folder, other)
    with running(opened(folder / "champion", tmp_path / "store.sqlite")) as api:
        assert in_shadow(api) == {version}
        serve(folder, other, "b" * 40)
        until(lambda: api.service.champion.version == version and in_shadow(api) == set())
    assert not (folder / "challenger").is_symlink()


def test_beside_a_bundle_that_is_no_link_nothing_stands(
    folder: Path, whole_bundle: Path, other: Path, tmp_path: Path
) -> None:
    put(folder, other)
    (folder / "bundle").symlink_to(whole_bundle)
    with running(opened(folder / "bundle", tmp_path / "store.sqlite")) as api:
        assert vector(api).status_code == 200
        assert in_shadow(api) == set() and value(scraped(api), REFUSED) == 0


def test_what_has_no_room_is_dropped_and_never_waited_for() -> None:
    hold, done, free = threading.Event(), list[int](), threading.Event()

    def work(taken: list[int]) -> None:
        hold.wait(10)
        done.extend(taken)
        if 1 in taken:
            raise ValueError("what fails does not end it")

    aside = Aside[int](5, 2, work, lambda _: free.is_set())
    aside.begin()
    assert [aside.offer(number) for number in range(7)] == [True] * 5 + [False] * 2
    assert not aside.offer(9, weight=6)
    free.set()
    until(lambda: aside.weight == 3)  # two are held
    assert [aside.offer(number) for number in (7, 8, 9)] == [True, True, False]
    hold.set()
    until(lambda: done == [0, 1, 2, 3, 4, 7, 8])
    aside.end()
    time.sleep(3 * PAUSE)
    assert aside.offer(10) and done[-1] == 8
