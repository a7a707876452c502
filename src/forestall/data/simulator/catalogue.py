"""What the simulated plant is made of: motor-driven process pumps, their sensors, parts and ways to fail.

Amplitudes of precursors are in units of a sensor's own noise (its stationary standard deviation), so that
they can be read as signal-to-noise ratios.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

START = np.datetime64("2024-01-01T00:00:00", "s")
HOURS_PER_DAY = 24


@dataclass(frozen=True)
class Sensor:
    """One measured quantity.

    Args:
        noise: stationary standard deviation of the noise, in `unit`.
        between: standard deviation of the machines' individual levels, in units of `noise`.
        phi: autocorrelation of the noise from one hour to the next.
        gain: change for ten points more load, in units of `noise`.
    """

    name: str
    unit: str
    range: tuple[float, float]
    noise: float
    between: float
    phi: float
    gain: float


@dataclass(frozen=True)
class Model:
    """A model of machine: its sensors' usual levels, how its parts last, the parts that it lacks."""

    name: str
    levels: tuple[float, ...]
    life: float
    lacks: tuple[str, ...] = ()
    zeros_when_down: bool = False


@dataclass(frozen=True)
class Mode:
    """One way in which a component fails, and what shows before.

    The signature grows as ((t - onset) / (failure - onset)) ** growth.

    Args:
        lead: shortest and longest time from onset to failure, in hours.
        shift: change of a sensor's level at failure, in units of its noise.
        spread: change of a sensor's noise at failure, as a share of it.
        slope: change of the current's dependence on load at failure, as a share of it.
        codes: expected number of extra error codes between onset and failure.
    """

    name: str
    lead: tuple[float, float]
    growth: float
    shift: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    slope: float = 0.0
    codes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Component:
    """A part that wears: Weibull life (shape, scale in days), and the age at which visits replace it."""

    name: str
    shape: float
    scale: float
    renew_at: float
    modes: tuple[Mode, ...]


LOAD_RANGE = (0.0, 120.0)
SENSORS = (
    Sensor("vibration", "mm/s", (0.0, 50.0), noise=0.12, between=5.0, phi=0.60, gain=1.0),
    Sensor("temperature", "degC", (-20.0, 150.0), noise=0.9, between=5.0, phi=0.75, gain=1.2),
    Sensor("pressure", "bar", (0.0, 40.0), noise=0.09, between=5.0, phi=0.65, gain=-0.9),
    Sensor("current", "A", (0.0, 300.0), noise=0.7, between=5.0, phi=0.60, gain=3.0),
    Sensor("speed", "rpm", (0.0, 4000.0), noise=3.5, between=5.0, phi=0.70, gain=-0.9),
)
SENSOR_NAMES = tuple(sensor.name for sensor in SENSORS)
TELEMETRY_NAMES = (*SENSOR_NAMES, "load")
CURRENT = SENSOR_NAMES.index("current")
TEMPERATURE = SENSOR_NAMES.index("temperature")
LOAD = len(SENSOR_NAMES)

CODES = ("E01", "E02", "E03", "E04", "E05", "E06", "E07", "E08")
TRIP = "E08"

MODELS = (
    Model("CP-40", (4.2, 52.0, 6.2, 46.0, 1470.0), life=1.00),
    Model("CP-65", (4.6, 56.0, 8.0, 62.0, 1475.0), life=1.15),
    Model("CP-80", (4.9, 60.0, 9.5, 84.0, 1480.0), life=0.90, zeros_when_down=True),
    Model("HS-50", (5.2, 63.0, 12.5, 71.0, 2950.0), life=0.80),
    # Magnetic drive: no shaft passes through the casing, so there is no shaft seal.
    Model("MD-32", (4.0, 49.0, 5.6, 38.0, 2900.0), life=1.05, lacks=("seal",), zeros_when_down=True),
)

DAY = float(HOURS_PER_DAY)
COMPONENTS = (
    Component(
        "bearing",
        shape=2.6,
        scale=270.0,
        renew_at=0.75,
        modes=(
            Mode("wear", (8 * DAY, 30 * DAY), 2.0, shift={"vibration": 5.5}),
            Mode("lubrication", (3 * DAY, 10 * DAY), 1.0, shift={"temperature": 4.4, "current": 3.2}),
            Mode("cage", (3 * DAY, 9 * DAY), 0.7, spread={"speed": 3.2}),
        ),
    ),
    Component(
        "seal",
        shape=2.2,
        scale=270.0,
        renew_at=0.75,
        modes=(
            Mode("leak", (5 * DAY, 20 * DAY), 1.5, shift={"pressure": -5.2}),
            Mode("dry_run", (0.5 * DAY, 6 * DAY), 0.3, codes={"E03": 18.0, "E07": 15.0}),
            Mode("flush_loss", (3 * DAY, 9 * DAY), 0.7, spread={"temperature": 3.6}),
        ),
    ),
    Component(
        "motor",
        shape=1.2,
        scale=320.0,
        renew_at=1.3,
        modes=(
            Mode("winding", (6 * DAY, 20 * DAY), 1.0, slope=1.1),
            Mode("insulation", (0.5 * DAY, 7 * DAY), 0.3, codes={"E02": 16.0, "E05": 16.0}),
            Mode("overheating", (4 * DAY, 14 * DAY), 1.3, shift={"temperature": 6.0}),
        ),
    ),
    Component(
        "impeller",
        shape=1.3,
        scale=320.0,
        renew_at=1.3,
        modes=(
            Mode("erosion", (6 * DAY, 25 * DAY), 1.6, shift={"pressure": -3.8, "current": -3.5}),
            Mode("imbalance", (4 * DAY, 15 * DAY), 1.2, shift={"vibration": 3.8, "speed": -4.2}),
            Mode("cavitation", (3 * DAY, 8 * DAY), 0.7, spread={"pressure": 2.8}),
        ),
    ),
)
