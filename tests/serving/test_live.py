"""Scoring in service gives the batch's risks to the last bit, and the alarms that the rules make of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.data.events import Events, absent_pairs
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.store.alarms import AlarmFilter, list_alarms
from forestall.serving.store.database import Store
from forestall.serving.store.opinions import OpinionFilter, opinions_about, ranked
from forestall.serving.times import decision_at
from forestall.training.alarms import open_alarms
from forestall.training.series import Rules, risk_matrix, series_of
from tests import plant
from tests.serving.feeding import (
    Batch,
    batch_of,
    between,
    events_between,
    send,
    send_events,
    trends,
)

MACHINES, DAYS = 6, 34
STOPS = pd.DataFrame({"machine": ["m1", "m2", "m4"], "start": [14, 20, 33], "end": [15, 22, 60]}).astype(
    {"machine": object}
)
SILENT = {"m3": 1, "m5": 2}  # hours before the end at which their readings stop
STEP = 3 * plant.HOUR
MANY = 40  # decisions
LATELY = plant.START + 20 * plant.DAY


def history() -> tuple[pd.DataFrame, Events]:
    """Readings with gaps and stops, and events; at the end one machine stands still, and others fell silent."""
    events = plant.events(MACHINES, DAYS)
    stops = STOPS.assign(
        start=plant.START + STOPS["start"] * plant.DAY, end=plant.START + STOPS["end"] * plant.DAY
    )
    frame = plant.with_signal(plant.telemetry(MACHINES, DAYS), events)
    gone = np.random.default_rng(3).random(len(frame)) < 0.05
    for machine, start, end in stops.itertuples(index=False):
        gone |= ((frame["machine"] == machine) & (frame["time"] > start) & (frame["time"] < end)).to_numpy()
    end = frame["time"].max()
    for machine, hours in SILENT.items():
        gone |= ((frame["machine"] == machine) & (frame["time"] > end - hours * plant.HOUR)).to_numpy()
    gone &= ~((frame["machine"] == "m0") & (frame["time"] == end)).to_numpy()
    return frame[~gone].reset_index(drop=True), replace(events, downtime=stops)


FRAME, EVENTS = history()
END = int(FRAME["time"].max())


@pytest.fixture(scope="module")
def batch(bundle: Bundle) -> Batch:
    return batch_of(FRAME, EVENTS, bundle)


class Clock:
    """A time that a test sets."""

    def __init__(self, time: int) -> None:
        self.time = time

    def __call__(self) -> int:
        return self.time


def replay(
    store: Store, bundle: Bundle, steps: int, late: pd.DataFrame | None = None, since: int = plant.START
) -> Live:
    """Send the history in time order, `steps` decisions at a time, and score after each; `late` rows a day later.

    Until `since` many decisions are taken at once.
    """
    clock = Clock(plant.START)
    live = Live.over(store, bundle, clock)
    frame = FRAME if late is None else FRAME.drop(late.index)
    while clock.time < END:
        # The first decision by itself: what was before a machine was first scored is not judged.
        taken = 1 if clock.time == plant.START else steps if clock.time >= since else MANY
        low, clock.time = clock.time, min(clock.time + taken * STEP, END)
        send(store, between(frame, low, clock.time), bundle)
        send_events(store, events_between(EVENTS, low, clock.time), bundle)
        if late is not None:
            rows = between(late, low - plant.DAY // 2, clock.time - plant.DAY // 2)
            send(store, rows.iloc[::-1], bundle)
        live.score_due()
    if late is not None:
        send(store, late, bundle)
        live.score_due()
    return live


def assert_same(store: Store, batch: Batch, bundle: Bundle) -> None:
    """Every decision that is kept has the batch's bits; all are kept from each machine's first reading on."""
    absent = absent_pairs(EVENTS.machines, bundle.plant.dataset)
    step = {int(time): number for number, time in enumerate(batch.decisions)}
    for (machine, component), points in trends(store, batch, bundle).items():
        row, place = batch.machines.index(machine), bundle.components.index(component)
        assert len(points) >= len(batch.decisions) - 1
        for point in points:
            if point.time not in step:
                continue
            at = step[point.time]
            assert point.no_opinion == batch.no_opinion[row, at], (machine, point.time)
            if point.no_opinion == "" and (machine, component) not in absent:
                found = np.array(point.curve, dtype=np.float32)
                assert found.tobytes() == batch.curves[row, at, place].tobytes(), (machine, point.time)
            else:
                assert point.curve == ()


def alarms_by_rules(batch: Batch, bundle: Bundle) -> set[tuple[str, str, int, int]]:
    """What the rules make of the batch's risks: machine, component, opened, closed."""
    rows = [
        (machine, int(time), batch.curves[m, t, :, -1])
        for m, machine in enumerate(batch.machines)
        for t, time in enumerate(batch.decisions)
        if batch.no_opinion[m, t] == ""
    ]
    decisions = pd.DataFrame({"machine": [row[0] for row in rows], "time": [row[1] for row in rows]})
    absent = absent_pairs(EVENTS.machines, bundle.plant.dataset)
    end = int(batch.decisions[-1])
    series = series_of(
        decisions.astype({"machine": object}),
        bundle.components,
        absent,
        EVENTS.failures,
        EVENTS.maintenance,
        end,
    )
    risk = risk_matrix(series, decisions, np.array([row[2] for row in rows]))
    rules = Rules(bundle.reference.spans.horizon, 2 * plant.HOUR, bundle.plant.quiet)
    frame = open_alarms(series, risk, bundle.thresholds, rules)
    return set(frame[["machine", "component", "opened", "closed"]].itertuples(index=False, name=None))


def alarms_kept(store: Store) -> set[tuple[str, str, int, int]]:
    """The same of the store; those withdrawn apart."""
    with store.reading() as connection:
        kept = list_alarms(connection, AlarmFilter(), 10_000).alarms
    return {
        (one.machine, one.component, one.opened, -1 if one.ended is None else one.ended)
        for one in kept
        if one.end_reason != "withdrawn"
    }


def test_each_decision_has_the_bits_of_the_batch(store: Store, bundle: Bundle, batch: Batch) -> None:
    live = replay(store, bundle, steps=1, since=LATELY)
    assert_same(store, batch, bundle)
    assert live.due() == []
    found = alarms_kept(store)
    assert found == alarms_by_rules(batch, bundle)
    assert len(found) > 20


def test_a_service_that_was_away_catches_up(store: Store, bundle: Bundle, batch: Batch) -> None:
    replay(store, bundle, steps=70)
    assert_same(store, batch, bundle)
    assert alarms_kept(store) == alarms_by_rules(batch, bundle)


def test_late_rows_are_as_if_they_had_come_in_time(store: Store, bundle: Bundle, batch: Batch) -> None:
    late = FRAME[np.random.default_rng(5).random(len(FRAME)) < 0.1]
    late = late[late["time"].between(LATELY, END, inclusive="left")]
    replay(store, bundle, steps=4, late=late, since=LATELY)
    assert_same(store, batch, bundle)
    assert alarms_kept(store) == alarms_by_rules(batch, bundle)


def test_the_ranking_is_of_the_last_decision(store: Store, bundle: Bundle, batch: Batch) -> None:
    replay(store, bundle, steps=100)
    with store.reading() as connection:
        rows = ranked(connection, OpinionFilter(), "risk", 100).opinions
        assert len(rows) == MACHINES * len(bundle.components)
        assert sorted(opinions_about(connection, "m3"), key=str) == sorted(
            (one for one in rows if one.machine == "m3"), key=str
        )
    risks = [one.risk for one in rows if one.risk is not None]
    assert risks == sorted(risks, reverse=True)
    assert all(one.time == batch.decisions[-1] for one in rows)
    for one in rows:
        if one.curve:
            expected = batch.curves[
                batch.machines.index(one.machine), -1, bundle.components.index(one.component)
            ]
            assert one.curve == tuple(expected.tolist())


def test_a_bundle_that_decides_at_other_times_goes_on_where_the_last_one_stopped(
    store: Store, bundle: Bundle
) -> None:
    shifted, clock = deciding(bundle, 2 * plant.HOUR), Clock(END - 2 * plant.DAY)
    send(store, between(FRAME, END - 20 * plant.DAY, END), bundle)
    assert Live.over(store, bundle, clock).score_due() == MACHINES
    over = Live.over(store, shifted, clock)
    assert over.score_due() == MACHINES
    assert over.due() == []
    assert latest_decisions(store) == {decision_at(clock.time, shifted.reference.spans)}
    clock.time += plant.DAY
    assert (over.score_due(), latest_decisions(store)) == (
        MACHINES,
        {decision_at(clock.time, shifted.reference.spans)},
    )
    back = Live.over(store, bundle, clock)
    assert (back.score_due(), back.due()) == (MACHINES, [])
    assert latest_decisions(store) == {decision_at(clock.time, bundle.reference.spans)}


def deciding(bundle: Bundle, offset: int) -> Bundle:
    """The bundle with other decision times."""
    spans = replace(bundle.reference.spans, offset=offset)
    reference, manifest = replace(bundle.reference, spans=spans), bundle.manifest | {"offset": offset}
    return replace(bundle, reference=reference, manifest=manifest)


def latest_decisions(store: Store) -> set[int]:
    with store.reading() as connection:
        return {one.time for one in ranked(connection, OpinionFilter(), "risk", 100).opinions}
