"""Sensors beside what is normal: the store's readings averaged, at the conditions that the machine ran at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.features.history import Floats
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.sensor_history import BAND, SensorHistory, sensor_history
from forestall.serving.store.database import Store
from forestall.serving.store.machines import Machine, known_machines
from tests import plant
from tests.serving.feeding import send, send_events

HOUR, DAY, START = plant.HOUR, plant.DAY, plant.START
DAYS = 25
END = START + DAYS * DAY
SENSORS = ["volt", "spin"]
WAVE = np.tile([-9.0, 3.0, 12.0, -6.0, 0.0], DAYS * 24)[: DAYS * 24]


def readings(machine: str = "m0") -> pd.DataFrame:
    """Hourly: the spin follows the hour of the day, the volt the spin."""
    hours = np.arange(1, DAYS * 24 + 1)
    spin = 450.0 + 40.0 * np.sin(2 * np.pi * hours / 24)
    columns = {"time": START + hours * HOUR, "running": True, "volt": 80.0 + 0.2 * spin + WAVE, "spin": spin}
    return pd.DataFrame({"machine": machine, **columns})


@pytest.fixture
def live(store: Store, bundle: Bundle) -> Live:
    return Live.over(store, bundle, None)


def shown(
    live: Live, until: int = END, days: float = 2, points: int = 1000, machine: str = "m0"
) -> SensorHistory:
    with live.store.reading() as connection:
        held = known_machines(connection, [machine])[machine]
        return sensor_history(connection, live, held, until, round(days * DAY), points)


def the(machine: str, live: Live) -> Machine:
    with live.store.reading() as connection:
        return known_machines(connection, [machine])[machine]


def assert_same(found: SensorHistory, other: SensorHistory) -> None:
    for name in ("time", "values", "low", "high"):
        np.testing.assert_array_equal(getattr(found, name), getattr(other, name))


def between(frame: pd.DataFrame, low: int, high: int) -> pd.DataFrame:
    return frame[(frame["time"] > low) & (frame["time"] <= high)]


def test_values_are_the_stores_readings(live: Live, bundle: Bundle) -> None:
    send(live.store, readings(), bundle)
    found, sent = shown(live), between(readings(), END - 2 * DAY, END)
    assert (found.sensors, found.per_point) == (tuple(SENSORS), HOUR)
    assert found.time.tolist() == sent["time"].tolist()
    np.testing.assert_allclose(found.values, sent[SENSORS].to_numpy(), rtol=1e-6)


@pytest.mark.parametrize(("points", "block"), [(48, 1), (47, 2), (16, 3), (10, 5), (5, 10), (1, 48)])
def test_points_are_means_of_readings_in_a_row(live: Live, bundle: Bundle, points: int, block: int) -> None:
    send(live.store, readings(), bundle)
    found, sent = shown(live, points=points), between(readings(), END - 2 * DAY, END)
    pieces = [sent.iloc[first : first + block] for first in range(0, 48, block)]
    assert len(found.time) == len(pieces) <= points and found.per_point == block * HOUR
    assert found.time.tolist() == [int(piece["time"].iloc[-1]) for piece in pieces]
    np.testing.assert_allclose(found.values, [piece[SENSORS].mean().tolist() for piece in pieces], rtol=1e-6)


def band(frame: pd.DataFrame, renewal: int) -> tuple[Floats, Floats]:
    """Median and spread of the healthy days before a renewal: the last horizon before it may still be followed by a
    failure.
    """
    healthy = between(frame, renewal - 10 * DAY, renewal - DAY)[SENSORS].to_numpy().astype(np.float32)
    low, middle, high = np.quantile(healthy.astype(np.float64), [0.25, 0.5, 0.75], axis=0)
    return middle, (high - low) / 1.3489795


def renewal_before(time: int) -> int:
    return time // (5 * DAY) * 5 * DAY


def test_the_band_is_the_machines_own_level_and_spread(live: Live, bundle: Bundle) -> None:
    send(live.store, readings(), bundle)
    found = shown(live)
    level, spread = band(readings(), renewal_before(END))
    np.testing.assert_allclose(found.low, np.tile(level - BAND * spread, (48, 1)), rtol=1e-5)
    np.testing.assert_allclose(found.high, np.tile(level + BAND * spread, (48, 1)), rtol=1e-5)


def test_the_band_follows_the_conditions(store: Store, bundle: Bundle) -> None:
    """With the spin as a condition the volt is expected at 80 + 0.2 spin, whatever the spin just was."""
    baselines = {
        model: {name: [*known, 0.0] for name, known in sensors.items()}
        for model, sensors in bundle.reference.model_baselines.items()
    }
    reference = replace(bundle.reference, conditions=("spin",), model_baselines=baselines)
    judged = replace(bundle, reference=reference)
    live = Live(store.for_bundle(judged), judged, None, 1)
    frame = readings()
    send(live.store, frame, judged)
    found, sent = shown(live), between(frame, END - 2 * DAY, END)
    renewal = renewal_before(END)
    healthy = between(frame, renewal - 10 * DAY, renewal - DAY)
    slope = np.polyfit(healthy["spin"], healthy["volt"], 1)[0]
    rest = healthy["volt"] - slope * healthy["spin"]
    spread = (rest.quantile(0.75) - rest.quantile(0.25)) / 1.3489795
    middle = rest.median() + slope * sent["spin"].to_numpy()
    np.testing.assert_allclose(found.low[:, 0], middle - BAND * spread, rtol=1e-4)
    np.testing.assert_allclose(found.high[:, 0], middle + BAND * spread, rtol=1e-4)
    # Without the condition, the band would be as wide as the day's swing, and flat.
    assert np.ptp(found.low[:, 0]) > 10 and spread < band(frame, renewal)[1][0]
    # A point of several readings is expected at the mean of their conditions.
    few = shown(live, points=16)
    np.testing.assert_allclose(few.low[:, 0], found.low[:, 0].reshape(16, 3).mean(axis=1), rtol=1e-6)


@pytest.mark.parametrize("until", [END - 2 * DAY, END - 2 * DAY + 70 * 60, START + 20 * DAY - 1])
def test_nothing_later_is_shown_or_changes_anything(live: Live, bundle: Bundle, until: int) -> None:
    frame = readings()
    send(live.store, frame[frame["time"] <= until], bundle)
    before = shown(live, until, 3, 30)
    wild = frame[frame["time"] > until].assign(volt=399.0, spin=5000.0)
    send(live.store, wild, bundle)
    after = shown(live, until, 3, 30)
    assert_same(after, before)
    assert after.time.max() <= until
    now = shown(live, until + 3 * HOUR, 3, 30)
    assert np.nanmax(now.values) > 1000, "what was sent is shown when its time has come"


def test_a_failure_that_is_known_later_changes_only_what_is_normal_later(live: Live, bundle: Bundle) -> None:
    send(live.store, readings(), bundle)
    before = shown(live, END - 4 * DAY)
    failures = pd.DataFrame({"machine": ["m0"], "time": [END - 2 * DAY], "component": ["pump"]})
    events = plant.events(6, 60)
    none = {kind: getattr(events, kind).iloc[:0] for kind in ("errors", "maintenance", "downtime")}
    send_events(live.store, replace(events, failures=failures, **none), bundle)
    assert_same(shown(live, END - 4 * DAY), before)


def test_what_was_not_measured_is_not_shown(live: Live, bundle: Bundle) -> None:
    frame = between(readings(), START, END)
    away = (frame["time"] > END - 20 * HOUR) & (frame["time"] <= END - 10 * HOUR)
    frame.loc[(frame["time"] > END - 30 * HOUR) & (frame["time"] <= END - 25 * HOUR), "volt"] = np.nan
    frame.loc[(frame["time"] > END - 6 * HOUR) & (frame["time"] <= END - 3 * HOUR), "running"] = False
    send(live.store, frame[~away], bundle)
    found = shown(live)
    # A gap is filled from before it, by two readings as when the model looks at it.
    hours = (END - found.time) // HOUR
    silent = np.isin(hours, range(10, 18))
    off = np.isin(hours, range(3, 6))
    volt_gone = np.isin(hours, range(25, 28))
    assert np.isnan(found.values[silent | off]).all()
    assert np.isnan(found.values[volt_gone, 0]).all() and not np.isnan(found.values[volt_gone, 1]).any()
    rest = ~(silent | off | volt_gone)
    assert not np.isnan(found.values[rest]).any()
    # What is normal is known all the same, and a point needs but one reading.
    assert not np.isnan(found.low).any()
    assert not np.isnan(shown(live, points=4).values).any()


def test_a_machine_that_fell_silent_has_an_empty_plot(live: Live, bundle: Bundle) -> None:
    frame = readings()
    send(live.store, frame[frame["time"] <= END - 5 * DAY], bundle)
    found = shown(live)
    assert len(found.time) == 48 and np.isnan(found.values).all()


def test_a_new_machine_has_no_band_yet(live: Live, bundle: Bundle) -> None:
    frame = readings("m1")
    send(live.store, frame[frame["time"] > END - 10 * HOUR], bundle)
    found = shown(live, machine="m1")
    since = found.time >= END - 9 * HOUR
    assert the("m1", live).first == END - 9 * HOUR and since.sum() == 10
    assert not np.isnan(found.values[since]).any() and np.isnan(found.values[~since]).all()
    assert np.isnan(found.low).all() and np.isnan(found.high).all()


def test_before_its_first_reading_there_is_nothing(live: Live, bundle: Bundle) -> None:
    frame = readings("m1")
    send(live.store, frame[frame["time"] > END - 10 * HOUR], bundle)
    found = shown(live, until=END - 5 * DAY, machine="m1")
    assert np.isnan(found.values).all()
