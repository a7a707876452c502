"""How much one client, and all together, may ask at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from forestall.serving.api.problems import Problem

MOST_CLIENTS = 10_000


class Rate:
    """A bucket of tokens for each client: `per_second` requests a second, twice as many at once.

    Args:
        now: a clock in seconds that only goes forward.
    """

    def __init__(self, per_second: float, now: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.now = per_second, now
        self.buckets: dict[str, tuple[float, float]] = {}

    def take(self, client: str, what: str = "requests") -> None:
        """Count one request.

        Raises:
            Problem: 429, with when to come back.
        """
        now, most = self.now(), 2 * self.per_second
        tokens, since = self.buckets.get(client, (most, now))
        tokens = min(most, tokens + (now - since) * self.per_second)
        if tokens < 1:
            wait = max(1, round((1 - tokens) / self.per_second + 0.5))
            detail = f"More than {self.per_second:g} {what} a second. Come back in {wait} s."
            raise Problem(429, detail, headers={"Retry-After": str(wait)})
        if len(self.buckets) >= MOST_CLIENTS and client not in self.buckets:
            self._forget(now)
        self.buckets[client] = (tokens - 1, now)

    def give_back(self, client: str) -> None:
        """Count one request less."""
        tokens, since = self.buckets.get(client, (0.0, self.now()))
        self.buckets[client] = (tokens + 1, since)

    def _forget(self, now: float) -> None:
        """Drop who has a full bucket again, and all if that frees nothing: memory must not grow with addresses."""
        full = 2.0
        self.buckets = {client: (left, at) for client, (left, at) in self.buckets.items() if now - at < full}
        if len(self.buckets) >= MOST_CLIENTS:
            self.buckets.clear()


class ConcurrencyLimit:
    """How many requests are in the service at once."""

    def __init__(self, most: int) -> None:
        self.most, self.taken = most, 0

    def enter(self) -> None:
        """Take a place; `leave` gives it back.

        Raises:
            Problem: 503, all are taken.
        """
        if self.taken >= self.most:
            raise Problem(
                503,
                f"{self.most} requests are being answered. Come back in 1 s.",
                headers={"Retry-After": "1"},
            )
        self.taken += 1

    def leave(self) -> None:
        """Give the place back."""
        self.taken -= 1
