"""Events are stored once, and come back as the features want them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import sleep

import numpy as np
import pandas as pd
import pytest

from forestall.serving.bundle import Bundle
from forestall.serving.opinions import Opinion
from forestall.serving.store.database import Store
from forestall.serving.store.events import (
    EventRecord,
    Happened,
    add_events,
    event_records,
    events_of,
    happened_since,
)
from forestall.serving.store.machines import (
    UnknownMachineError,
    add_machines,
    attributes_of,
    known_machines,
    machine_named,
)
from forestall.serving.store.readings import Added
from tests import plant
from tests.serving.feeding import assert_equal, send, send_events

EVENTS = plant.events(6, 60)
NAMES = EVENTS.machines["machine"].tolist()
LABELS = {"errors": "code", "maintenance": "component", "failures": "component"}


def add(store: Store, bundle: Bundle, kind: str, **columns: list[object]) -> Added:
    with store.writing() as connection:
        return add_events(connection, store, kind, pd.DataFrame(columns), bundle.reference)  # type: ignore[arg-type]


def test_they_come_back_sorted_and_once(store: Store, bundle: Bundle) -> None:
    send_events(store, EVENTS, bundle)
    send_events(store, EVENTS, bundle)
    with store.reading() as connection:
        found = events_of(connection, NAMES, bundle, 0)
    for kind, label in LABELS.items():
        sent = (
            getattr(EVENTS, kind).drop_duplicates().sort_values(["machine", "time", label], ignore_index=True)
        )
        assert_equal(getattr(found, kind), sent)
    assert_equal(found.machines, EVENTS.machines)
    assert found.downtime.columns.tolist() == ["machine", "start", "end"]


def test_of_errors_only_late_ones_are_read(store: Store, bundle: Bundle) -> None:
    send_events(store, EVENTS, bundle)
    middle = plant.START + 30 * plant.DAY
    with store.reading() as connection:
        found = events_of(connection, NAMES[:2], bundle, middle)
    assert found.errors["time"].min() > middle
    assert found.failures["time"].min() < middle
    assert set(found.errors["machine"]) == set(NAMES[:2])


def test_a_stop_takes_the_end_that_was_said_last(store: Store, bundle: Bundle) -> None:
    assert add(store, bundle, "downtime", machine=["m1"], start=[10], end=[2**37]) == Added(1, 0)
    assert add(store, bundle, "downtime", machine=["m1"], start=[10], end=[20]) == Added(1, 0)
    assert add(store, bundle, "downtime", machine=["m1"], start=[10], end=[20]) == Added(0, 1)
    with store.reading() as connection:
        found = events_of(connection, ["m1"], bundle, 0).downtime
    assert found.values.tolist() == [["m1", 10, 20]]


def test_an_unknown_machine_refuses_all(store: Store, bundle: Bundle) -> None:
    with pytest.raises(UnknownMachineError):
        add(store, bundle, "errors", machine=["m1", "m99"], time=[5, 5], code=["e1", "e1"])
    with store.reading() as connection:
        assert events_of(connection, ["m1"], bundle, 0).errors.empty


def test_where_rows_come_from_is_kept(store: Store, bundle: Bundle) -> None:
    add(store, bundle, "failures", machine=["m1"], time=[5], component=["pump"])
    with store.writing() as connection:
        frame = pd.DataFrame({"machine": ["m1", "m0"], "time": [5, 9], "component": ["pump", "seal"]})
        assert add_events(connection, store, "failures", frame, bundle.reference, "feedback") == Added(1, 1)
    with store.reading() as connection:
        assert list(event_records(connection, "failures")) == [
            EventRecord("m0", 9, "seal", "feedback"),
            EventRecord("m1", 5, "pump", "plant"),
        ]


def test_only_what_alters_baselines_unsettles_them(store: Store, bundle: Bundle) -> None:
    add(store, bundle, "maintenance", machine=["m1"], time=[5], component=["pump"])
    add(store, bundle, "failures", machine=["m2"], time=[5], component=["pump"])
    with store.reading() as connection:
        maintained, failed = machine_named(connection, "m1"), machine_named(connection, "m2")
    assert maintained is not None
    assert failed is not None
    assert maintained.changed == failed.changed == 5
    assert failed.unsettled == 5
    assert maintained.unsettled is not None
    assert maintained.unsettled > 2**60


def test_attributes_may_change(store: Store) -> None:
    table = EVENTS.machines.assign(age=[np.nan, 1.0, 2.0, 3.0, 4.0, 9.0])
    with store.writing() as connection:
        assert add_machines(connection, attributes_of(table)) == 2
        assert add_machines(connection, attributes_of(table)) == 0
        known = known_machines(connection)
    assert known["m0"].attributes == {"model": "large", "age": None}
    assert known["m5"].attributes == {"model": "small", "age": 9.0}


def test_the_last_that_happened_after_each_parts_own_decision(store: Store, bundle: Bundle) -> None:
    with store.writing() as connection:
        add_machines(connection, {name: {} for name in ("m1", "m2")})
    machines: list[object] = ["m1", "m1", "m2"]
    parts: list[object] = ["pump", "seal", "pump"]
    add(store, bundle, "failures", machine=machines, time=[100, 100, 100], component=parts)
    add(store, bundle, "maintenance", machine=["m1"], time=[130], component=["pump"])
    decided = [("m1", "pump", 90), ("m1", "seal", 99), ("m2", "pump", 100)]
    with store.reading() as connection:
        opinions = [Opinion(*one, "", 0.5) for one in decided]
        found = happened_since(connection, opinions, 2**62)
        assert happened_since(connection, [], 2**62) == {}
        assert happened_since(connection, opinions, 99) == {}
    assert found == {("m1", "pump"): Happened("replaced", 130), ("m1", "seal"): Happened("failed", 100)}


def test_who_sends_the_same_at_once_in_another_order_waits_only(store: Store, bundle: Bundle) -> None:
    one = plant.events(3, 4).errors
    many = pd.concat([one.assign(time=one["time"] + 7 * n) for n in range(300)], ignore_index=True)
    telemetry = plant.telemetry(3, 40)

    def go(seed: int) -> int:
        nothing = {"failures": many.iloc[:0], "maintenance": many.iloc[:0]}
        shuffled = many.sample(frac=1.0, random_state=seed)
        send_events(store, replace(plant.events(3, 4), errors=shuffled, **nothing), bundle)
        return send(store, telemetry.sample(frac=1.0, random_state=seed), bundle).new

    with ThreadPoolExecutor(6) as several:
        assert sorted(several.map(go, range(6))) == [0] * 5 + [len(telemetry)]


def test_of_two_who_add_a_machine_at_once_the_later_one_is_heard(store: Store) -> None:
    def add(age: int) -> None:
        with store.writing() as connection:
            add_machines(connection, {"m9": {"age": age}})

    with ThreadPoolExecutor(1) as another:
        with store.writing() as connection:
            add_machines(connection, {"m9": {"age": 1}})
            later = another.submit(add, 2)
            sleep(0.5)
        later.result()
    with store.reading() as connection:
        machine = machine_named(connection, "m9")
    assert machine is not None and machine.attributes == {"age": 2}
