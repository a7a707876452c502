"""Why: what became of every failure, and what is nearest to every false alarm.

docs/reference/metrics.md has the rules, in their order: the first that holds is the cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forestall.evaluation.gaps import day_before
from forestall.evaluation.judge import Fold
from forestall.evaluation.ledger import judged_spans
from forestall.training.alarms import FALSE, NONE
from forestall.training.series import Floats, Ints, laid_out

CAUGHT, TOO_LATE, TOO_EARLY, WRONG = "caught", "too late", "too early", "wrong component"
NO_DECISION, GAP, NO_SIGNAL, BELOW = "no decision", "data gap", "no signal", "below threshold"
LATER, ANOTHER, REPAIR, SENSORS, NOISE = (
    "fails later",
    "another component failed",
    "after a repair",
    "sensor trouble",
    "noise",
)
HEALTHY = 0.9  # quantile of healthy decisions' risk, below which there is no signal
MOSTLY = 0.5  # share of the data missing
SOON = 3  # horizons within which a false alarm's part failing later is no accident
FAILURE_COLUMNS = [
    "machine",
    "component",
    "time",
    "caught",
    "cause",
    "highest_risk",
    "threshold",
    "alarm",
    "lead",
]
ALARM_COLUMNS = ["machine", "component", "opened", "risk", "threshold", "cause"]


@dataclass(frozen=True)
class Evidence:
    """A fold and what is known of its decisions, [S, T]: ticks of missing data in the day before, a stuck sensor."""

    fold: Fold
    missing: Floats
    stuck: Floats

    def span(self, first: int, last: int) -> slice:
        """The decisions of a series from one time to another, both included."""
        time = self.fold.series.time
        return slice(int(np.searchsorted(time, first)), int(np.searchsorted(time, last, side="right")))


def evidence(fold: Fold, gaps: Floats) -> Evidence:
    """gaps: as `missing_before` gives them, of all decisions."""
    stuck = [number for number, name in enumerate(fold.data.names) if name.endswith(".stuck")]
    stands = (fold.data.features[fold.rows][:, stuck] > 0).any(axis=1)
    values: Floats = np.column_stack([gaps[fold.rows], stands]).astype(np.float64)
    grid = laid_out(fold.series, fold.decisions, values, np.float64(0.0))
    return Evidence(fold, grid[:, :, 0], grid[:, :, 1])


def healthy_risk(validation: Fold) -> dict[str, float]:
    """The risk that one in ten decisions of healthy parts exceeds, by component; 0 where there is none."""
    labels, found = validation.labels(), {}
    grid = laid_out(validation.series, validation.decisions, labels, np.int8(-1))
    for column, name in enumerate(validation.series.components):
        own = validation.series.component == name
        risk = validation.risk[own][grid[own, :, column] == 0]
        found[name] = float(np.quantile(risk, HEALTHY)) if risk.size else 0.0
    return found


def failure_causes(
    known: Evidence, alarms: pd.DataFrame, thresholds: Mapping[str, float], healthy: Mapping[str, float]
) -> pd.DataFrame:
    """One row a failure of the judged span, `FAILURE_COLUMNS`; the risk, alarm and lead of what preceded it."""
    series, rules = known.fold.series, known.fold.data.rules
    rows = []
    for number, (start, stop) in enumerate(zip(*judged_spans(series, rules), strict=True)):
        failures = series.failures[number]
        inside = failures[(failures >= start) & (failures <= stop)].tolist()
        rows += [_failure(known, number, time, alarms, thresholds, healthy) for time in inside]
    table = pd.DataFrame(rows, columns=FAILURE_COLUMNS)
    return table.sort_values(["time", "machine", "component"], kind="stable", ignore_index=True)


@dataclass(frozen=True)
class Before:
    """What preceded a failure: the decisions that were in time for it, their highest risk (NaN: there were none),
    the machine's alarms, and when the first right one opened and how long before (-1: none did).
    """

    time: int
    span: slice
    highest: float
    alarms: pd.DataFrame
    opened: int
    lead: int


def _failure(
    known: Evidence,
    number: int,
    time: int,
    alarms: pd.DataFrame,
    thresholds: Mapping[str, float],
    healthy: Mapping[str, float],
) -> tuple[object, ...]:
    machine, component = (names[number] for names in (known.fold.series.machine, known.fold.series.component))
    threshold, before = thresholds[component], _before(known, number, time, alarms)
    cause = _cause(known, number, before, threshold, healthy[component])
    yes = "yes" if cause == CAUGHT else "no"
    return machine, component, time, yes, cause, before.highest, threshold, before.opened, before.lead


def _before(known: Evidence, number: int, time: int, alarms: pd.DataFrame) -> Before:
    fold, rules = known.fold, known.fold.data.rules
    span = known.span(time - rules.horizon, time - rules.min_lead)
    risk = fold.risk[number, span][fold.series.present[number, span]]
    own = alarms[(alarms["machine"] == fold.series.machine[number]) & (alarms["opened"] < time)]
    right = own[(own["component"] == fold.series.component[number]) & (own["failure"] == time)]
    opened = int(right["opened"].min()) if len(right) else NONE
    lead = time - opened if len(right) else NONE
    return Before(time, span, float(risk.max()) if risk.size else np.nan, own, opened, lead)


def _cause(known: Evidence, number: int, before: Before, threshold: float, healthy: float) -> str:
    rules, component = known.fold.data.rules, known.fold.series.component[number]
    others = before.alarms[before.alarms["component"] != component]
    if before.lead >= rules.min_lead:
        return CAUGHT
    if np.isnan(before.highest):
        return NO_DECISION
    if before.lead != NONE:
        return TOO_LATE
    if before.highest >= np.float32(threshold):
        return TOO_EARLY
    if _open(others, before.time - rules.horizon, before.time - rules.min_lead):
        return WRONG
    if _gap(known, number, before.span):
        return GAP
    return NO_SIGNAL if before.highest < healthy else BELOW


def _open(alarms: pd.DataFrame, start: int, stop: int) -> bool:
    """Whether an alarm opened in a span that was not right for a failure of its own by then."""
    opened = alarms["opened"].between(start, stop)
    elsewhere = (alarms["failure"] < 0) | (alarms["failure"] > stop)
    return bool((opened & elsewhere).any())


def _gap(known: Evidence, number: int, span: slice) -> bool:
    """Whether most decisions before a failure had no opinion, or most of their data were missing."""
    present = known.fold.series.present[number, span]
    missing = known.missing[number, span][present].mean() / day_before(known.fold.data.dataset)
    return bool(present.mean() < MOSTLY or missing > MOSTLY)


def false_alarm_causes(
    known: Evidence, alarms: pd.DataFrame, thresholds: Mapping[str, float]
) -> pd.DataFrame:
    """One row a false alarm, `ALARM_COLUMNS`; the risk is that of the decision that opened it."""
    series = known.fold.series
    number = {(m, c): n for n, (m, c) in enumerate(zip(series.machine, series.component, strict=True))}
    rows = []
    wrong = alarms.loc[alarms["outcome"] == FALSE, ["machine", "component", "opened"]]
    for machine, component, opened in wrong.to_numpy().tolist():
        at = number[machine, component], int(np.searchsorted(series.time, opened))
        cause = _nearest(known, *at, opened)
        rows.append((machine, component, opened, known.fold.risk[at], thresholds[component], cause))
    table = pd.DataFrame(rows, columns=ALARM_COLUMNS)
    return table.sort_values(["opened", "machine", "component"], kind="stable", ignore_index=True)


def _nearest(known: Evidence, number: int, step: int, opened: int) -> str:
    series, horizon = known.fold.series, known.fold.data.rules.horizon
    machine = [n for n, name in enumerate(series.machine) if name == series.machine[number]]
    if any(_within(series.failures[n], opened, opened + horizon) for n in machine if n != number):
        return ANOTHER
    if _within(series.failures[number], opened, opened + SOON * horizon):
        return LATER
    if any(_within(series.renewed[n], opened - horizon - 1, opened) for n in machine):
        return REPAIR
    missing = known.missing[number, step] > day_before(known.fold.data.dataset) / 4
    return SENSORS if missing or known.stuck[number, step] else NOISE


def _within(times: Ints, after: int, until: int) -> bool:
    return bool(((times > after) & (times <= until)).any())
