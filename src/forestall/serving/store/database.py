"""Opening a store: SQLite or PostgreSQL, with its tables brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from time import sleep

from sqlalchemy import Connection, Engine, inspect, select, text

from forestall.serving.bundle import Bundle
from forestall.serving.store import tables
from forestall.serving.store.condition import Condition
from forestall.serving.store.engines import engine_of
from forestall.serving.store.errors import OtherPlantError, StoreBusyError, StoreError

HEAD = "0006"
MIGRATIONS = Path(__file__).parent / "migrations"
PATIENCE = 10  # seconds that a writer waits for the others
# PostgreSQL's advisory locks: held while tables or sensors change, by the process that scores, by the one that fills.
MIGRATING, SCORING, FILLING = 7_310_521, 7_310_522, 7_310_523


@dataclass(frozen=True)
class Store:
    """An open database.

    sensors: the names of a reading's values in the order in which they are packed. closed: whether the plant has a
    machines table, so that a machine that is not in it is a mistake. condition: what was last seen of the database.
    """

    engine: Engine
    turn: Lock
    sensors: tuple[str, ...] = ()
    closed: bool = True
    condition: Condition = field(default_factory=Condition)

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
        with self.condition.watched(), engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: what is done in it is done when it ends, all or nothing, and survives a crash from then on.

        Raises:
            StoreBusyError, StoreGoneError, StoreFullError: see there.
        """
        if not self.embedded:
            with self.condition.written(), self.engine.begin() as connection:
                yield connection
            return
        # SQLite has one writer; its own way of waiting is to try again, by which one may starve.
        if not self.turn.acquire(timeout=PATIENCE):
            raise StoreBusyError("The database is busy: others have been writing for 10 s. Try again.")
        try:
            with self.condition.written(), self.engine.execution_options(writes=True).begin() as connection:
                yield connection
        finally:
            self.turn.release()

    @contextmanager
    def leading(self) -> Iterator[bool]:
        """Whether this process is the one that scores now: of several over one PostgreSQL only one does.

        Raises:
            StoreBusyError, StoreGoneError: see there.
        """
        with self._alone(SCORING) as leads:
            yield leads

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Wait until no other process fills; then others wait for this one.

        Raises:
            StoreBusyError, StoreGoneError: see there.
        """
        while True:
            with self._alone(FILLING) as alone:
                if alone:
                    yield
                    return
            sleep(0.5)

    @contextmanager
    def _alone(self, lock: int) -> Iterator[bool]:
        """Whether this process has one of PostgreSQL's advisory locks now; it ends with the process, too."""
        if self.embedded:
            yield True
            return
        engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        with self.condition.watched(), engine.connect() as connection:
            about = {"lock": lock}
            alone = bool(connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), about).scalar())
            try:
                yield alone
            finally:
                if alone:
                    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), about)

    def for_bundle(self, bundle: Bundle) -> Store:
        """The same database for another bundle: sensors that are new are given their places.

        Raises:
            OtherPlantError: its machines are another dataset's.
        """
        with self.writing() as connection:
            _one_at_a_time(connection)
            _of_one_plant(connection, bundle.plant.name)
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
        StoreBusyError, StoreGoneError, StoreFullError, OtherPlantError: see there.
    """
    return connect(url).for_bundle(bundle)


def connect(url: str, may_be_new: bool = True) -> Store:
    """The store as for its keys, without a bundle; raises as `open_store` does.

    Args:
        may_be_new: whether a database that holds no store yet is given one; else it is refused.
    """
    store = Store(engine_of(url, PATIENCE), Lock())
    with store.reading() as connection:
        found = _revision(connection)
    if found is None and not may_be_new:
        raise StoreError("This database holds nothing of a service's. Name the service's by --database.")
    if found != HEAD:
        with store.writing() as connection:
            _migrate(connection)
    return store


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    _one_at_a_time(connection)
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


def _one_at_a_time(connection: Connection) -> None:
    """Until the transaction ends, processes that start at once wait for each other; with SQLite every writer does."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATING})


def _of_one_plant(connection: Connection, name: str) -> None:
    """Note the dataset; without any machine yet, the database may become another one's.

    Raises:
        OtherPlantError: see there.
    """
    held = connection.execute(select(tables.plant.c.name)).scalar()
    if held == name:
        return
    if held is not None:
        if connection.execute(select(tables.machines.c.id).limit(1)).scalar() is not None:
            raise OtherPlantError(held, name)
        connection.execute(tables.plant.delete())
    connection.execute(tables.plant.insert(), {"name": name})


def _with_sensors(connection: Connection, wanted: tuple[str, ...]) -> tuple[str, ...]:
    held = select(tables.sensors.c.name).order_by(tables.sensors.c.position)
    names = list(connection.execute(held).scalars())
    new = [name for name in wanted if name not in names]
    for position, name in enumerate(new, start=len(names)):
        connection.execute(tables.sensors.insert(), {"position": position, "name": name})
    return (*names, *new)
