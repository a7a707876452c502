"""The fleet at its latest time: each machine and component with its risk, or why there is none; worst first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import hour_of
from forestall.features import labels, matrix
from forestall.features.baselines import OwnBaselines
from forestall.features.columns import span_name
from forestall.features.history import Bools, History, Ints
from forestall.features.reference import Matrix
from forestall.features.sensors import Normal
from forestall.serving.bundle import Bundle
from forestall.serving.reasons import Reason, healthy_reference, reasons
from forestall.serving.words import life_in_words
from forestall.training.remaining import LIFE, remaining_life

NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Latest:
    """Machines at their latest decision: its time [machines], filled features [machines, features], the baselines
    that hold, and why there is no opinion, [machines].
    """

    machines: list[str]
    time: Ints
    features: Matrix
    normal: Normal
    no_opinion: npt.NDArray[np.object_]


def latest(history: History, own: OwnBaselines, failed: Bools, bundle: Bundle) -> Latest:
    """The last decision of a history, for the history's machines.

    Machines that share a calendar are all asked at its end, where one that fell silent is stale; with clocks of
    their own there is no common end, and each is asked at its own.

    Args:
        failed: the machines that failed and were not seen after it, [machines].
    """
    reference, spans, each = bundle.reference, bundle.reference.spans, np.arange(len(history.machines))
    times, opinions = history.decisions(spans), labels.opinions(history, spans)
    step = np.full(len(each), len(times) - 1)
    if reference.own_clocks:
        opinions[history.own_last_steps(spans) < 0] = labels.SHORT
        step = np.maximum(history.own_last_steps(spans), 0)
    opinions[failed] = labels.FAILED
    whole = matrix.normal_of(history, own, reference)
    return Latest(
        machines=history.machines,
        time=times[step],
        features=matrix.feature_matrix(history, own, reference)[each, step],
        normal=whole.at(each, step),
        no_opinion=opinions[each, step],
    )


def fleet_table(now: Latest, bundle: Bundle, absent: set[tuple[str, str]], most: int) -> pd.DataFrame:
    """One row for each machine and component; columns as in `columns_of`.

    Risks and lives are empty, and `status` says why, where the component does not exist or there is no opinion.
    """
    curves = bundle.curves(now.features)
    healthy = healthy_reference(now.features, now.normal, bundle.reference)
    why = reasons(now.features, healthy, bundle, most)
    lives = [remaining_life(curves, bundle.reference.spans.horizons, share) for share in LIFE.values()]
    rows = []
    for m, machine in enumerate(now.machines):
        for c, component in enumerate(bundle.components):
            status = _status(now.no_opinion[m], (machine, component) in absent)
            threshold = bundle.thresholds[component]
            known = (
                ["", None, "", *[None] * len(curves[m, c]), *[""] * len(LIFE)]
                if status
                else _known(
                    curves[m, c], threshold, in_words(why[m][c]), [life[m, c] for life in lives], bundle
                )
            )
            rows.append([machine, component, now.time[m], status, *known])
    return pd.DataFrame(rows, columns=columns_of(bundle))


def columns_of(bundle: Bundle) -> list[str]:
    """The columns of a fleet table.

    `risk` is the one over the longest horizon, which alarms look at; `life_p10` to `life_p90` are quantiles of the
    remaining life in hours, or in the counter's unit.
    """
    spans, unit = bundle.reference.spans, bundle.reference.unit
    shorter = [f"risk_{span_name(horizon, unit)}" for horizon in spans.horizons[:-1]]
    return [
        "machine",
        "component",
        "time",
        "status",
        "alarm",
        "threshold",
        "reasons",
        *shorter,
        "risk",
        *LIFE,
    ]


def _known(curve: Matrix, threshold: float, why: str, lives: list[float], bundle: Bundle) -> list[object]:
    longest, hour = bundle.reference.spans.horizon, hour_of(bundle.reference.unit)[0]
    alarm = "yes" if curve[-1] >= np.float32(threshold) else "no"
    words = [life_in_words(life, longest, hour) for life in lives]
    return [alarm, threshold, why, *(float(risk) for risk in curve), *words]


def worst_first(frame: pd.DataFrame) -> pd.DataFrame:
    """A fleet table with the highest risk first, then those without one, and machines that have failed last."""
    failed = frame["status"] == _status(labels.FAILED, absent=False)
    by = frame.assign(failed=failed).sort_values(
        ["failed", "risk", "machine", "component"], ascending=[True, False, True, True], kind="stable"
    )
    return by.drop(columns="failed").reset_index(drop=True)


def in_words(why: list[Reason]) -> str:
    """Reasons as one line: what was seen, and how much of the risk it makes."""
    return "; ".join(f"{reason.text} ({reason.share:.0%})" for reason in why)


def _status(no_opinion: str, absent: bool) -> str:
    if absent:
        return NOT_APPLICABLE
    return f"no opinion: {no_opinion}" if no_opinion else ""
