"""Look at a part now, or at the next visit? What each is expected to cost by the plant's own prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forestall.data.dataset import Costs
from forestall.features.history import Spans
from forestall.serving.opinions import Opinion

LEAST_VISITS = 3  # fewer make no rhythm
LATEST_VISITS = 9


@dataclass(frozen=True)
class Advice:
    """Expected costs until the end of the longest horizon.

    visit: when the next visit is, in ticks. now, later: of looking at the part at once, and at the visit. before: the
    chance that it fails before the visit. beyond: whether the visit lies past the longest horizon; then `later` is
    what breaking down within the horizon alone costs, and looking at the visit comes on top.
    """

    visit: int
    now: float
    later: float
    before: float
    beyond: bool

    @property
    def act_now(self) -> bool:
        """Whether waiting is expected to cost more."""
        return self.later > self.now


def advice(opinion: Opinion, visit: int, spans: Spans, costs: Costs) -> Advice:
    """Of a part with a risk.

    Looked at in time, a part about to fail is replaced as planned, and a share `prevented` of the failures does not
    happen; one that is not is an inspection for nothing, which a planned visit has room for. The prices are those of
    `costs` in the dataset file, as in the policies' costs.
    """
    horizon = spans.horizon
    chance = risk_within(opinion, horizon, spans)
    before = risk_within(opinion, visit - opinion.time, spans)
    caught = costs.prevented * costs.planned + (1 - costs.prevented) * costs.failure
    now = chance * caught + (1 - chance) * costs.inspection
    later = before * costs.failure + (chance - before) * caught
    return Advice(visit, now, later, before, visit - opinion.time > horizon)


def waiting_cost(opinion: Opinion, wait: int, spans: Spans, costs: Costs) -> float:
    """What breaking down within `wait` ticks of the decision is expected to cost beyond a planned replacement now."""
    return risk_within(opinion, wait, spans) * costs.prevented * max(0.0, costs.failure - costs.planned)


def risk_within(opinion: Opinion, ticks: int, spans: Spans) -> float:
    """The risk of failing within some ticks of the decision, which rises evenly from one horizon to the next."""
    return float(np.interp(ticks, [0, *spans.horizons], [0.0, *opinion.curve]))


def next_visit(maintenance: pd.DataFrame, failures: pd.DataFrame, now: int, spans: Spans) -> int | None:
    """When a machine's next planned visit is to be expected, in ticks: after its usual time from visit to visit.

    Args:
        maintenance, failures: of the machine until now: time, component. A replacement within one horizon after a
            failure of the part is its repair, and no visit.

    Returns:
        None if there were too few visits.
    """
    visits = _visits(maintenance, failures, spans)[-LATEST_VISITS:]
    if len(visits) < LEAST_VISITS:
        return None
    gap = max(int(np.median(np.diff(visits))), spans.every)
    return visits[-1] + gap * max(1, (now - visits[-1]) // gap + 1)


def _visits(maintenance: pd.DataFrame, failures: pd.DataFrame, spans: Spans) -> Sequence[int]:
    """Times of planned visits; what was done within one decision step is one visit."""
    failed = {one: group["time"].to_numpy() for one, group in failures.groupby("component")}
    planned: list[int] = []
    for time, component in sorted(zip(maintenance["time"], maintenance["component"], strict=True)):
        times = failed.get(component, np.empty(0))
        repair = ((times <= time) & (times > time - spans.horizon)).any()
        if not repair and (not planned or time - planned[-1] >= spans.every):
            planned.append(int(time))
    return planned
