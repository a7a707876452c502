"""Each decision's inputs are counted once, as the batch has them, whatever is scored again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forestall.features.baselines import own_baselines
from forestall.features.labels import OPINION, opinions
from forestall.features.matrix import feature_matrix
from forestall.monitoring.watched import WatchedInputs
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.opinions import history_of
from forestall.serving.store.database import Store
from forestall.serving.store.input_counts import CountedWeeks, WeekCounts, add_counts, counts_between
from forestall.serving.store.machines import known_machines
from tests import plant
from tests.serving.feeding import between, send

MACHINES, DAYS = 6, 34
EVENTS = plant.events(MACHINES, 60)
FRAME = plant.with_signal(plant.telemetry(MACHINES, DAYS), EVENTS)
END = int(FRAME["time"].max())
SINCE = plant.START + 17 * plant.DAY  # a week begins


def counted(store: Store, counter: WatchedInputs) -> CountedWeeks:
    with store.reading() as connection:
        return counts_between(connection, counter.kind, counter.bins.size, 0, 2**60)


def play(store: Store, bundle: Bundle, counter: WatchedInputs, late: pd.DataFrame | None = None) -> Live:
    """Readings come by the half day; `late` ones at the end."""
    clock = [SINCE]
    live = Live.over(store, bundle, lambda: clock[0], counter)
    frame = FRAME if late is None else FRAME.drop(late.index)
    send(store, between(frame, 0, SINCE), bundle)
    live.score_due()
    while clock[0] < END:
        low, clock[0] = clock[0], min(clock[0] + plant.DAY // 2, END)
        send(store, between(frame, low, clock[0]), bundle)
        live.score_due()
    return live


def test_counts_are_the_batch_s(store: Store, bundle: Bundle, counter: WatchedInputs) -> None:
    play(store, bundle, counter)
    found = counted(store, counter)
    events = plant.events(MACHINES, 60)
    empty = {
        name: getattr(events, name).iloc[:0] for name in ("errors", "maintenance", "failures", "downtime")
    }
    history = history_of(FRAME, type(events)(machines=events.machines, **empty), bundle, END)
    spans = bundle.reference.spans
    own = own_baselines(history, spans, bundle.reference.condition_places)
    features, told = feature_matrix(history, own, bundle.reference), opinions(history, spans) == OPINION
    decisions = history.decisions(spans)
    # What was before a machine was first scored is judged over one horizon only.
    fresh = decisions > SINCE
    assert len(found.machine) >= 3 * MACHINES
    for machine, start, counts in zip(found.machine, found.start, found.counts, strict=True):
        if start <= SINCE:
            continue
        row = history.machines.index(machine)
        week = fresh & told[row] & (decisions // counter.length * counter.length == start)
        rows = features[row, week]
        expected = counter.counts(rows, np.zeros(len(rows), dtype=np.int64), 1)[0]
        assert counts.tolist() == expected.tolist()


def test_what_is_scored_again_is_not_counted_again(
    store: Store, bundle: Bundle, counter: WatchedInputs
) -> None:
    late = FRAME[
        (FRAME["machine"] == "m1")
        & (FRAME["time"] > END - 6 * plant.HOUR - plant.DAY)
        & (FRAME["time"] < END - plant.DAY)
    ]
    live = play(store, bundle, counter, late)
    before = counted(store, counter)
    send(store, late, bundle)
    assert live.score_due() == 1
    after = counted(store, counter)
    assert (after.counts == before.counts).all() and after.start.tolist() == before.start.tolist()


def test_what_two_scorers_count_at_once_counts_once(store: Store) -> None:
    with store.writing() as connection:
        number = next(iter(known_machines(connection).values())).number
        ones = np.ones(3, dtype=np.int32)
        add_counts(connection, "k", [WeekCounts(number, 0, 10, 20, ones)])
        add_counts(connection, "k", [WeekCounts(number, 0, 10, 20, ones)])
        add_counts(
            connection,
            "k",
            [WeekCounts(number, 0, 30, 40, 2 * ones), WeekCounts(number, 100, 110, 110, ones)],
        )
        add_counts(connection, "other", [WeekCounts(number, 0, 10, 20, 7 * ones)])
        found = counts_between(connection, "k", 3, 0, 200)
        assert (found.start.tolist(), found.counts.tolist()) == ([0, 100], [[3, 3, 3], [1, 1, 1]])
        assert len(counts_between(connection, "k", 3, 1, 99).start) == 0


def test_without_a_reference_nothing_is_counted(store: Store, bundle: Bundle, counter: WatchedInputs) -> None:
    send(store, between(FRAME, 0, SINCE), bundle)
    assert Live.over(store, bundle, None).score_due() == MACHINES
    assert len(counted(store, counter).start) == 0
