"""A ceiling of recall: of how many failures something shows, and how long before.

A decision's surprise for a component is how far out among healthy values its most unusual feature lies, of those that
are often unusual before that component's failures. A failure shows where its surprise exceeds what healthy
decisions exceed once in 200. Which features count, and on which side, is found on four fifths of the machines and
applied to the others, so that no failure helps to find itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forestall.evaluation.signals import Before, Bools, Floats, Ints, healthy_ranks, ranks_among
from forestall.features.labels import ranked
from forestall.features.reference import Matrix

QUANTILE = 0.995
OUT, OFTEN, FAILURES = 0.01, 3.0, 3
PARTS = 5
SMALLEST_TAIL = 1e-5


def shows(values: Matrix, before: Before, near: int) -> tuple[Floats, Bools]:
    """Whether each failure's surprise is beyond the healthy quantile, [N, B] with NaN where there is no decision; and
    whether each healthy decision's is, which is what chance does.

    Args:
        values: [rows, F].
        near: over how many steps before the failure features are looked at to choose among them.
    """
    failing = tails(healthy_ranks(values, before))
    healthy = tails(ranks_among(values[before.healthy], values[before.healthy]))
    failed, quiet = _part(before.machine), _part(before.healthy_machine)
    at, chance = np.full(before.row.shape, np.nan), np.zeros(len(before.healthy), dtype=np.bool_)
    for part in range(PARTS if len(healthy) else 0):
        counts = telling(failing[failed != part, :near])
        out = surprise(healthy, counts)
        limit = np.quantile(out, QUANTILE)
        at[failed == part] = surprise(failing[failed == part], counts) > limit
        chance[quiet == part] = out[quiet == part] > limit
    return np.where(before.row >= 0, at, np.nan), chance


def _part(machines: npt.NDArray[np.object_]) -> Ints:
    names, owner = np.unique(machines.astype(str), return_inverse=True)
    parts = [int(ranked(f"{name}/part") * PARTS) for name in names]
    return np.array(parts, dtype=np.int64)[owner]


def tails(ranks: Floats) -> Floats:
    """-log10 of the share of healthy values farther out, upwards and downwards: [..., F] to [..., 2F]."""
    shares = np.concatenate([1 - ranks, ranks], axis=-1)
    return np.asarray(-np.log10(np.maximum(shares, SMALLEST_TAIL)))


def telling(out: Floats) -> Ints:
    """Which sides of features [N, B, 2F] lie beyond 1 % of healthy values three times as often before failures."""
    if not len(out):
        return np.empty(0, dtype=np.int64)
    beyond = out > -np.log10(OUT)
    often = beyond.sum(axis=(0, 1)) > OFTEN * OUT * (~np.isnan(out)).sum(axis=(0, 1))
    enough = beyond.any(axis=1).sum(axis=0) >= FAILURES
    return np.flatnonzero(np.asarray(often & enough))


def surprise(out: Floats, counts: Ints) -> Floats:
    """The farthest out of the sides that count, [...]; 0 where none does."""
    if not len(counts):
        return np.zeros(out.shape[:-1])
    return np.asarray(np.nan_to_num(out[..., counts]).max(axis=-1))


def reached(at: Floats) -> Floats:
    """Whether a failure shows at a lead or at a longer one, [N, B]; NaN without any decision."""
    known = ~np.isnan(at)
    result = np.maximum.accumulate(np.where(known, at, 0.0)[:, ::-1], axis=1)[:, ::-1]
    return np.where(known.any(axis=1, keepdims=True), result, np.nan)


def chance_of_spans(beyond: Bools, machine: Ints, time: Ints, span: int) -> float:
    """The share of machines' spans of healthy time, `span` ticks each, with a decision that is beyond."""
    _, place = np.unique(np.column_stack([machine, time // span]), axis=0, return_inverse=True)
    if not len(place):
        return 0.0
    hit = np.zeros(int(place.max()) + 1, dtype=np.bool_)
    np.logical_or.at(hit, place.ravel(), beyond)
    return float(hit.mean())
