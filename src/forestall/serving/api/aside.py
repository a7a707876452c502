"""Work that is done beside what people wait for: a short queue that nobody waits for, and the thread behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from forestall.serving.api.logs import LOG

PAUSE = 0.05  # seconds between two looks at a queue
T = TypeVar("T")


class Aside(Generic[T]):
    """A queue and its thread.

    Args:
        most: what may wait, by weight. at_once: what is taken at once.
        work: what is done with it.
        may: whether the first that waits may be taken now.
        respite: seconds between two pieces of work.
    """

    def __init__(
        self,
        most: int,
        at_once: int,
        work: Callable[[list[T]], None],
        may: Callable[[T], bool] = lambda _: True,
        respite: float = 0.0,
    ) -> None:
        self.most, self.at_once, self.work, self.may, self.respite = most, at_once, work, may, respite
        self.waiting: deque[tuple[T, int]] = deque()
        self.weight, self.turn, self.ended = 0, Lock(), Event()

    def offer(self, one: T, weight: int = 1) -> bool:
        """Add it, from any thread, if there is room; whether there was."""
        with self.turn:
            if self.weight + weight > self.most:
                return False
            self.weight += weight
            self.waiting.append((one, weight))
            return True

    def begin(self) -> None:
        """Start the thread. It ends with the process, wherever it is: who waits for it might wait for ever."""
        Thread(target=self._again, daemon=True, name="aside").start()

    def end(self) -> None:
        """Take no more."""
        self.ended.set()

    def _again(self) -> None:
        while not self.ended.wait(PAUSE):
            while taken := self._take():
                try:
                    self.work(taken)
                except Exception:
                    LOG.exception("not done beside")
                if self.ended.wait(self.respite):
                    return

    def _take(self) -> list[T]:
        taken: list[T] = []
        weight = 0
        with self.turn:
            while self.waiting and weight < self.at_once and self.may(self.waiting[0][0]):
                one, more = self.waiting.popleft()
                taken.append(one)
                weight += more
            self.weight -= weight
        return taken
