"""Machines that count their own time, plants with no table but their readings, and what else happens in service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.live import Live
from forestall.serving.store.alarm_changes import Change, change_alarm
from forestall.serving.store.alarms import AlarmFilter, list_alarms
from forestall.serving.store.database import Store, open_store
from forestall.serving.store.machines import add_machines, attributes_of
from forestall.serving.store.opinions import opinions_about, trends
from tests import engines, plant
from tests.serving.feeding import batch_of, between, events_between, send, send_events
from tests.serving.store.stores import Addresses

ENGINES = ["5", "9", "23", "31", "1"]
CYCLES, EVENTS = engines.telemetry(), engines.events()
CYCLES = CYCLES[CYCLES["machine"].isin(ENGINES)].reset_index(drop=True)


@pytest.fixture(scope="module")
def counting(counting_folder: Path) -> Bundle:
    return load_bundle(counting_folder)


@pytest.fixture
def garage(addresses_of_a_kind: Addresses, counting: Bundle) -> Iterator[Store]:
    store = open_store(addresses_of_a_kind.new(), counting)
    yield store
    store.close()


def test_each_engine_is_judged_at_its_own_cycle(garage: Store, counting: Bundle) -> None:
    live = Live.over(garage, counting, lambda: 10**9)
    for start in range(0, 250, 10):
        send(garage, between(CYCLES, start, start + 10), counting)
        live.score_due()
    failures = EVENTS.failures[EVENTS.failures["machine"].isin(ENGINES)]
    batch = batch_of(CYCLES, replace(EVENTS, failures=failures), counting)
    last = engines.last_cycles()
    for machine in ENGINES:
        with garage.reading() as connection:
            points = trends(connection, machine, ["machine"], 0)["machine"]
            (opinion,) = opinions_about(connection, machine)
        assert [point.time for point in points] == list(range(1, last[machine] + 1))
        assert opinion.time == last[machine]
        for point in points[30:]:
            expected = batch.curves[batch.machines.index(machine), point.time - 1, 0]
            assert np.array(point.curve, dtype=np.float32).tobytes() == expected.tobytes()
    assert live.due() == []


def test_an_engine_that_failed_has_no_risk(garage: Store, counting: Bundle) -> None:
    live = Live.over(garage, counting, None)
    send(garage, CYCLES, counting)
    live.score_due()
    failures = EVENTS.failures[EVENTS.failures["machine"] == "1"]
    send_events(garage, replace(EVENTS, failures=failures), counting)
    assert live.due() == ["1"]
    live.score_due()
    with garage.reading() as connection:
        (opinion,) = opinions_about(connection, "1")
    assert opinion.no_risk == "history ended with its failure"


FRAME = plant.with_signal(plant.telemetry(6, 30), plant.events(6, 30))
END = int(FRAME["time"].max())


def test_what_comes_days_late_alters_baselines_too(store: Store, bundle: Bundle) -> None:
    events = plant.events(6, 30)
    live = Live.over(store, bundle, None)
    late = (FRAME["time"] > END - 9 * plant.DAY) & (FRAME["time"] < END - 4 * plant.DAY)
    send(store, FRAME[~late], bundle)
    send_events(store, replace(events, failures=events.failures.iloc[::2]), bundle)
    live.score_due()
    send(store, FRAME[late], bundle)
    send_events(store, events, bundle)
    live.score_due()
    batch = batch_of(FRAME, events, bundle)
    with store.reading() as connection:
        for row, machine in enumerate(batch.machines):
            for one in opinions_about(connection, machine):
                if one.curve:
                    expected = batch.curves[row, -1, bundle.components.index(one.component)]
                    assert one.curve == tuple(expected.tolist())
    assert live.due() == []


def test_a_machine_without_a_reading_has_no_opinion_yet(store: Store, bundle: Bundle) -> None:
    live = Live.over(store, bundle, lambda: END)
    assert live.score_due() == 6
    with store.reading() as connection:
        found = {one.component: one.no_risk for one in opinions_about(connection, "m5")}
    assert found == {"pump": "too short a history", "seal": "not applicable"}
    send(store, FRAME, bundle)
    assert live.score_due() == 6
    with store.reading() as connection:
        assert all(one.curve for one in opinions_about(connection, "m0"))


def test_a_machine_that_fell_silent_is_stale(store: Store, bundle: Bundle) -> None:
    live = Live.over(store, bundle, lambda: END + 40 * plant.DAY)
    send(store, FRAME, bundle)
    assert live.score_due() == 6
    with store.reading() as connection:
        assert {one.no_risk for one in opinions_about(connection, "m0")} == {"stale sensors"}


def test_a_reading_after_the_last_decision_waits_for_the_next(store: Store, bundle: Bundle) -> None:
    live = Live.over(store, bundle, lambda: END)
    send(store, between(FRAME, 0, END - 3 * plant.HOUR), bundle)
    live.score_due()
    send(store, FRAME.iloc[:1].assign(time=END + 60), bundle)
    assert live.due() == []
    send(store, between(FRAME, END - 3 * plant.HOUR, END), bundle)
    assert len(live.due()) == 6


def test_a_clock_that_was_ahead_is_forgotten(store: Store, bundle: Bundle) -> None:
    now = [END]
    live = Live.over(store, bundle, lambda: now[0])
    send(store, FRAME, bundle)

    def thought() -> tuple[object, ...]:
        live.score_due()
        with store.reading() as connection:
            points = trends(connection, "m0", ["pump"], 0)["pump"]
            alarms = [
                one
                for one in list_alarms(connection, AlarmFilter(), 500).alarms
                if one.end_reason != "withdrawn"
            ]
            return opinions_about(connection, "m0"), points, alarms

    opinions, points, alarms = thought()
    now[0] = END + 20 * plant.DAY
    assert thought()[0] != opinions
    now[0] = END
    assert thought() == (opinions, points, alarms)
    assert live.due() == []


def test_another_bundle_scores_all_again(store: Store, bundle: Bundle) -> None:
    send(store, FRAME, bundle)
    assert Live.over(store, bundle, None).score_due() == 6
    other = replace(bundle, manifest=bundle.manifest | {"thresholds": {"pump": 0.9, "seal": 0.9}})
    live = Live.over(store, other, None)
    assert live.score_due() == 6
    assert live.due() == []
    with store.reading() as connection:
        assert {one.threshold for one in opinions_about(connection, "m0")} == {0.9}


PUMP = AlarmFilter(machine="m0", component="pump")


def test_a_confirmed_failure_ends_the_alarm(store: Store, bundle: Bundle) -> None:
    live = Live.over(store, bundle, lambda: END)
    eager = replace(
        live, bundle=replace(bundle, manifest=bundle.manifest | {"thresholds": {"pump": 0.0, "seal": 0.9}})
    )
    send(store, FRAME, bundle)
    eager.score_due()
    with store.reading() as connection:
        alarm = list_alarms(connection, replace(PUMP, ended=False), 1).alarms[0]
    found = Change("ann", 1, "closed", "confirmed", END - 60, replaced=True)
    with store.writing() as connection:
        change_alarm(connection, store, alarm.id, {1}, found, bundle.reference)
    eager.score_due()
    with store.reading() as connection:
        kept = {one.id: one for one in list_alarms(connection, PUMP, 100).alarms}
    assert (kept[alarm.id].ended, kept[alarm.id].end_reason, kept[alarm.id].state) == (
        END - 60,
        "failed",
        "closed",
    )


def test_new_readings_while_a_machine_is_scored_are_not_forgotten(
    store: Store, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live.over(store, bundle, lambda: END)
    early, late = between(FRAME, 0, END - plant.DAY), between(FRAME, END - plant.DAY, END)
    send(store, early, bundle)
    think = Live.scored

    def thinking(self: Live, *words: object) -> object:
        send(store, late, bundle)
        return think(self, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(Live, "scored", thinking)
    live.score_due()
    monkeypatch.undo()
    assert len(live.due()) == 6
    live.score_due()
    batch = batch_of(FRAME, replace(plant.events(6, 30), **_no_events()), bundle)
    with store.reading() as connection:
        for one in opinions_about(connection, "m2"):
            expected = batch.curves[2, -1, bundle.components.index(one.component)]
            assert one.curve == tuple(expected.tolist())


def _no_events() -> dict[str, pd.DataFrame]:
    events = events_between(plant.events(6, 30), 0, 0)
    return {kind: getattr(events, kind) for kind in ("errors", "maintenance", "failures")}


def test_of_several_services_one_scores(addresses_of_a_kind: Addresses, bundle: Bundle) -> None:
    url = addresses_of_a_kind.new()
    if not url.startswith("postgresql"):
        pytest.skip("a file is one service's")
    stores = [open_store(url, bundle) for _ in range(2)]
    with stores[0].writing() as connection:
        add_machines(connection, attributes_of(plant.events(6, 30).machines))
    send(stores[0], FRAME, bundle)
    other = Live.over(stores[1], bundle, None)
    with stores[0].leading() as leads:
        assert leads
        assert other.score_some() == 0
        assert len(other.due()) == 6
    assert other.score_some() == 6
    assert other.score_some() == 0
    for store in stores:
        store.close()
