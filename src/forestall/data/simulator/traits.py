"""What makes one machine unlike the next: model, age, levels, load habits, noise, talkative error codes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forestall.data.simulator.catalogue import CODES, MODELS, SENSORS, Model
from forestall.data.simulator.streams import stream

Floats = npt.NDArray[np.float64]
BACKGROUND_PER_DAY = 0.06
NOISY_SHARE = 0.12


@dataclass(frozen=True)
class Machine:
    """One machine's constants.

    `level`, `noise` (sensor units) and `gain` (noise units for ten points of load) have one value a sensor,
    in the order of `SENSORS`; `code_rate` is spurious codes an hour, in the order of `CODES`.
    """

    number: int
    name: str
    model: Model
    age: float
    level: Floats
    noise: Floats
    gain: Floats
    load_mean: float
    load_swing: float
    weekend_drop: float
    peak_hour: float
    code_rate: Floats


def draw_machine(seed: int, number: int) -> Machine:
    """The machine of this number, counted from 0."""
    rng = stream(seed, number, "traits")
    model = MODELS[rng.integers(len(MODELS))]
    scale = np.array([sensor.noise for sensor in SENSORS])
    between = np.array([sensor.between for sensor in SENSORS])
    # Cut at 2.2 so that no level comes near zero.
    offset = np.clip(rng.standard_normal(len(SENSORS)), -2.2, 2.2) * between * scale
    talkative = rng.random(len(CODES)) < NOISY_SHARE
    typical = BACKGROUND_PER_DAY / 24 * np.exp(rng.normal(0, 0.4, len(CODES)))
    return Machine(
        number=number,
        name=f"M{number + 1:05d}",
        model=model,
        age=round(float(rng.uniform(0, 20)), 1),
        level=np.array(model.levels) + offset,
        noise=scale * np.exp(rng.normal(0, 0.25, len(SENSORS))),
        gain=np.array([sensor.gain for sensor in SENSORS]) * np.exp(rng.normal(0, 0.2, len(SENSORS))),
        load_mean=float(rng.uniform(45, 75)),
        load_swing=float(rng.uniform(6, 14)),
        weekend_drop=float(rng.uniform(0, 20)),
        peak_hour=float(rng.uniform(9, 17)),
        code_rate=typical * np.where(talkative, 6, 1),
    )
