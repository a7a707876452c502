"""The engine for an address: what an address may be, and how long a database may keep silent."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from forestall.serving.store.bounded_connection import SILENCE, BoundedConnection
from forestall.serving.store.errors import StoreError, StoreGoneError

DRIVERS = ("sqlite", "postgresql+psycopg")
WHERE = "The database's address (--database, or FORESTALL_DATABASE_URL)"


def engine_of(url: str, patience: float) -> Engine:
    """The engine for `sqlite:///<file>` or `postgresql+psycopg://…`; nothing is opened yet.

    Args:
        patience: seconds for which SQLite waits for other writers, or for one of a few connections.

    Raises:
        StoreError: the address is none. Its password is never shown.
    """
    address = _address(url)
    return _sqlite(address, patience) if address.drivername == "sqlite" else _postgresql(address, patience)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # Neither the address nor what is said of it: a password may stand in it.
        raise StoreError(
            f"{WHERE} names no database. Write sqlite:///<file> or postgresql+psycopg://…"
        ) from None
    if address.drivername not in DRIVERS:
        raise StoreError(f"{WHERE}: {address.drivername} is not one of {', '.join(DRIVERS)}.")
    if "@" in f"{address.host}{address.database}" and address.drivername != "sqlite":
        # What stands after the first @ of a password would be taken for the host, and shown as one.
        raise StoreError(f"{WHERE} has a second @. In a name or a password write %40 for @, and %2F for /.")
    return address


def _sqlite(address: URL, patience: float) -> Engine:
    if address.database in (None, "", ":memory:"):
        raise StoreError(f"{WHERE} names no file. Write sqlite:///<file>.")
    if address.query:
        raise StoreError(f"{WHERE}: SQLite takes no settings; leave out what follows the question mark.")
    engine = create_engine(
        address, pool_timeout=patience, connect_args={"timeout": patience}, hide_parameters=True
    )

    opened: list[int | None] = []

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        # The driver's own transactions begin too late to hold a lock from the start.
        connection.isolation_level = None
        _write_ahead(connection, patience)
        for setting in ("synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {setting}")
        opened[:] = opened or [_inode(str(address.database))]

    @event.listens_for(engine, "do_connect")
    @event.listens_for(engine, "checkout")
    def _same_file(*_: Any) -> None:
        # What is written to a file that was moved or deleted would be acknowledged, and be gone.
        if opened and _inode(str(address.database)) != opened[0]:
            raise StoreGoneError("The database's file was moved. Put it back, or start the service again.")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _write_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Into WAL mode; SQLite does not wait by itself for another process that is just doing the same to a new file."""
    until = monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if monotonic() > until:
                raise
            sleep(0.01)


def _inode(file: str) -> int | None:
    try:
        return Path(file).stat().st_ino
    except OSError:
        return None


def _postgresql(address: URL, patience: float) -> Engine:
    limits: dict[str, Any] = {"connect_timeout": 5, "tcp_user_timeout": 10_000, "keepalives_idle": 10}
    engine = create_engine(
        address, pool_pre_ping=True, pool_timeout=patience, connect_args=limits, hide_parameters=True
    )
    try:
        psycopg.conninfo.make_conninfo(**dict.fromkeys(address.query, "1"))
    except psycopg.Error as error:
        raise StoreError(f"{WHERE}: {str(error).strip()}.") from None

    @event.listens_for(engine, "do_connect")
    def _connect(_: Any, __: Any, words: Any, named: Any) -> BoundedConnection:
        connection = BoundedConnection.connect(*words, **named, autocommit=True)
        # Less than SILENCE: who waits for another writer is told so before the server seems to hang.
        connection.execute(f"SET lock_timeout = {round(min(patience, 0.8 * SILENCE) * 1000)}")
        connection.autocommit = False
        return connection

    return engine
