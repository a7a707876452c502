"""The reference: all that features need besides a history. It travels in the bundle."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forestall.data.clock import is_counter
from forestall.features.columns import Feature
from forestall.features.history import Spans

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Reference:
    """What features need besides a history; fitted on the training fold, kept in the bundle.

    codes: the error codes that have features, most frequent first.
    categories: per categorical attribute its values. attributes: the numeric ones.
    conditions: the sensors that are operating conditions.
    model_baselines: per model (the categories joined; "" for the fleet) each sensor's [level, spread, slopes…].
    fills: per feature the value that stands for a missing one. features: in the matrix's order.
    """

    spans: Spans
    unit: str
    sensors: tuple[str, ...]
    conditions: tuple[str, ...]
    components: tuple[str, ...]
    groups: tuple[str, ...]
    codes: tuple[str, ...]
    categories: dict[str, list[str]]
    attributes: tuple[str, ...]
    model_baselines: dict[str, dict[str, list[float]]]
    fills: tuple[float, ...] = ()
    features: tuple[Feature, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain lists and mappings."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Reference:
        """What `to_json` gave."""
        spans = content["spans"] | {k: tuple(content["spans"][k]) for k in ("horizons", "sensors", "events")}
        lists = {k: tuple(value) for k, value in content.items() if isinstance(value, list)}
        features = tuple(Feature(**feature) for feature in content["features"])
        return cls(**(content | lists | {"spans": Spans(**spans), "features": features}))

    @property
    def own_clocks(self) -> bool:
        """Whether each machine has a clock of its own, as in the dataset file."""
        return is_counter(self.unit)

    @property
    def condition_places(self) -> tuple[int, ...]:
        """Positions of the operating conditions among the sensors."""
        return tuple(self.sensors.index(name) for name in self.conditions)
