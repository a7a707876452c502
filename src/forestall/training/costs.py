"""What alarms and failures cost, in the dataset file's currency."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from forestall.data.dataset import Costs

Number = TypeVar("Number", float, npt.NDArray[np.float64])


def event_cost(caught: Number, missed: Number, inspections: Number, costs: Costs) -> Number:
    """Cost of a period's events.

    Args:
        caught: failures with an alarm in time; acting prevents a share `prevented` of them for the price of
            planned work, the others fail all the same.
        missed: failures without one.
        inspections: alarms that somebody looked into without a failure: false ones and undetermined ones.
    """
    caught_cost = costs.prevented * costs.planned + (1 - costs.prevented) * costs.failure
    return caught * caught_cost + missed * costs.failure + inspections * costs.inspection
