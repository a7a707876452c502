"""Who is let in, and for how long: what an open page and a visitor without a key do not use up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from forestall.serving.api.security import FAILURES_PER_SECOND
from forestall.serving.page.visitor import LONGEST_NAME, SESSION
from forestall.serving.store import tables
from forestall.serving.store.sessions import FRESH
from tests.serving.api.conftest import whole_bundle
from tests.serving.api.server import Running, key_for, opened, running

__all__ = ["whole_bundle"]
HEADER = "X-Remote-User"


@pytest.fixture(scope="module")
def locked(whole_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with a key, behind a proxy that names people."""
    service = opened(whole_bundle, tmp_path_factory.mktemp("visitor") / "forestall.sqlite")
    with running(replace(service, person_header=HEADER)) as one:
        yield one


def test_an_open_page_does_not_keep_its_session(locked: Running) -> None:
    sent = {"key": key_for(locked.service, "read", "Ann"), "next": "/"}
    token = locked.client.post("/sign-in", data=sent).cookies[SESSION]
    cookie = {"cookie": f"{SESSION}={token}"}
    locked.client.cookies.clear()
    used = int(time.time()) - 2 * FRESH
    with locked.service.store.writing() as connection:
        connection.execute(tables.sessions.update().values(seen=used))
    for path, kept in (("/fleet/news", False), ("/fleet/rows", True)):
        assert locked.client.get(path, headers=cookie).status_code == 200
        with locked.service.store.reading() as connection:
            seen = connection.execute(tables.sessions.select()).one().seen
        assert (seen > used) is kept, path


def test_nobody_is_no_wrong_key(locked: Running) -> None:
    key_for(locked.service, "read", "Bob")
    asked = [locked.client.get("/").status_code for _ in range(round(4 * FAILURES_PER_SECOND))]
    assert set(asked) == {303}


def test_a_long_name_does_not_hide_whose_key_it_is(locked: Running) -> None:
    key = key_for(locked.service, "read", "proxy")
    shown = locked.client.get("/", headers={"x-api-key": key, HEADER: "x" * LONGEST_NAME}).text
    assert "xxx (proxy)" in shown and "x" * (LONGEST_NAME - len(" (proxy)") + 1) not in shown


def test_a_piece_of_a_page_leads_back_to_the_page(locked: Running) -> None:
    key_for(locked.service, "read", "Eve")
    for current, led in (
        ("http://plant.example/alarms/1?a=b#note", "%2Falarms%2F1%3Fa%3Db"),
        ("", "%2F"),
        ("nonsense", "%2F"),
    ):
        asked = locked.client.get("/fleet/rows", headers={"hx-request": "true", "hx-current-url": current})
        assert (asked.status_code, asked.headers["hx-redirect"]) == (401, f"/sign-in?next={led}")
