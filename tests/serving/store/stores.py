"""Stores for tests: SQLite always, a real PostgreSQL where slow tests run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.pipeline.servers import postgresql

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
_numbers = count()


@contextmanager
def addresses(kind: str, folder: Path) -> Iterator[Addresses]:
    """Where new databases of a kind can be made."""
    if kind == "sqlite":
        yield Addresses(f"sqlite:///{folder}/")
        return
    with postgresql() as (host, password):
        yield Addresses(f"postgresql+psycopg://postgres:{password}@{host}/")


class Addresses:
    """Addresses of empty databases."""

    def __init__(self, base: str) -> None:
        self.base = base

    def new(self) -> str:
        """The address of a database that nobody has used."""
        name = f"store{next(_numbers)}"
        if self.base.startswith("sqlite"):
            return f"{self.base}{name}.db"
        engine = create_engine(f"{self.base}postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return f"{self.base}{name}"
