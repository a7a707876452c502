"""The plant's state as the store has it: read beside the requests, and kept for as long as the store is away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from sqlalchemy import Connection, select

from forestall.serving.api.logs import LOG, say
from forestall.serving.api.metric import Metric
from forestall.serving.api.service import Service, Serving
from forestall.serving.store.errors import StoreError

EVERY, PATIENCE = 15.0, 4.0  # seconds: between two readings; that a scrape waits for one


@dataclass(frozen=True)
class Sample:
    """A value of a declared metric, with the values of its labels in their order."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.metric.labels):
            raise ValueError(f"{self.metric.name} has the labels {self.metric.labels}, not {self.labels}.")


# Tells a part of the state, of what answers now and one look at its store.
Collector = Callable[[Serving, Connection], Iterable[Sample]]


class State:
    """What collectors said of the store when it was last read; untold: those that could not, for a fault of their own.

    Args:
        now: a clock in seconds that only goes forward: another time of day changes nothing here.
    """

    def __init__(
        self,
        service: Service,
        collectors: Sequence[Collector],
        threads: Executor,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.service, self.collectors, self.threads, self.now = service, collectors, threads, now
        self.samples: list[Sample] = []
        self.read_at: float | None = None
        self.untold: list[Collector] = []
        self._answered, self._begun = False, 0.0
        self._reading: asyncio.Future[None] | None = None

    @property
    def up(self) -> bool:
        """Whether the store answered when it was last asked, and is not being waited for in vain."""
        return self._answered and not (self.busy and self.now() - self._begun > PATIENCE)

    @property
    def busy(self) -> bool:
        """Whether it is being read now."""
        return self._reading is not None and not self._reading.done()

    async def refresh(self) -> None:
        """Read it again if that is due, and wait for it, but not long: a store that hangs is known to hang."""
        reading = self._reading
        if reading is None or (reading.done() and self.now() - self._begun >= EVERY):
            self._begun = self.now()
            reading = asyncio.get_running_loop().run_in_executor(self.threads, self._read)
            self._reading = reading
        await asyncio.wait([reading], timeout=max(0.0, self._begun + PATIENCE - self.now()))

    def _read(self) -> None:
        serving = self.service.champion.serving
        found: list[Sample] = []
        untold: list[Collector] = []
        try:
            if serving is not None:
                for collector in self.collectors:
                    found += self._told(collector, serving, untold)
            with self.service.store.reading() as connection:
                connection.execute(select(1))
        except StoreError as error:
            self._answered = False
            self.service.counters.state_errors.inc()
            say("state not read", logging.ERROR, problem=str(error))
            return
        self.samples, self.untold, self.read_at, self._answered = found, untold, time.time(), True

    def _told(self, collector: Collector, serving: Serving, untold: list[Collector]) -> list[Sample]:
        """What a collector cannot tell for a fault of its own is counted, and hides nothing of the others."""
        try:
            with serving.store.reading() as connection:
                return list(collector(serving, connection))
        except StoreError:
            raise
        except Exception:
            LOG.exception("state not told")
            self.service.counters.state_errors.inc()
            untold.append(collector)
            return []
