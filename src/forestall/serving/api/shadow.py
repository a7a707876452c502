"""Scoring beside the champion: copies of what it scored and answered wait in short queues.

What does not fit into a queue is dropped and counted. The champion comes first: decisions are scored while it has none
that are due, and histories while no request is being answered. Of vectors 160 a second are, in pieces that take a
hundredth of the time: the requests' 99th percentile does not feel them.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from threading import Event

from forestall.serving.api.aside import Aside
from forestall.serving.api.challenger import Challenger
from forestall.serving.api.counters import Counters
from forestall.serving.api.logs import say
from forestall.serving.api.shadow_requests import (
    AskedHistory,
    AskedVectors,
    Said,
    of_histories,
    of_vectors,
    rows_of,
)
from forestall.serving.live_plan import Written
from forestall.serving.store.errors import StoreError

MACHINES = 50_000  # that may wait: more than a plant has at one decision
ROWS = 20_000  # of histories that wait
VECTORS, AT_ONCE, RESPITE = 256, 8, 0.05  # rows that wait; scored at once; seconds between two pieces


class Shadow:
    """What a challenger does beside a champion.

    Args:
        quiet: whether no request is being answered.
    """

    def __init__(self, challenger: Challenger, counters: Counters, quiet: Callable[[], bool]) -> None:
        self.challenger, self.counters = challenger, counters
        self.idle = Event()  # the champion has scored all that is due
        self.written: Aside[Written] = Aside(MACHINES, 1, self._score, lambda _: self.idle.is_set())
        self.vectors: Aside[AskedVectors] = Aside(VECTORS, AT_ONCE, self._answer_vectors, respite=RESPITE)
        self.histories: Aside[AskedHistory] = Aside(ROWS, 1, self._answer_histories, lambda _: quiet())

    def begin(self) -> None:
        """Begin to work."""
        for queue in (self.written, self.vectors, self.histories):
            queue.begin()

    def end(self) -> None:
        """Work no more."""
        for queue in (self.written, self.vectors, self.histories):
            queue.end()

    def take_turns(self, champion_works: bool) -> None:
        """The champion has scored something, and may have more to do; or it has nothing to do."""
        (self.idle.clear if champion_works else self.idle.set)()

    def hear(self, written: Written) -> None:
        """Take what the champion has scored and stored."""
        machines = len(written.due.machines)
        if self.challenger.in_shadow is not None and not self.written.offer(written, machines):
            self.counters.shadow_decisions.labels("dropped").inc(machines)

    def ask_vectors(self, asked: AskedVectors) -> None:
        """Take features that the champion has answered."""
        if self.challenger.in_shadow is not None and not self.vectors.offer(asked, len(asked.features)):
            self.counters.shadow_requests.labels("dropped").inc()

    def ask_history(self, asked: AskedHistory) -> None:
        """Take a history that the champion has answered."""
        if self.challenger.in_shadow is not None and not self.histories.offer(asked, rows_of(asked)):
            self.counters.shadow_requests.labels("dropped").inc()

    def _score(self, taken: list[Written]) -> None:
        for one in taken:
            if (challenger := self.challenger.beside_model(one.model)) is None:
                continue
            begun = time.perf_counter()
            try:
                problem = challenger.live.score(one)
            except Exception as error:  # the store's, or whatever else kept its risks from being written
                problem = str(error) if isinstance(error, StoreError) else f"{type(error).__name__}: {error}"
            outcome = "failed" if problem else "scored"
            self.counters.shadow_decisions.labels(outcome).inc(len(one.due.machines))
            self._spent("live", begun, problem)

    def _answer_vectors(self, taken: list[AskedVectors]) -> None:
        if (challenger := self.challenger.in_shadow) is not None:
            begun = time.perf_counter()
            self._answered(of_vectors(taken, challenger.bundle), begun)

    def _answer_histories(self, taken: list[AskedHistory]) -> None:
        if (challenger := self.challenger.in_shadow) is not None:
            begun = time.perf_counter()
            self._answered(of_histories(taken, challenger.stateless), begun)

    def _answered(self, found: list[Said], begun: float) -> None:
        for outcome, count in Counter(outcome for outcome, _ in found).items():
            self.counters.shadow_requests.labels(outcome).inc(count)
        self._spent("request", begun, next((problem for _, problem in found if problem), ""))

    def _spent(self, of: str, begun: float, problem: str) -> None:
        self.counters.shadow_seconds.labels(of).inc(time.perf_counter() - begun)
        if problem:
            say("challenger failed", logging.ERROR, of=of, problem=problem)
