"""One at a time, also between processes; a lock ends with its process, however that ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from forestall.errors import ForestallError


@contextmanager
def alone(lock: IO[str], what: str) -> Iterator[None]:
    """Nobody else holds an open file's lock meanwhile; it is closed at the end.

    Args:
        what: is under way where somebody else does, such as "Another promotion".

    Raises:
        ForestallError: somebody else does.
    """
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ForestallError(f"{what} is under way. Try again when it is over.") from None
        yield
