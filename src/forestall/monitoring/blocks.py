"""Blocks: what is counted of a machine in a week, in the reference and in service alike.

Weeks are those of the clock, counted from tick 0; where each machine counts by itself (cycles), a block is as long a
span of its counter: seven of the units that stand for days, or the next whole number of decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from forestall.data.clock import day_of
from forestall.features.history import Spans
from forestall.features.labels import FAILED, OFF, OPINION, SHORT, STALE

Ints = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]
DAYS = 7
OPINIONS = (OPINION, SHORT, STALE, OFF, FAILED)  # a decision has an opinion, or this is why not


@dataclass(frozen=True, eq=False)
class Blocks:
    """B blocks, by machine and then by start.

    machine: [B]. start: ticks, [B]. alarms: how many opened, [B, components]. risks, inputs: decisions with an opinion
    in each bin, [B, bins]. opinions: decisions with an opinion, and without one by reason, [B, OPINIONS].
    """

    machine: npt.NDArray[np.object_]
    start: Ints
    alarms: Counts
    risks: Counts
    inputs: Counts
    opinions: Counts

    def __len__(self) -> int:
        return len(self.machine)

    def take(self, which: npt.NDArray[Any]) -> Blocks:
        """Some of them, by a mask or by positions."""
        return Blocks(**{one.name: getattr(self, one.name)[which] for one in fields(self)})


def block_length(spans: Spans, unit: str) -> int:
    """Ticks in a block: a whole number of decisions, so that all blocks have the same number."""
    return -(-DAYS * day_of(unit)[0] // spans.every) * spans.every


def block_start(time: Ints, length: int) -> Ints:
    """The block that a decision belongs to, by its start."""
    return time // length * length


def opinion_counts(no_opinion: Sequence[str], group: Ints, groups: int) -> Counts:
    """Decisions by whether there is an opinion or why not, [groups, OPINIONS].

    Raises:
        ValueError: a reason that is none.
    """
    place = np.array([OPINIONS.index(reason) for reason in no_opinion], dtype=np.int64)
    counts = np.bincount(group * len(OPINIONS) + place, minlength=groups * len(OPINIONS))
    return counts.reshape(groups, len(OPINIONS)).astype(np.int32)
