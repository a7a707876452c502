"""A session opens what its key does, until it is closed, over, long unused, or its key is revoked."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select

from forestall.serving.store import tables
from forestall.serving.store.database import Store
from forestall.serving.store.keys import Key, create_key, revoke_key
from forestall.serving.store.sessions import (
    close_old,
    close_session,
    find_session,
    open_session,
    touch_session,
)

NOW, MINUTE, HOUR, DAY = 1_700_000_000, 60, 3_600, 86_400


def signed_in(store: Store, name: str = "ann", now: int = NOW) -> tuple[Key, str]:
    """A new key and the token of a session of it."""
    with store.writing() as connection:
        key, _ = create_key(connection, name, "write", now)
        return key, open_session(connection, key, now)


def found(store: Store, token: str, now: int) -> Key | None:
    with store.reading() as connection:
        session = find_session(connection, token, now)
    return None if session is None else session.key


def touch(store: Store, token: str, now: int) -> None:
    with store.writing() as connection:
        touch_session(connection, token, now)


def test_a_session_is_found_by_its_token_alone(store: Store) -> None:
    (ann, token), (bob, other) = signed_in(store), signed_in(store, "bob")
    assert (found(store, token, NOW), found(store, other, NOW)) == (ann, bob)
    wrong = [token[:-1], token + "A", token.swapcase(), "", "é", "\0", "\ud800", token * 100]
    assert [found(store, text, NOW) for text in wrong] == [None] * len(wrong)
    assert len(token) == 43 and token != other
    with store.reading() as connection:
        stored = connection.execute(select(tables.sessions.c.digest)).scalars().all()
    assert len(stored) == 2 and all(len(digest) == 32 and token.encode() not in digest for digest in stored)


def test_a_closed_session_is_none_and_the_others_go_on(store: Store) -> None:
    key, token = signed_in(store)
    with store.writing() as connection:
        other = open_session(connection, key, NOW)
        close_session(connection, token)
    assert found(store, token, NOW) is None
    assert found(store, other, NOW) == key


def test_a_revoked_key_ends_its_sessions(store: Store) -> None:
    key, token = signed_in(store)
    with store.writing() as connection:
        revoke_key(connection, key.id, NOW)
    assert found(store, token, NOW) is None
    with store.writing() as connection:
        assert close_old(connection, NOW) == 1


def test_an_unused_session_ends_after_12_hours(store: Store) -> None:
    key, token = signed_in(store)
    assert found(store, token, NOW + 12 * HOUR - 1) == key
    assert found(store, token, NOW + 12 * HOUR) is None
    touch(store, token, NOW + 12 * HOUR)  # comes too late
    assert found(store, token, NOW + 12 * HOUR) is None


def test_a_used_session_ends_after_7_days(store: Store) -> None:
    key, token = signed_in(store)
    for hours in range(11, 7 * 24, 11):
        touch(store, token, NOW + hours * HOUR)
    assert found(store, token, NOW + 7 * DAY - 1) == key
    assert found(store, token, NOW + 7 * DAY) is None


def test_a_clock_that_went_back_does_not_shorten_a_session(store: Store) -> None:
    key, token = signed_in(store)
    touch(store, token, NOW - HOUR)
    assert found(store, token, NOW + 12 * HOUR - 1) == key


def test_use_is_noted_once_a_minute(store: Store) -> None:
    _, token = signed_in(store)
    wanted = []
    for seconds in (0, 59, 60, 61, 119, 120):
        with store.reading() as connection:
            session = find_session(connection, token, NOW + seconds)
        assert session is not None
        wanted.append(session.wants_touch(NOW + seconds))
        if wanted[-1]:
            touch(store, token, NOW + seconds)
    assert wanted == [False, False, True, False, False, True]


def test_old_sessions_are_forgotten_and_no_others(store: Store) -> None:
    _, unused = signed_in(store)
    _, fresh = signed_in(store, "bob", NOW + 11 * HOUR)
    with store.writing() as connection:
        assert close_old(connection, NOW + 12 * HOUR) == 1
        assert close_old(connection, NOW + 12 * HOUR) == 0
    with store.reading() as connection:
        assert len(connection.execute(select(tables.sessions)).all()) == 1
        assert find_session(connection, unused, NOW) is None
    assert found(store, fresh, NOW + 12 * HOUR) is not None


@pytest.mark.parametrize("known", [True, False])
def test_a_look_up_is_one_statement_whether_the_token_is_known_or_not(store: Store, known: bool) -> None:
    _, token = signed_in(store)
    asked = list[str]()

    @event.listens_for(store.engine, "before_cursor_execute")
    def _count(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    with store.reading() as connection:
        find_session(connection, token if known else token[::-1], NOW)
    assert len([statement for statement in asked if not statement.startswith("BEGIN")]) == 1
