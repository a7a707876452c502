"""Feature vectors in, predictions out: the fastest way to ask the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from forestall.features.reference import Matrix
from forestall.serving.api.problems import unfit
from forestall.serving.bundle import Bundle
from forestall.training.series import Bools

MOST_ROWS = 10_000
NUMBERS = frozenset({float, int})


def vectors(value: Any, width: int, field: str = "features") -> Matrix:
    """One vector or a list of vectors as float32 [rows, width].

    Raises:
        Problem: 422, naming the place: no list, another length, no number, or not finite as float32.
    """
    if type(value) is not list or not value:
        raise unfit([(field, f"must be a list of {width} numbers, or a list of such lists")])
    one = type(value[0]) is not list
    rows = [value] if one else value
    if len(rows) > MOST_ROWS:
        raise unfit([(field, f"{len(rows)} vectors; send at most {MOST_ROWS} at once")])
    for number, row in enumerate(rows):
        _check(row, width, field if one else f"{field}[{number}]")
    with np.errstate(over="ignore"):
        result = np.array(rows, dtype=np.float64).astype(np.float32)
    if not np.isfinite(result).all():
        number, place = np.argwhere(~np.isfinite(result))[0].tolist()
        where = f"{field}[{place}]" if one else f"{field}[{number}][{place}]"
        raise unfit([(where, f"{rows[number][place]} is too large for a feature (float32)")])
    return result


def _check(row: Any, width: int, where: str) -> None:
    if type(row) is not list:
        raise unfit([(where, f"must be a list of {width} numbers")])
    if len(row) != width:
        raise unfit(
            [(where, f"has {len(row)} values; the model takes {width}, named by GET /v2/models/forestall")]
        )
    if not NUMBERS.issuperset(map(type, row)):
        place = next(i for i, one in enumerate(row) if type(one) not in NUMBERS)
        raise unfit([(f"{where}[{place}]", "must be a number; for a missing value send the feature's fill")])


def predictions(features: Matrix, bundle: Bundle) -> dict[str, Any]:
    """For each row whether any component's risk is at its threshold or above (1 or 0), and the risks."""
    risk = bundle.risk(features)
    return {"prediction": alarms(risk, bundle), "risk": risk, "components": bundle.components}


def alarms(risk: Matrix, bundle: Bundle) -> npt.NDArray[np.int64]:
    """Which rows of risks [rows, components] raise an alarm."""
    return np.asarray(reached(risk, bundle).any(axis=1), dtype=np.int64)


def reached(risk: Matrix, bundle: Bundle) -> Bools:
    """Which risks [rows, components] are at their thresholds or above; compared as float32 like everywhere."""
    thresholds = np.array(list(bundle.thresholds.values()), dtype=np.float32)
    return np.asarray(risk >= thresholds, dtype=np.bool_)
