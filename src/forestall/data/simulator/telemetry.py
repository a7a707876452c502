"""Hourly readings of a chunk of machines: load cycle, gains, season, autocorrelated noise, precursors."""

import numpy as np
import numpy.typing as npt

from forestall.data.simulator.catalogue import CURRENT, SENSORS, START, TEMPERATURE
from forestall.data.simulator.precursors import Precursors
from forestall.data.simulator.streams import stream
from forestall.data.simulator.traits import Machine
from forestall.data.simulator.wear import Stop

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LOAD_PHI = 0.95
LOAD_NOISE = 4.0
LOAD_METER_NOISE = 0.4
SEASON = 0.8
DAY_AND_NIGHT = 0.5
REST_LOAD = 60.0
AMBIENT = 22.0


def true_loads(machines: list[Machine], seed: int, hours: int) -> Floats:
    """Load in percent, (hours, machines): a daily swing, quieter weekends, slow wander."""
    draws = np.stack([stream(seed, one.number, "load").standard_normal(hours) for one in machines], axis=1)
    wander = LOAD_NOISE * autocorrelated(draws, np.full(len(machines), LOAD_PHI))
    hour = np.arange(hours)[:, None]
    # 2024-01-01 was a Monday; days are counted from there.
    weekend = (hour // 24 + (START.astype("datetime64[D]").astype(int) + 3) % 7) % 7 >= 5
    peak = np.array([one.peak_hour for one in machines])
    swing = np.array([one.load_swing for one in machines]) * np.cos(2 * np.pi * (hour - peak) / 24)
    drop = np.array([one.weekend_drop for one in machines]) * weekend
    mean = np.array([one.load_mean for one in machines])
    return np.asarray(np.clip(mean + swing - drop + wander, 5.0, 105.0), dtype=np.float64)


def autocorrelated(innovations: Floats, phi: Floats) -> Floats:
    """First-order autoregressive noise of unit variance along axis 0.

    Args:
        innovations: standard normal draws, (hours, series).
        phi: autocorrelation from one hour to the next, (series,).
    """
    noise = innovations * np.sqrt(1 - phi**2)
    noise[0] = innovations[0]
    for hour in range(1, len(noise)):
        noise[hour] += phi * noise[hour - 1]
    return noise


def readings(machines: list[Machine], loads: Floats, precursors: list[Precursors], seed: int) -> list[Floats]:
    """One (hours, sensors + load) array a machine, as a perfect logger would have it."""
    hours, sensors = len(loads), len(SENSORS)
    innovations = np.empty((hours, len(machines), sensors + 1))
    for place, machine in enumerate(machines):
        innovations[:, place] = stream(seed, machine.number, "noise").standard_normal((hours, sensors + 1))
    phi = np.tile([*(sensor.phi for sensor in SENSORS), 0.0], len(machines))
    noise = autocorrelated(innovations.reshape(hours, -1), phi).reshape(innovations.shape)
    return [
        _one_machine(machine, loads[:, place], noise[:, place], precursors[place])
        for place, machine in enumerate(machines)
    ]


def _one_machine(machine: Machine, load: Floats, noise: Floats, wear: Precursors) -> Floats:
    values = noise[:, :-1] * wear.spread + wear.shift
    values += (load[:, None] - REST_LOAD) / 10 * machine.gain
    values[:, CURRENT] += current_change(machine, load, wear.slope)
    values[:, TEMPERATURE] += _weather(len(load))
    values = machine.level + machine.noise * values
    meter = load + LOAD_METER_NOISE * noise[:, -1]
    # Rounded as loggers do, and kept above zero: zero means standing still.
    return np.asarray(np.round(np.maximum(np.column_stack([values, meter]), 0.001), 3), dtype=np.float64)


def current_change(machine: Machine, load: Floats, slope: Floats) -> Floats:
    """What a changed dependence on load adds to the current, in units of its noise, (hours,)."""
    return np.asarray(slope * machine.gain[CURRENT] * (load - machine.load_mean) / 10)


def _weather(hours: int) -> Floats:
    hour = np.arange(hours)
    season = SEASON * np.sin(2 * np.pi * (hour / 24 - 110) / 365.25)
    return np.asarray(season + DAY_AND_NIGHT * np.cos(2 * np.pi * (hour - 15) / 24))


def down_hours(stops: list[Stop], hours: int) -> Bools:
    """Whether the machine stood still at each reading, (hours,): start < reading <= end."""
    down = np.zeros(hours, dtype=bool)
    for stop in stops:
        down[int(np.floor(stop.start)) + 1 : int(np.floor(stop.end)) + 1] = True
    return down


def standing_still(hours: int) -> Floats:
    """What loggers that go on logging write then, (hours, sensors + load): zeros, and the hall's warmth."""
    values = np.zeros((hours, len(SENSORS) + 1))
    values[:, TEMPERATURE] = np.round(AMBIENT + _weather(hours), 3)
    return values
