"""Scoring in service: which machines are due, and what is thought of them and raised about them, kept in the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from forestall.data.events import Events, absent_pairs
from forestall.features import labels, matrix
from forestall.features.history import History, Ints
from forestall.features.reference import Matrix
from forestall.serving.bundle import Bundle
from forestall.serving.input_counter import InputCounter, counted
from forestall.serving.live_alarms import AlarmRules
from forestall.serving.live_baselines import Renewed, renewed
from forestall.serving.live_plan import Due, Written, plan, was_ahead
from forestall.serving.opinions import Latest, Opinion, latest, opinions_at
from forestall.serving.reach import before_decision
from forestall.serving.store.baselines import forget_baselines, write_baselines
from forestall.serving.store.database import Store
from forestall.serving.store.input_counts import WeekCounts, add_counts
from forestall.serving.store.machines import Machine, known_machines, latest_reading, mark_scored
from forestall.serving.store.opinions import (
    DecisionRisks,
    forget_risks,
    model_number,
    write_opinions,
    write_risks,
)
from forestall.serving.stored_history import stored_history

MACHINES_AT_A_TIME = 200
# Features [machines, decisions, features] and why there is no opinion, [machines, decisions].
Before = tuple[Matrix, npt.NDArray[np.object_]]
Told = Callable[[Sequence[Opinion]], None]


def _nobody(_: object) -> None:
    pass


@dataclass(frozen=True)
class Scored:
    """What scoring gives: opinions at the last decision, risks at all, baselines that were renewed, inputs counted."""

    opinions: list[Opinion]
    decided: list[DecisionRisks]
    events: Events
    renewed: Renewed
    weeks: list[WeekCounts]


@dataclass(frozen=True)
class Live:
    """A bundle at work over a store.

    now: the time in ticks; None where the data are a recording, and time stands at their latest reading. Machines with
    clocks of their own are each at their own latest reading in any case. counter: counts inputs for monitoring; None
    where the bundle has no reference to compare them with. told: hears of opinions that were written; beside: of what
    was scored, when it is stored.
    """

    store: Store
    bundle: Bundle
    now: Callable[[], int] | None
    model: int
    counter: InputCounter | None = None
    told: Told = _nobody
    beside: Callable[[Written], None] = _nobody

    @classmethod
    def over(
        cls,
        store: Store,
        bundle: Bundle,
        now: Callable[[], int] | None,
        counter: InputCounter | None = None,
        told: Told = _nobody,
        beside: Callable[[Written], None] = _nobody,
    ) -> Live:
        """The bundle over a store, which has a place for its sensors then."""
        own = store.for_bundle(bundle)
        with own.writing() as connection:
            return cls(own, bundle, now, model_number(connection, bundle), counter, told, beside)

    def due(self) -> list[str]:
        """The machines of which something new is to be thought."""
        with self.store.reading() as connection:
            return self.due_of(connection)

    def due_of(self, connection: Connection) -> list[str]:
        """The same, of one look at the store."""
        plan = self._plan(connection, known_machines(connection).values())
        return [machine.name for due in plan for machine in due.machines]

    def score(self, names: Sequence[str]) -> int:
        """Score those of the machines that are due, whole or not at all a machine; how many that were.

        Raises:
            StoreError: the database does not do its part; what was scored until then stays.
        """
        count = 0
        for start in range(0, len(names), MACHINES_AT_A_TIME):
            wanted = list(names[start : start + MACHINES_AT_A_TIME])
            while wanted:
                with self.store.reading() as connection:
                    plan = self._plan(connection, known_machines(connection, wanted).values())
                    found = [(due, *self._timed(connection, due)) for due in plan]
                for due, result, seconds in found:
                    self._write(due, result)
                    self.beside(Written(due, self.model, seconds))
                    count += len(due.machines)
                # Those that were behind by more than a piece go on with the next.
                wanted = [one.name for due in plan if due.until < due.last for one in due.machines]
        return count

    def score_due(self) -> int:
        """Score all machines that are due; how many that were; raises as `score` does."""
        return self.score(self.due())

    def score_some(self) -> int:
        """Score some of the machines that are due, if this is the one of several services that scores now.

        Returns:
            How many that were: 0 says that there is nothing to do for this one now.

        Raises:
            StoreError: as `score`.
        """
        with self.store.leading() as leads:
            return self.score(self.due()[:MACHINES_AT_A_TIME]) if leads else 0

    def time(self, connection: Connection) -> int | None:
        """The fleet's time in ticks; None if there is none yet."""
        return latest_reading(connection) if self.now is None else self.now()

    def known_until(self, connection: Connection) -> int:
        """Up to when events are known, in ticks. A recording's tables may go on after its readings: that is its future.

        The readings of the newest events may come a little later than these.
        """
        reference = self.bundle.reference
        if self.now is not None or reference.own_clocks:
            return 2**62
        newest = latest_reading(connection)
        return 2**62 if newest is None else newest + reference.spans.stale

    def _plan(self, connection: Connection, machines: Iterable[Machine]) -> list[Due]:
        return plan(machines, self.time(connection), self.bundle.reference, self.model)

    def _timed(self, connection: Connection, due: Due) -> tuple[Scored, float]:
        begun = time.perf_counter()
        return self.scored(connection, due), time.perf_counter() - begun

    def scored(self, connection: Connection, due: Due) -> Scored:
        """What the machines' histories say; the same as the batch, to the last bit."""
        reference = self.bundle.reference
        span = (due.first - before_decision(self.bundle), due.until)
        history = stored_history(connection, self.store, due.machines, span, self.bundle)
        by_name = {machine.name: machine for machine in due.machines}
        machines = [by_name[name] for name in history.machines]
        decisions = np.arange(due.first, due.until + 1, reference.spans.every)
        held = renewed(connection, self.store, machines, decisions, self.bundle)
        now = latest(history, held.own, self.bundle)
        opinions = opinions_at(
            now, self.bundle, absent_pairs(history.events.machines, self.bundle.plant.dataset)
        )
        before = self._before(history, held, len(decisions) - 1)
        decided = list(self._earlier(history, machines, decisions[:-1], before))
        decided += self._decided(machines, now, opinions, due.until)
        weeks = self._counted(machines, decisions, before, now)
        return Scored(opinions, decided, history.events, held, weeks)

    def _before(self, history: History, held: Renewed, count: int) -> Before:
        """At so many decisions before the last."""
        reference, machines = self.bundle.reference, len(history.machines)
        if not count:
            features = np.empty((machines, 0, len(reference.features)), dtype=np.float32)
            return features, np.empty((machines, 0), dtype=object)
        steps = slice(-1 - count, -1)
        features = matrix.feature_matrix(history, held.own, reference)[:, steps]
        return features, labels.opinions(history, reference.spans)[:, steps]

    def _counted(
        self, machines: Sequence[Machine], decisions: Ints, before: Before, now: Latest
    ) -> list[WeekCounts]:
        if self.counter is None:
            return []
        features = np.concatenate([before[0], now.features[:, None]], axis=1)
        no_opinion = np.concatenate([before[1], now.no_opinion[:, None]], axis=1)
        return counted(self.counter, machines, decisions, features, no_opinion)

    def _earlier(
        self, history: History, machines: Sequence[Machine], decisions: Ints, before: Before
    ) -> Iterator[DecisionRisks]:
        """What was to be thought at decisions before the last."""
        if not len(decisions):
            return
        absent = absent_pairs(history.events.machines, self.bundle.plant.dataset)
        features, no_opinion = before
        curves = self.bundle.curves(features.reshape(-1, features.shape[2]))
        curves = curves.reshape(*no_opinion.shape, *curves.shape[1:])
        for row, machine in enumerate(machines):
            lacking = [(machine.name, component) in absent for component in self.bundle.components]
            for step, decision in enumerate(decisions.tolist()):
                known = curves[row, step].copy()
                known[slice(None) if no_opinion[row, step] else lacking] = np.nan
                yield DecisionRisks(machine.number, decision, no_opinion[row, step], known)

    def _decided(
        self, machines: Sequence[Machine], now: Latest, opinions: Sequence[Opinion], decision: int
    ) -> Iterator[DecisionRisks]:
        shape = (len(machines), len(self.bundle.components), len(self.bundle.reference.spans.horizons))
        curves: Matrix = np.full(shape, np.nan, dtype=np.float32)
        for position, one in enumerate(opinions):
            if one.curve:
                curves[divmod(position, shape[1])] = one.curve
        for machine, no_opinion, known in zip(machines, now.no_opinion, curves, strict=True):
            yield DecisionRisks(machine.number, decision, no_opinion, known)

    def _write(self, due: Due, scored: Scored) -> None:
        """Write it, in one transaction; not of machines that were meanwhile scored from a later state."""
        seen = {machine.name: machine for machine in due.machines}
        with self.store.writing() as connection:
            fresh = set(mark_scored(connection, seen, due.until, self.model))
            numbers = {name: seen[name].number for name in fresh}
            kept = set(numbers.values())
            unsettled = {one.number: one.unsettled for one in due.machines if one.unsettled is not None}
            forget_baselines(connection, {n: time for n, time in unsettled.items() if n in kept})
            new = {at: value for at, value in scored.renewed.new.items() if at[0] in kept}
            write_baselines(connection, new, self.bundle)
            decided = [one for one in scored.decided if one.number in kept]
            spans = self.bundle.reference.spans
            ahead = [one.number for one in due.machines if was_ahead(one, due.until, spans)]
            forget_risks(connection, kept.intersection(ahead), due.until)
            write_risks(connection, self.model, decided)
            if self.counter is not None:
                add_counts(connection, self.counter.kind, [one for one in scored.weeks if one.number in kept])
            opinions = [one for one in scored.opinions if one.machine in fresh]
            write_opinions(connection, numbers, opinions)
            names = {number: name for name, number in numbers.items()}
            rules = AlarmRules(self.bundle, scored.events, due.first, due.until)
            rules.apply(connection, names, decided, int(time.time()))
        self.told(opinions)
