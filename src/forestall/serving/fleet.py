"""The fleet at its latest time: each machine and component with its risk, or why there is none; worst first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.features import labels, matrix
from forestall.features.baselines import OwnBaselines
from forestall.features.history import History
from forestall.features.sensors import Normal
from forestall.serving.bundle import Bundle
from forestall.serving.reasons import Reason, healthy_reference, reasons

NOT_APPLICABLE = "not applicable"
COLUMNS = ["machine", "component", "time", "risk", "threshold", "alarm", "status", "reasons"]


@dataclass(frozen=True)
class Latest:
    """Machines at their latest decision: filled features [machines, features] and the baselines that hold."""

    machines: list[str]
    time: int
    features: matrix.Matrix
    normal: Normal
    no_opinion: npt.NDArray[np.object_]


def latest(history: History, own: OwnBaselines, bundle: Bundle) -> Latest:
    """The last decision of a history, for the history's machines."""
    reference = bundle.reference
    features = matrix.feature_matrix(history, own, reference)[:, -1]
    normal = matrix.normal_of(history, own, reference).last()
    no_opinion = labels.opinions(history, reference.spans)[:, -1]
    return Latest(history.machines, int(history.decisions(reference.spans)[-1]), features, normal, no_opinion)


def fleet_table(now: Latest, bundle: Bundle, absent: set[tuple[str, str]], most: int) -> pd.DataFrame:
    """One row for each machine and component; columns as in `COLUMNS`.

    `risk` is empty and `status` says why where the component does not exist or there is no opinion.
    """
    risk = bundle.risk(now.features)
    healthy = healthy_reference(now.features, now.normal, bundle.reference)
    why = reasons(now.features, healthy, bundle, most)
    rows = []
    for m, machine in enumerate(now.machines):
        for c, component in enumerate(bundle.components):
            status = _status(now.no_opinion[m], (machine, component) in absent)
            threshold = bundle.thresholds[component]
            known = status == ""
            rows.append(
                {
                    "machine": machine,
                    "component": component,
                    "time": now.time,
                    "risk": float(risk[m, c]) if known else None,
                    "threshold": threshold if known else None,
                    "alarm": "yes"
                    if known and risk[m, c] >= np.float32(threshold)
                    else "no"
                    if known
                    else "",
                    "status": status,
                    "reasons": in_words(why[m][c]) if known else "",
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def worst_first(frame: pd.DataFrame) -> pd.DataFrame:
    """A fleet table with the highest risk first and those without one last."""
    order = ["risk", "machine", "component"]
    return frame.sort_values(order, ascending=[False, True, True], kind="stable", ignore_index=True)


def in_words(why: list[Reason]) -> str:
    """Reasons as one line: what was seen, and how much of the risk it makes."""
    return "; ".join(f"{reason.text} ({reason.share:.0%})" for reason in why)


def _status(no_opinion: str, absent: bool) -> str:
    if absent:
        return NOT_APPLICABLE
    return f"no opinion: {no_opinion}" if no_opinion else ""
