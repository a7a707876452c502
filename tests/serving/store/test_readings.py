"""Readings are stored all or nothing, once, and read back as they were sent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.serving.bundle import Bundle
from forestall.serving.store.database import Store, open_store
from forestall.serving.store.machines import UnknownMachineError, machine_named
from forestall.serving.store.readings import (
    Added,
    OtherReadingError,
    Readings,
    add_readings,
    recent,
    replace_readings,
)
from tests import plant
from tests.serving.feeding import assert_equal, readings_of, send

FRAME = plant.telemetry(3, 4)
SENSORS = ("volt", "spin")
START = plant.START


def kept(store: Store, after: int = 0, until: int = 2**40) -> pd.DataFrame:
    with store.reading() as connection:
        return recent(connection, store, ["m0", "m1", "m2"], (after, until), SENSORS)


def test_what_was_sent_is_read_back_in_order_of_time(store: Store, bundle: Bundle) -> None:
    shuffled = FRAME.sample(frac=1.0, random_state=0)
    assert send(store, shuffled, bundle) == Added(len(FRAME), 0)
    assert_equal(kept(store), FRAME)
    day = kept(store, START, START + plant.DAY)
    assert_equal(day, FRAME[FRAME["time"] <= START + plant.DAY])


def test_only_so_many_of_the_first_are_read(store: Store, bundle: Bundle) -> None:
    send(store, FRAME, bundle)
    with store.reading() as connection:
        found = recent(connection, store, ["m1"], (START + 7200, 2**40), SENSORS, 5)
    later = FRAME[(FRAME["machine"] == "m1") & (FRAME["time"] > START + 7200)]
    assert_equal(found, later.head(5))


def test_a_batch_sent_again_adds_nothing(store: Store, bundle: Bundle) -> None:
    send(store, FRAME.iloc[:50], bundle)
    with store.reading() as connection:
        before = machine_named(connection, "m0")
    assert send(store, FRAME.iloc[:50], bundle) == Added(0, 50)
    with store.reading() as connection:
        assert machine_named(connection, "m0") == before
    assert send(store, FRAME.iloc[40:60], bundle) == Added(10, 10)


def test_another_reading_of_the_same_time_refuses_the_whole_batch(store: Store, bundle: Bundle) -> None:
    send(store, FRAME.iloc[:10], bundle)
    other = FRAME.iloc[5:20]
    other = other.assign(volt=other["volt"].where(other.index != 7, 1.25))
    with pytest.raises(OtherReadingError, match="another reading of the same time") as error:
        send(store, other, bundle)
    assert (error.value.machine, error.value.time, error.value.row) == ("m0", int(FRAME["time"][7]), 2)
    assert_equal(kept(store), FRAME.iloc[:10])


def test_two_readings_of_one_time_in_a_batch(store: Store, bundle: Bundle) -> None:
    twice = FRAME.iloc[[0, 1, 0]]
    assert send(store, twice, bundle) == Added(2, 1)
    different = pd.concat([FRAME.iloc[[5]], FRAME.iloc[[5]].assign(volt=3.0)])
    with pytest.raises(OtherReadingError):
        send(store, different, bundle)


def test_missing_values_and_zeros_are_the_same_however_written(store: Store, bundle: Bundle) -> None:
    negative = np.frombuffer(np.array([0xFFF8000000000001], dtype="<u8").tobytes(), dtype="<f8")[0]
    one = FRAME.iloc[[0]].assign(volt=0.0, spin=np.nan)
    assert send(store, one, bundle) == Added(1, 0)
    assert send(store, one.assign(volt=-0.0, spin=negative), bundle) == Added(0, 1)


def test_a_machine_that_the_plant_lacks_is_refused(store: Store, bundle: Bundle) -> None:
    with pytest.raises(UnknownMachineError, match="machine 'm77' is not known") as error:
        send(store, FRAME.iloc[:2].assign(machine="m77"), bundle)
    assert error.value.machine == "m77"
    open_fleet = replace(store, closed=False)
    assert send(open_fleet, FRAME.iloc[:2].assign(machine="m77"), bundle) == Added(2, 0)


def test_a_sensor_that_comes_later_is_missing_in_what_was_stored(store: Store, bundle: Bundle) -> None:
    send(store, FRAME.iloc[:3], bundle)
    more = replace(bundle, reference=replace(bundle.reference, sensors=("flow", "volt", "spin")))
    wider = store.for_bundle(more)
    assert wider.sensors == ("volt", "spin", "flow")
    send(wider, FRAME.iloc[3:5].assign(flow=2.5), more)
    with wider.reading() as connection:
        found = recent(connection, wider, ["m0"], (0, 2**40), ("flow", "spin"))
    assert found["flow"].isna().tolist() == [True] * 3 + [False] * 2
    assert found["spin"].tolist() == FRAME["spin"][:5].tolist()
    assert send(wider, FRAME.iloc[:3].assign(flow=np.nan), more) == Added(0, 3)


def test_sensors_that_another_service_added_are_no_concern_here(store: Store, bundle: Bundle) -> None:
    more = replace(bundle, reference=replace(bundle.reference, sensors=("volt", "spin", "flow", "heat")))
    wider = store.for_bundle(more)
    narrow = replace(store, sensors=("volt", "spin", "flow"))
    send(store, FRAME.iloc[:1], bundle)
    send(wider, FRAME.iloc[1:2].assign(flow=2.5, heat=3.5), more)
    send(wider, FRAME.iloc[2:3].assign(flow=np.nan, heat=np.nan), more)
    with store.reading() as connection:
        found = recent(connection, narrow, ["m0"], (0, 2**40), ("volt", "spin", "flow"))
    assert_equal(found, FRAME.iloc[:3].assign(flow=[np.nan, 2.5, np.nan]))
    assert send(store, FRAME.iloc[2:3], bundle) == Added(0, 1)
    with pytest.raises(OtherReadingError):
        send(store, FRAME.iloc[1:2], bundle)


def test_an_empty_batch_and_no_readings(store: Store, bundle: Bundle) -> None:
    assert send(store, FRAME.iloc[:0], bundle) == Added(0, 0)
    assert kept(store).columns.tolist() == ["machine", "time", "running", "volt", "spin"]
    assert kept(store).empty


def test_readings_are_replaced_only_where_asked(store: Store, bundle: Bundle) -> None:
    send(store, FRAME.iloc[:10], bundle)
    other: Readings = readings_of(FRAME.iloc[:12].assign(volt=[*FRAME["volt"][:9], 7.0, 8.0, 9.0]), SENSORS)
    with store.writing() as connection:
        assert replace_readings(connection, store, other, bundle.reference) == 3
    with store.writing() as connection:
        assert replace_readings(connection, store, other, bundle.reference) == 0
    assert kept(store)["volt"].tolist()[9:] == [7.0, 8.0, 9.0]


def test_first_and_last_and_what_changed_are_noted(store: Store, bundle: Bundle) -> None:
    send(store, FRAME.iloc[20:30], bundle)
    send(store, FRAME.iloc[5:8], bundle)
    with store.reading() as connection:
        machine = machine_named(connection, "m0")
    assert machine is not None
    times = FRAME["time"]
    assert (machine.first, machine.last, machine.changed) == (times[5], times[29], times[5])
    assert machine.unsettled == times[5] + bundle.reference.spans.horizon
    assert machine.version == 2


def test_a_store_that_is_opened_again_has_what_it_had(store: Store, bundle: Bundle) -> None:
    send(store, FRAME, bundle)
    again = open_store(store.engine.url.render_as_string(hide_password=False), bundle)
    assert_equal(kept(again), FRAME)
    with again.writing() as connection:
        batch = readings_of(FRAME, SENSORS)
        assert add_readings(connection, again, batch, bundle.reference) == Added(0, len(FRAME))
    again.close()
