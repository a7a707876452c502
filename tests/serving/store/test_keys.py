"""Keys are known by a hash, and are none once revoked."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from forestall.serving.store import tables
from forestall.serving.store.database import Store
from forestall.serving.store.keys import (
    RefusedKeyError,
    any_keys,
    create_key,
    find_key,
    list_keys,
    revoke_key,
)


def test_a_key_is_found_by_its_text_alone(store: Store) -> None:
    with store.writing() as connection:
        assert not any_keys(connection)
        key, token = create_key(connection, "gateway", "write", 100)
        create_key(connection, "page", "read", 101)
    with store.reading() as connection:
        assert any_keys(connection)
        assert find_key(connection, token) == key
        wrong = [
            token[:-1],
            token + "A",
            token.upper(),
            token.replace("fst", "abc"),
            f"fst_{key.id}_",
            "",
            "_",
            "é",
        ]
        assert [find_key(connection, text) for text in wrong] == [None] * len(wrong)
        assert [one.name for one in list_keys(connection)] == ["gateway", "page"]
        stored = str(connection.execute(select(tables.keys)).all())
    assert token.split("_", 2)[2] not in stored
    assert len(token.split("_", 2)[2]) == 43


def test_a_revoked_key_is_none(store: Store) -> None:
    with store.writing() as connection:
        key, token = create_key(connection, "gateway", "admin", 100)
        revoke_key(connection, key.id, 200)
        assert find_key(connection, token) is None
        assert not any_keys(connection)
        with pytest.raises(RefusedKeyError, match="no key"):
            revoke_key(connection, key.id, 300)
        create_key(connection, "gateway", "admin", 300)


@pytest.mark.parametrize(
    ("name", "role"), [("", "read"), ("x" * 201, "read"), ("a\nb", "read"), ("x", "root")]
)
def test_what_is_no_key_is_refused(store: Store, name: str, role: str) -> None:
    with store.writing() as connection, pytest.raises(RefusedKeyError):
        create_key(connection, name, role, 1)  # type: ignore[arg-type]


def test_names_are_told_apart(store: Store) -> None:
    with store.writing() as connection:
        create_key(connection, "gateway", "read", 1)
        with pytest.raises(RefusedKeyError, match="There is a key named 'gateway'"):
            create_key(connection, "gateway", "write", 2)
