"""What live scoring is handed to count the model's inputs for monitoring, and the decisions that it counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from forestall.features.history import Ints
from forestall.features.labels import OPINION
from forestall.features.reference import Matrix
from forestall.serving.store.input_counts import WeekCounts
from forestall.serving.store.machines import Machine


class InputCounter(Protocol):
    """Counts filled feature rows in bins. kind: which bins; length: of a week, in ticks."""

    @property
    def kind(self) -> str: ...

    @property
    def length(self) -> int: ...

    def counts(self, features: Matrix, group: Ints, groups: int) -> npt.NDArray[np.int32]:
        """Of rows [rows, features] by group, [groups, bins]."""


def counted(
    counter: InputCounter,
    machines: Sequence[Machine],
    decisions: Ints,
    features: Matrix,
    no_opinion: npt.NDArray[np.object_],
) -> list[WeekCounts]:
    """Decisions with an opinion that are scored for the first time; scored again, a decision is not counted again.

    Args:
        features: [machines, decisions, features]. no_opinion: [machines, decisions].
    """
    never = np.iinfo(np.int64).min
    scored = np.array([never if m.scored_until is None else m.scored_until for m in machines])
    row, step = np.nonzero((no_opinion == OPINION) & (decisions > scored[:, None]))
    weeks, at = np.unique(np.stack([row, decisions[step] // counter.length]), axis=1, return_inverse=True)
    found = counter.counts(features[row, step], at.ravel(), weeks.shape[1])
    return [
        WeekCounts(
            number=machines[weeks[0, week]].number,
            start=int(weeks[1, week] * counter.length),
            first=int(decisions[step[at == week]].min()),
            last=int(decisions[step[at == week]].max()),
            counts=found[week],
        )
        for week in range(weeks.shape[1])
    ]
