"""How far a sensor is from what is normal for its machine, reading by reading, and for how long it has been so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forestall.features.history import Floats
from forestall.features.reference import Reference
from forestall.features.sensors import Normal

BEYOND = 1.0  # further than so many standard deviations is beyond normal
BACK = 5.0  # readings that add up to so much less, in standard deviations, are a return to normal


@dataclass(frozen=True)
class Deviations:
    """One sensor of one machine up to a decision.

    values: the lookback's readings in standard deviations from the machine's own normal at the conditions that it ran
    at, [slots]; NaN where missing, or while the machine's own normal is not known. level, spread: normal, in the
    sensor's unit.
    """

    values: Floats
    level: float
    spread: float
    unit: str

    def lasting(self, side: int) -> tuple[int, float]:
        """For how many readings, up to now, it has been beyond normal on a side (1 or -1), and their mean deviation.

        0 readings where it is not. The run begins where its readings together exceed BEYOND by most, looking back as
        far as they have not given back BACK of it: the change point that a cumulative sum finds.
        """
        back = self.values[::-1]
        excess = np.cumsum(np.where(np.isnan(back), 0.0, side * back - BEYOND))
        most = np.maximum.accumulate(np.maximum(excess, 0.0))
        given_back = np.flatnonzero(most - excess > BACK)
        run = excess[: given_back[0]] if len(given_back) else excess
        if not len(run) or run.max() <= 0:
            return 0, 0.0
        length = int(run.argmax()) + 1
        return length, float(np.nanmean(back[:length]))


def deviations(
    readings: Floats, normal: Normal, row: int, number: int, reference: Reference, unit: str
) -> Deviations:
    """Of one machine and sensor, by their positions.

    Args:
        readings: the lookback's, [machines, slots, sensors].
        normal: what holds at the decision, [machines, 1, …].
        unit: of the sensor.
    """
    rest = readings[row, :, number]
    for q, condition in enumerate(reference.condition_places):
        slope = normal.slopes[row, 0, number, q]
        if slope != 0:
            rest = rest - slope * (readings[row, :, condition] - normal.usual[q])
    level, spread = float(normal.level[row, 0, number]), float(normal.spread[row, 0, number])
    known = normal.known[row, 0, number] > 0
    values = (rest - level) / spread if known else np.full(len(rest), np.nan)
    return Deviations(values, level, spread, unit)
