"""The fleet as a table: a row for each opinion, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from forestall.data.clock import hour_of
from forestall.data.events import Events
from forestall.features import labels
from forestall.features.build import MACHINES_AT_A_TIME
from forestall.features.columns import span_name
from forestall.features.history import History, lay_out
from forestall.serving.baselines import KnownBaselines, own_or_known
from forestall.serving.bundle import Bundle
from forestall.serving.opinions import REASONS, Opinion, last_decisions, opinions_of
from forestall.serving.reasons import Reason
from forestall.training.remaining import LIFE

NO_OPINION = "no opinion: "


def fleet_of(
    frames: Iterable[pd.DataFrame],
    events: Events,
    known: KnownBaselines,
    bundle: Bundle,
    end: int,
    most: int = REASONS,
) -> pd.DataFrame:
    """The fleet's table, worst first.

    Args:
        frames: clean telemetry, whole machines at a time.
        known: the bundle's baselines, for machines whose history is too short for one of their own.
        end: up to which time it is told; ticks.
        most: reasons for each risk.
    """
    opinions: list[Opinion] = []
    for history in _histories(frames, events, bundle, end):
        until = last_decisions(history, bundle.reference)
        own = own_or_known(history, until, known, bundle.reference)
        opinions += opinions_of(history, own, bundle, most)
    return worst_first(fleet_table(opinions, bundle))


def _histories(frames: Iterable[pd.DataFrame], events: Events, bundle: Bundle, end: int) -> Iterator[History]:
    sensors, spans = list(bundle.reference.sensors), bundle.reference.spans
    for frame in frames:
        machines = frame["machine"].unique()
        for first in range(0, len(machines), MACHINES_AT_A_TIME):
            some = frame[frame["machine"].isin(machines[first : first + MACHINES_AT_A_TIME])]
            yield lay_out(some, events, sensors, spans, end)


def fleet_table(opinions: Iterable[Opinion], bundle: Bundle) -> pd.DataFrame:
    """One row for each opinion; columns as in `columns_of`, the last of them empty where there is no risk."""
    rows = [
        [
            one.machine,
            one.component,
            one.time,
            _status(one),
            *(_known(one, bundle) if one.curve else _nothing(bundle)),
        ]
        for one in opinions
    ]
    return pd.DataFrame(rows, columns=columns_of(bundle))


def columns_of(bundle: Bundle) -> list[str]:
    """The columns of a fleet table.

    `risk` is the one over the longest horizon, which alarms look at; `life_p10` to `life_p90` are quantiles of the
    remaining life in hours, or in the counter's unit.
    """
    spans, unit = bundle.reference.spans, bundle.reference.unit
    shorter = [f"risk_{span_name(horizon, unit)}" for horizon in spans.horizons[:-1]]
    known = ["alarm", "threshold", "reasons", *shorter, "risk", *LIFE]
    return ["machine", "component", "time", "status", *known]


def _status(opinion: Opinion) -> str:
    """Empty where there is a risk; else why there is none."""
    return NO_OPINION + opinion.no_risk if opinion.status == "no opinion" else opinion.no_risk


def _known(opinion: Opinion, bundle: Bundle) -> list[object]:
    longest, hour = bundle.reference.spans.horizon, hour_of(bundle.reference.unit)[0]
    alarm = "yes" if opinion.alarm else "no"
    lives = [life_in_words(life, longest // hour) for life in opinion.life]
    return [alarm, opinion.threshold, in_words(opinion.reasons), *opinion.curve, *lives]


def _nothing(bundle: Bundle) -> list[object]:
    return ["", None, "", *[None] * len(bundle.reference.spans.horizons), *[""] * len(LIFE)]


def worst_first(frame: pd.DataFrame) -> pd.DataFrame:
    """A fleet table with the highest risk first, then those without one, and machines that have failed last."""
    by = frame.assign(failed=frame["status"] == NO_OPINION + labels.FAILED).sort_values(
        ["failed", "risk", "machine", "component"], ascending=[True, False, True, True], kind="stable"
    )
    return by.drop(columns="failed").reset_index(drop=True)


def in_words(why: Iterable[Reason]) -> str:
    """Reasons as one line: what was seen, and how much of the risk it makes."""
    return "; ".join(f"{reason.text} ({reason.share:.0%})" for reason in why)


def life_in_words(life: float, longest: int) -> str:
    """A quantile of remaining life in whole hours (or a counter's unit), or that it lies beyond the longest horizon."""
    return f"{life:.0f}" if np.isfinite(life) else f"beyond {longest}"
