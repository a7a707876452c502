"""A challenger scores what the champion has scored, from the same store, and nobody sees what it thinks."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from forestall.serving.live import Live, Scored
from forestall.serving.live_plan import Due, Written, was_ahead
from forestall.serving.store.errors import StoreError
from forestall.serving.store.shadows import (
    Shadow,
    add_to_shadow,
    keep_baselines,
    unscored,
    write_shadow_risks,
)


@dataclass(frozen=True)
class LiveShadow:
    """A challenger at work over the champion's store. placed: when it was put there, in seconds since 1970."""

    live: Live
    placed: int

    def score(self, written: Written) -> str:
        """Score the same decisions of the same machines; what went wrong with that, empty if nothing did.

        Raises:
            StoreError: the database does not do its part; nothing is noted then.
        """
        begun, scored, problem = time.perf_counter(), None, ""
        # What the champion stored has forgotten the baselines that were unsettled.
        due = replace(
            written.due, machines=tuple(replace(one, unsettled=None) for one in written.due.machines)
        )
        try:
            with self.live.store.reading() as connection:
                scored = self.live.scored(connection, due)
        except StoreError:
            raise
        except Exception as error:  # whatever a challenger does wrong is the challenger's, and noted
            problem = f"{type(error).__name__}: {error}"
        self._write(written, scored, time.perf_counter() - begun, problem)
        return problem

    def _write(self, written: Written, scored: Scored | None, seconds: float, problem: str) -> None:
        due, live = written.due, self.live
        spans = live.bundle.reference.spans
        seen = {one.number: one for one in due.machines}
        count = len(seen)
        done = Shadow(
            live.model, written.model, self.placed, due.last, count, seconds, written.seconds,
            0 if scored else count, problem,
        )  # fmt: skip
        decided = (
            scored.decided if scored else unscored(list(seen), _decisions(due, spans.every), live.bundle)
        )
        ahead = [number for number, one in seen.items() if was_ahead(one, due.until, spans)]
        with live.store.writing() as connection:
            add_to_shadow(connection, done)
            write_shadow_risks(connection, live.model, decided, ahead)
            if scored:
                keep_baselines(connection, scored.renewed.new, seen, live.bundle)


def _decisions(due: Due, every: int) -> list[int]:
    return list(range(due.first, due.until + 1, every))
