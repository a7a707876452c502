"""The decisions that led up to a plant's failures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forestall.data.events import Events
from forestall.features.history import Ints, Spans
from forestall.features.labels import OPINION, TRAIN
from forestall.features.reference import Matrix
from forestall.serving.bundle import Bundle
from forestall.serving.patterns import NONE

FAILURES = 200  # of a component, the latest ones
DECISIONS = 32  # before a failure, at equal distances
HORIZONS = 2  # so many longest horizons before it
EARLIEST = -(2**62)


@dataclass(frozen=True)
class RunUp:
    """A failure, and the decisions with an opinion before it, the earliest first.

    failed: ticks. rows: the decisions' positions; time: theirs in ticks.
    """

    machine: str
    component: str
    failed: int
    rows: Ints
    time: Ints

    def warned(self, risk: Matrix, threshold: float) -> int:
        """For how many ticks before the failure the risk [decisions] stood at the threshold or above.

        NONE if at the last decision it did not. What was before the run-up is not looked at.
        """
        below = np.flatnonzero(risk < np.float32(threshold))
        first = below[-1] + 1 if len(below) else 0
        return self.failed - int(self.time[first]) if first < len(risk) else NONE


def run_ups(decisions: pd.DataFrame, events: Events, bundle: Bundle) -> list[RunUp]:
    """Those of the latest FAILURES failures of each component; of failures without any such decision there is none.

    Decisions that the model was trained on are left out: there it knows the answer, and seems to have warned of nearly
    every failure a whole horizon before.

    Args:
        decisions: machine, time, no_opinion and fold, each machine's in order of time.
    """
    told = np.flatnonzero(((decisions["no_opinion"] == OPINION) & (decisions["fold"] != TRAIN)).to_numpy())
    machines, time = decisions["machine"].to_numpy()[told], decisions["time"].to_numpy(dtype=np.int64)
    rows_of = {machine: told[at] for machine, at in pd.Series(told).groupby(machines).indices.items()}
    found = []
    for machine, component, renewed, failed in _failures(events, bundle.components):
        rows = rows_of.get(machine, told[:0])
        rows = rows[_leading_up(time[rows], renewed, failed, bundle.reference.spans)]
        found.append(RunUp(machine, component, failed, rows, time[rows]))
    return [one for one in found if len(one.rows)]


def _failures(events: Events, components: list[str]) -> Iterator[tuple[str, str, int, int]]:
    """Machine, component, when its part went into use (ticks; before all times if that is not known), and failed."""
    both = pd.concat([events.failures, events.maintenance])
    renewals = dict(iter(both.groupby(["machine", "component"])["time"]))
    for component in components:
        failures = events.failures[events.failures["component"] == component].drop_duplicates()
        latest = failures.sort_values(["time", "machine"], kind="stable")[-FAILURES:]
        for machine, failed in zip(latest["machine"], latest["time"].tolist(), strict=True):
            renewed = renewals[machine, component]
            yield machine, component, int(max(renewed[renewed < failed], default=EARLIEST)), failed


def _leading_up(time: Ints, renewed: int, failed: int, spans: Spans) -> Ints:
    """Positions of the times before a failure, while the part that failed was in use; DECISIONS at most."""
    within = (time >= failed - HORIZONS * spans.horizon) & (time > renewed) & (time < failed)
    stride = -(-HORIZONS * spans.horizon // (spans.every * DECISIONS))
    return np.flatnonzero(within)[::-1][::stride][::-1]
