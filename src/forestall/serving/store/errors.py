"""What a database can say no with, told apart by what a caller can do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from forestall.errors import ForestallError


class StoreError(ForestallError):
    """The database cannot do what was asked."""


class StoreBusyError(StoreError):
    """Others hold the database; the same may work in a moment."""


class StoreGoneError(StoreError):
    """The database does not answer; it may be back later."""


class StoreFullError(StoreError):
    """There is no room left to write; reads go on."""


FULL = {"53100"}
BUSY = {"53200", "53300", "40001", "40P01", "55P03", "57014"}


class OtherPlantError(ForestallError):
    """A bundle of another dataset than the database's machines: no fault of the database, and no retry helps."""

    def __init__(self, held: str, offered: str) -> None:
        super().__init__(
            f"The database holds the machines of dataset {held!r}, and this bundle is of {offered!r}. Serve it from a "
            f"database of its own, such as `--database sqlite:///var/{offered}.sqlite`."
        )


@contextmanager
def as_store_errors() -> Iterator[None]:
    """What a driver raises, as a `StoreError` where it is the database's state and not a mistake of ours.

    Raises:
        StoreBusyError, StoreGoneError, StoreFullError: see there.
    """
    try:
        yield
    except PoolTimeout as error:
        raise StoreBusyError("The database is busy: all connections are taken. Try again.") from error
    except DBAPIError as error:
        fault = _fault(error)
        if fault is None:
            raise
        raise fault from error


def _fault(error: DBAPIError) -> StoreError | None:
    original = error.orig
    kind = None
    if isinstance(original, sqlite3.Error):
        kind = _of_sqlite(original)
    elif isinstance(original, psycopg.Error):
        kind = _of_postgresql(original, error.connection_invalidated)
    texts = {
        StoreBusyError: "The database is busy. Try again.",
        StoreGoneError: "The database does not answer. It is asked again with the next request.",
        StoreFullError: "The database has no room left to write. Free space on its disk; what is stored can be read.",
    }
    return None if kind is None else kind(f"{texts[kind]} ({original})")


def _of_sqlite(error: sqlite3.Error) -> type[StoreError] | None:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusyError
    # A full disk is an I/O error where the write-ahead log or its index grows.
    if name == "SQLITE_FULL" or name.startswith(
        ("SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHM", "SQLITE_IOERR_FSYNC")
    ):
        return StoreFullError
    gone = ("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_READONLY")
    return StoreGoneError if name.startswith(gone) else None


def _of_postgresql(error: psycopg.Error, lost: bool) -> type[StoreError] | None:
    state = error.sqlstate or ""
    if state in FULL:
        return StoreFullError
    if state in BUSY:
        return StoreBusyError
    unreachable = isinstance(error, psycopg.OperationalError) and (
        not state or state[:2] in ("08", "57", "58")
    )
    return StoreGoneError if lost or unreachable else None
