"""Feature columns under construction: a name, the group that a param switches, the source that reasons name."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forestall.data.clock import is_counter
from forestall.errors import SettingsError

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Feature:
    """A feature's description.

    group: sensors, levels, errors, replacements, schedule, machine or gaps.
    source: the sensor, component or group that an explanation speaks of.
    """

    name: str
    group: str
    source: str


class Columns:
    """Named [machines, decisions] arrays of the wanted groups, in the order in which they were added."""

    def __init__(self, groups: Collection[str]) -> None:
        self.groups = groups
        self.features: list[Feature] = []
        self.names: set[str] = set()
        self.values: list[Matrix] = []

    def add(self, name: str, group: str, source: str, values: npt.NDArray[np.generic]) -> None:
        """Add one feature, if its group is wanted; NaN is missing."""
        if group not in self.groups:
            return
        if name in self.names:
            problem = f"the dataset's names make two features called {name!r}"
            raise SettingsError(f"{problem}: rename a sensor, error code, component or attribute.")
        self.names.add(name)
        self.features.append(Feature(name, group, source))
        self.values.append(values.astype(np.float64))

    def stacked(self) -> npt.NDArray[np.float32]:
        """All features as float32, [machines, decisions, features]; what is not finite is NaN."""
        if not self.values:
            return np.empty((0, 0, 0), dtype=np.float32)
        stacked = np.stack(self.values, axis=-1).astype(np.float32)
        stacked[~np.isfinite(stacked)] = np.nan
        return stacked


def span_name(ticks: int, unit: str) -> str:
    """A span as a feature's name says it: 24h, 30min, 30cycles."""
    if is_counter(unit):
        return f"{ticks}{unit}"
    for size, name in ((3600, "h"), (60, "min"), (1, "s")):
        if ticks % size == 0:
            return f"{ticks // size}{name}"
    return f"{ticks}s"


def span_text(name: str, unit: str) -> str:
    """A span's name as people write it: 24h, 30 cycles."""
    return f"{name.removesuffix(unit)} {unit}" if is_counter(unit) else name
