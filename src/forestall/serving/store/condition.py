"""What was last seen of a database: whether it has room, and whether it answers in time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from forestall.serving.store.errors import StoreFullError, StoreGoneError, as_store_errors

SLOW, REST = 1.0, 2.0  # seconds


@dataclass
class Condition:
    """A database's condition, as the last request found it.

    full: the last one that wrote found no room. silent_until: the last one waited long for nothing, so until then
    (monotonic seconds) nobody else does: otherwise a hanging database would hold every thread, one after the other.
    """

    full: bool = False
    silent_until: float = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Around a use of the database.

        Raises:
            StoreBusyError, StoreGoneError, StoreFullError: as `as_store_errors`.
        """
        begun = monotonic()
        if begun < self.silent_until:
            raise StoreGoneError("The database does not answer. It is asked again in a moment.")
        try:
            with as_store_errors():
                yield
        except StoreGoneError:
            now = monotonic()
            if now - begun > SLOW:
                self.silent_until = now + REST
            raise

    @contextmanager
    def written(self) -> Iterator[None]:
        """Around a transaction that writes; raises as `watched`."""
        try:
            with self.watched():
                yield
        except StoreFullError:
            self.full = True
            raise
        self.full = False
