"""What scores in shadow gives what it would as champion, to the last bit, and changes nothing of what people see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import func, select

from forestall.data.events import absent_pairs
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.live import Live
from forestall.serving.store.baselines import kind_of, stored_baselines
from forestall.serving.store.database import Store
from forestall.serving.store.machines import known_machines
from forestall.serving.store.shadows import UNSCORED, keep_baselines, shadow_of
from forestall.serving.store.tables import baselines, current, risks
from tests import plant
from tests.serving import challengers
from tests.serving.challengers import Beside, beside, shadow_rows
from tests.serving.conftest import Made, empty_store
from tests.serving.feeding import batch_of, between, events_between, send, send_events
from tests.serving.store.stores import Addresses
from tests.serving.test_live import END, EVENTS, FRAME, STEP, Clock, alarms_kept

SINCE = END - 7 * plant.DAY


@pytest.fixture(scope="module")
def other(made: Made, bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(challengers.other(tmp_path_factory.mktemp("other") / "bundle", bundle_folder, made))


@pytest.fixture(scope="module")
def broken(made: Made, bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(challengers.broken(tmp_path_factory.mktemp("broken") / "bundle", bundle_folder, made))


@pytest.fixture
def stores(addresses_of_a_kind: Addresses, bundle: Bundle) -> Iterator[tuple[Store, Store]]:
    """Two alike."""
    both = (empty_store(addresses_of_a_kind.new(), bundle), empty_store(addresses_of_a_kind.new(), bundle))
    yield both
    for one in both:
        one.close()


def replay(
    store: Store, bundle: Bundle, challenger: Bundle | None, late: pd.DataFrame, steps: int = 4
) -> Beside | None:
    """Send the history, `late` rows half a day later; from SINCE on the challenger stands beside the champion."""
    clock = Clock(plant.START)
    live = Live.over(store, bundle, clock)
    found = None if challenger is None else beside(store, challenger, clock)
    frame = FRAME.drop(late.index)
    while clock.time < END:
        low = clock.time
        clock.time = min(low + (40 if low < SINCE else steps) * STEP, END)
        clock.time = SINCE if low < SINCE < clock.time else clock.time
        send(store, between(frame, low, clock.time), bundle)
        send_events(store, events_between(EVENTS, low, clock.time), bundle)
        send(store, between(late, low - plant.DAY // 2, clock.time - plant.DAY // 2).iloc[::-1], bundle)
        if found is not None and clock.time >= SINCE:
            live = replace(live, beside=found)
        live.score_due()
    send(store, late, bundle)
    live.score_due()
    return found


def some_late() -> pd.DataFrame:
    late = FRAME[np.random.default_rng(5).random(len(FRAME)) < 0.1]
    return late[late["time"].between(END - 6 * plant.DAY, END, inclusive="left")]


def seen(store: Store) -> list[object]:
    """All that people see of what is thought."""
    with store.reading() as connection:
        thought = [list(connection.execute(select(*t.c).order_by(*t.primary_key))) for t in (current, risks)]
    return [*thought, alarms_kept(store)]


def test_it_gives_the_bits_of_the_challengers_batch_whatever_comes_late(
    store: Store, bundle: Bundle, other: Bundle
) -> None:
    found = replay(store, bundle, other, some_late())
    assert found is not None and found.problems == []
    batch, absent = batch_of(FRAME, EVENTS, other), absent_pairs(EVENTS.machines, other.plant.dataset)
    rows = [row for row in shadow_rows(store, found.challenger.live.model) if row[1] > SINCE]
    assert len(rows) == 6 * (END - SINCE) // STEP
    step = {int(time): number for number, time in enumerate(batch.decisions)}
    for machine, time, no_opinion, curves in rows:
        m, t = batch.machines.index(machine), step[time]
        assert no_opinion == batch.no_opinion[m, t]
        expected = batch.curves[m, t].copy()
        lacking = [(machine, component) in absent for component in other.components]
        expected[slice(None) if no_opinion else lacking] = np.nan
        assert np.frombuffer(curves, dtype="<f4").tobytes() == expected.astype("<f4").tobytes(), (
            machine,
            time,
        )


def test_people_see_the_same_with_and_without_it(
    stores: tuple[Store, Store], bundle: Bundle, other: Bundle
) -> None:
    replay(stores[0], bundle, None, some_late())
    found = replay(stores[1], bundle, other, some_late())
    assert found is not None and seen(stores[0]) == seen(stores[1])
    with stores[1].reading() as connection:
        kept = select(func.count()).where(baselines.c.kind == kind_of(other))
        assert kind_of(other) != kind_of(bundle) and connection.execute(kept).scalar_one() > 6
        one = shadow_of(connection, found.challenger.live.model)
    assert one is not None and one.failures == 0 and one.since == SINCE
    assert one.machines >= 6 * 14 and one.seconds > 0 < one.champion_seconds


def test_one_that_fails_is_noted_and_changes_nothing(
    stores: tuple[Store, Store], bundle: Bundle, broken: Bundle
) -> None:
    none = FRAME.iloc[:0]
    replay(stores[0], bundle, None, none, steps=40)
    found = replay(stores[1], bundle, broken, none, steps=40)
    assert found is not None and found.problems and seen(stores[0]) == seen(stores[1])
    model = found.challenger.live.model
    rows = shadow_rows(stores[1], model)
    assert rows and {row[2] for row in rows} == {UNSCORED}
    with stores[1].reading() as connection:
        one = shadow_of(connection, model)
    assert one is not None and one.failures == one.machines > 0 and one.problem == found.problems[-1]


def test_put_there_again_or_beside_another_champion_it_begins_anew(
    store: Store, bundle: Bundle, other: Bundle, broken: Bundle
) -> None:
    clock = Clock(SINCE)
    send(store, between(FRAME, 0, SINCE + 2 * STEP), bundle)
    first, again = beside(store, other, clock, placed=5), beside(store, other, clock, placed=9)
    live = Live.over(store, bundle, clock)
    for scored, time in ((first, SINCE), (first, SINCE + STEP), (again, SINCE + 2 * STEP)):
        clock.time = time
        replace(live, beside=scored).score_due()
        with store.reading() as connection:
            one = shadow_of(connection, first.challenger.live.model)
        assert one is not None
        assert (one.machines, one.since, one.placed) == {
            SINCE: (6, SINCE, 5), SINCE + STEP: (12, SINCE, 5), SINCE + 2 * STEP: (6, SINCE + 2 * STEP, 9)
        }[time]  # fmt: skip
    assert {row[1] for row in shadow_rows(store, first.challenger.live.model)} == {SINCE + 2 * STEP}
    Live.over(
        store, replace(bundle, manifest=bundle.manifest | {"revision": "2"}), clock, beside=again
    ).score_due()
    with store.reading() as connection:
        one = shadow_of(connection, first.challenger.live.model)
    assert one is not None and one.champion != live.model and one.machines == 6


def test_a_baseline_that_late_readings_may_alter_is_not_kept(
    store: Store, bundle: Bundle, other: Bundle
) -> None:
    send(store, between(FRAME, 0, SINCE), bundle)
    Live.over(store, bundle, lambda: SINCE).score_due()
    with store.reading() as connection:
        seen_then = {one.number: one for one in known_machines(connection).values()}
    value = np.ones((len(other.reference.sensors), 2))
    first, *_ = sorted(seen_then)
    at = (first, SINCE)
    with store.writing() as connection:
        keep_baselines(connection, {at: value}, seen_then, other)
        assert list(stored_baselines(connection, [first], [SINCE], other)) == [at]
        connection.execute(baselines.delete())
    later = between(FRAME, SINCE, SINCE + STEP)
    send(store, later, bundle)
    with store.writing() as connection:  # what is later than the renewal alters nothing
        keep_baselines(connection, {at: value}, seen_then, other)
        assert list(stored_baselines(connection, [first], [SINCE], other)) == [at]
        connection.execute(baselines.delete())
    name = seen_then[first].name
    early = FRAME[FRAME["machine"] == name].iloc[:1].assign(time=int(FRAME["time"].min()) - plant.HOUR)
    send(store, early, bundle)
    with store.writing() as connection:
        keep_baselines(connection, {at: value}, seen_then, other)
        assert stored_baselines(connection, [first], [SINCE], other) == {}
    Live.over(store, bundle, lambda: SINCE).score_due()  # the champion has settled it, by what is known now
    with store.writing() as connection:
        keep_baselines(connection, {at: value}, seen_then, other)
        assert stored_baselines(connection, [first], [SINCE], other) == {}
