"""Why a risk is what it is: each source of features in turn set to the machine's healthy reference and re-scored."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from forestall.features.history import Floats
from forestall.features.reference import Matrix
from forestall.features.sensors import Normal
from forestall.serving.bundle import Bundle
from forestall.serving.deviations import Deviations, deviations
from forestall.serving.patterns import LEAST, patterns
from forestall.serving.reason_texts import Sighting, describe


@dataclass(frozen=True)
class Reason(Sighting):
    """A source, how much of the risk goes when it is set to healthy, and what was seen of it."""

    source: str = field(kw_only=True)
    share: float = field(kw_only=True)


def reasons(
    features: Matrix, healthy: Matrix, normal: Normal, readings: Floats, bundle: Bundle, most: int
) -> list[list[list[Reason]]]:
    """For each row and component at most `most` reasons, the strongest first.

    Args:
        features, healthy: [rows, features].
        normal: the baselines that hold at the rows' time, [rows, 1, …].
        readings: those of the lookback up to it, [rows, slots, sensors].
    """
    found = patterns(features, healthy, bundle)

    @cache
    def seen(row: int, source: str) -> Sighting:
        sensor = _readings_of(source, row, normal, readings, bundle)
        return describe(source, features[row], healthy[row], bundle.reference, sensor)

    def strongest(row: int, c: int) -> list[Reason]:
        of, whole = found.drops[row, :, c], float(found.risk[row, c])
        order = [i for i in np.argsort(-of, kind="stable")[:most] if of[i] > LEAST * whole]
        return [
            Reason(**vars(seen(row, found.sources[i])), source=found.sources[i], share=float(of[i]) / whole)
            for i in order
        ]

    return [[strongest(row, c) for c in range(found.risk.shape[1])] for row in range(len(features))]


def _readings_of(
    source: str, row: int, normal: Normal, readings: Floats, bundle: Bundle
) -> Deviations | None:
    """The readings behind a source that is a sensor."""
    reference = bundle.reference
    if source not in reference.sensors:
        return None
    unit = bundle.plant.dataset.tables.telemetry.sensors[source].unit
    return deviations(readings, normal, row, reference.sensors.index(source), reference, unit)
