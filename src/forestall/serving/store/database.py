"""Opening a store: SQLite or PostgreSQL, with its tables brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError

from forestall.serving.bundle import Bundle
from forestall.serving.store import tables
from forestall.serving.store.errors import StoreBusyError, StoreError, as_store_errors

HEAD = "0001"
MIGRATIONS = Path(__file__).parent / "migrations"
PATIENCE = 10  # seconds that a writer waits for the others
# PostgreSQL's advisory locks: held while tables change, and by the process that scores.
MIGRATING, SCORING = 7_310_521, 7_310_522
DRIVERS = ("sqlite", "postgresql+psycopg")


@dataclass(frozen=True)
class Store:
    """An open database.

    sensors: the names of a reading's values in the order in which they are packed. closed: whether the plant has a
    machines table, so that a machine that is not in it is a mistake.
    """

    engine: Engine
    turn: Lock
    sensors: tuple[str, ...] = ()
    closed: bool = True

    @property
    def embedded(self) -> bool:
        """Whether it is a file of this process's, and no server."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database.

        Raises:
            StoreBusyError, StoreGoneError: see there.
        """
        engine = self.engine
        if not self.embedded:
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with as_store_errors(), engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: what is done in it is done when it ends, all or nothing, and survives a crash from then on.

        Raises:
            StoreBusyError, StoreGoneError, StoreFullError: see there.
        """
        if not self.embedded:
            with as_store_errors(), self.engine.begin() as connection:
                yield connection
            return
        # SQLite has one writer; its own way of waiting is to try again, by which one may starve.
        if not self.turn.acquire(timeout=PATIENCE):
            raise StoreBusyError("The database is busy: others have been writing for 10 s. Try again.")
        try:
            with as_store_errors(), self.engine.execution_options(writes=True).begin() as connection:
                yield connection
        finally:
            self.turn.release()

    @contextmanager
    def leading(self) -> Iterator[bool]:
        """Whether this process is the one that scores now: of several over one PostgreSQL only one does.

        Raises:
            StoreBusyError, StoreGoneError: see there.
        """
        if self.embedded:
            yield True
            return
        with (
            as_store_errors(),
            self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection,
        ):
            lock = {"lock": SCORING}
            leads = bool(connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), lock).scalar())
            try:
                yield leads
            finally:
                if leads:
                    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), lock)

    def for_bundle(self, bundle: Bundle) -> Store:
        """The same database for another bundle: sensors that are new are given their places."""
        with self.writing() as connection:
            names = _with_sensors(connection, bundle.reference.sensors)
        closed = bundle.plant.dataset.tables.machines is not None
        return replace(self, sensors=names, closed=closed)

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def open_store(url: str, bundle: Bundle) -> Store:
    """The store at a SQLAlchemy address: `sqlite:///<file>` or `postgresql+psycopg://…`.

    Raises:
        StoreError: the address is none, or the database was made by a later release.
        StoreBusyError, StoreGoneError, StoreFullError: see there.
    """
    return connect(url).for_bundle(bundle)


def connect(url: str) -> Store:
    """The store as for its keys, without a bundle; raises as `open_store` does."""
    store = Store(_engine(url), Lock())
    with store.reading() as connection:
        found = _revision(connection)
    if found != HEAD:
        with store.writing() as connection:
            _migrate(connection)
    return store


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # Neither the address nor what is said of it: a password may stand in it.
        raise StoreError(
            "That address is no database. Write sqlite:///<file> or postgresql+psycopg://…"
        ) from None
    if address.drivername not in DRIVERS:
        raise StoreError(f"{address.drivername}: not one of {', '.join(DRIVERS)}.")
    if address.drivername == "sqlite":
        return _sqlite(url)
    patience: dict[str, Any] = {"connect_timeout": 5, "tcp_user_timeout": 10_000, "keepalives_idle": 10}
    return create_engine(
        url, pool_pre_ping=True, pool_timeout=PATIENCE, connect_args=patience, hide_parameters=True
    )


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url, pool_timeout=PATIENCE, connect_args={"timeout": PATIENCE}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        # The driver's own transactions begin too late to hold a lock from the start.
        connection.isolation_level = None
        for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATING})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        found = _revision(connection)
        raise StoreError(
            f"The database has tables of a later release (revision {found}). Run that release, or another database."
        ) from error


def _with_sensors(connection: Connection, wanted: tuple[str, ...]) -> tuple[str, ...]:
    held = select(tables.sensors.c.name).order_by(tables.sensors.c.position)
    names = list(connection.execute(held).scalars())
    new = [name for name in wanted if name not in names]
    for position, name in enumerate(new, start=len(names)):
        connection.execute(tables.sensors.insert(), {"position": position, "name": name})
    return (*names, *new)
