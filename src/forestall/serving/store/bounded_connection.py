"""A connection to PostgreSQL that does not wait for ever: a server that hangs answers the network, and nothing else."""

from __future__ import annotations

from collections.abc import Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg

SILENCE = 10.0  # seconds without a byte
T = TypeVar("T")


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is given up when the server has kept silent for SILENCE."""

    def wait(self, gen: Generator[Any, Any, T], *words: Any, **named: Any) -> T:
        """As psycopg's.

        Raises:
            psycopg.OperationalError: nothing came; the connection is closed then.
        """
        return super().wait(self._bounded(gen), *words, **named)

    def _bounded(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """The same generator; what it is sent is 0 where only time has passed."""
        heard = monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                now = monotonic()
                if ready:
                    heard = now
                elif now - heard > SILENCE:
                    self.close()
                    raise psycopg.OperationalError(f"the server has said nothing for {SILENCE:g} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            value: T = done.value
            return value
