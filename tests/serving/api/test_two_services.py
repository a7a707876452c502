"""Two services over one PostgreSQL: they start at once, share what is sent to either, and one scores for both."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from forestall.serving.store.database import SCORING
from tests import plant
from tests.pipeline.servers import PostgreSQL, postgresql_server
from tests.serving.api.conftest import END
from tests.serving.api.process import Served, serving, started, until, wait_for
from tests.serving.feeding import stamp

EVERY = plant.dataset().ticks("3h")
MACHINES = [f"m{number}" for number in range(6)]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with postgresql_server() as one:
        yield one


@contextmanager
def new_database(server: PostgreSQL, name: str) -> Iterator[tuple[str, Engine]]:
    """Its address, and a way to look at the server."""
    engine = create_engine(server.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.url(name), engine
    engine.dispose()


def send(served: Served, hour: int, machines: list[str]) -> None:
    """One hour's readings of some machines, after the recording's end."""
    time = stamp(END + hour * plant.HOUR)
    rows = [{"machine": one, "time": time, "volt": 150.0 + hour, "spin": 450.0} for one in machines]
    said = served.client.post("/v1/readings", json=rows)
    assert said.status_code == 200, said.text


def ranking(served: Served) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = served.client.get("/v1/machines", params={"limit": 500}).json()["machines"]
    return found


def decided(served: Served) -> set[str]:
    """Of which decisions the ranking is."""
    return {one["time"] for one in ranking(served)}


def scoring(engine: Engine) -> bool:
    """Whether any service holds the lock."""
    query = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock AND granted")
    with engine.connect() as connection:
        return bool(connection.execute(query, {"lock": SCORING}).scalar())


@pytest.mark.parametrize("round_", range(4))
def test_both_come_up_on_a_new_database(workspace: Path, server: PostgreSQL, round_: int) -> None:
    with new_database(server, f"new{round_}") as (url, _), ExitStack() as both:
        pair = [both.enter_context(started(workspace, "--recorded", "--database", url)) for _ in range(2)]
        for one in pair:
            wait_for(one)
        for one in pair:
            until(lambda one=one: len(ranking(one)) == 12)  # type: ignore[misc]
        assert ranking(pair[0]) == ranking(pair[1])
        filled = [one for one in pair if any("filling it" in line for line in one.written)]
        assert len(filled) == 1


def test_the_other_takes_over_when_the_one_that_scores_is_killed(workspace: Path, server: PostgreSQL) -> None:
    words = ("--recorded", "--database")
    with (
        new_database(server, "shared") as (url, engine),
        serving(workspace, *words, url) as first,
        serving(workspace, *words, url) as second,
    ):
        for hour in range(1, 4):
            send(first, hour, MACHINES[::2])
            send(second, hour, MACHINES[1::2])
        until(lambda: decided(first) == {stamp(END + EVERY)})
        assert ranking(first) == ranking(second)
        second.process.send_signal(signal.SIGSTOP)
        hour = stopped_while_scoring(first, engine)
        second.process.send_signal(signal.SIGCONT)
        was = decided(second)
        for later in range(hour + 1, hour + 4):
            send(second, later, MACHINES)
        with pytest.raises(AssertionError, match="not within"):
            until(lambda: decided(second) != was, 3)
        first.kill()
        last = (END + (hour + 3) * plant.HOUR) // EVERY * EVERY
        until(lambda: decided(second) == {stamp(last)}, 15)
        with serving(workspace, *words, url) as again:
            assert ranking(again) == ranking(second)
            assert {one["status"] for one in ranking(again)} >= {"normal", "not applicable"}


def stopped_while_scoring(served: Served, engine: Engine) -> int:
    """Stop a service at a moment at which it holds the lock; the last hour that it was sent."""
    for hour in range(4, 400):
        send(served, hour, MACHINES)
        for _ in range(50):
            if scoring(engine):
                os.kill(served.process.pid, signal.SIGSTOP)
                if scoring(engine):
                    return hour
                os.kill(served.process.pid, signal.SIGCONT)
    raise AssertionError("it was never seen to score")
