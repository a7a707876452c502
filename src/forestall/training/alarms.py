"""Alarms: when they open and close, and whether they were right.

An alarm opens at the first decision at or above the threshold for one machine and component. It closes when
the part is replaced or fails, when risk stays below for `quiet` decisions, or after one horizon, and may then
reopen as a new alarm. Decisions without an opinion change nothing. What becomes of an alarm depends only on
when it opened:

- right: the component fails within the horizon, in (opened, opened + horizon];
- undetermined: the part was replaced as planned before that, or the data end before opened + horizon;
- false: neither.

A failure counts if it could have been foreseen: the machine has a decision in [failure - horizon,
failure - min_lead]. It is caught if a right alarm opened in that span, however many alarms did.

Times are ticks. S series (a machine's component each), T decision times, K thresholds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.dataset import Costs
from forestall.training.costs import event_cost
from forestall.training.series import Bools, Floats, Ints, Risk, Rules, Series

RIGHT, FALSE, UNDETERMINED = "right", "false", "undetermined"
OUTCOMES = (RIGHT, FALSE, UNDETERMINED)
NEVER = np.int64(2**62)
NONE = -1
Thresholds = float | dict[str, float] | Floats


@dataclass(frozen=True)
class Fates:
    """What becomes of an alarm that opens at a series' decision; all [S, T].

    outcome: a position in OUTCOMES. closes: when it closes if risk stays high. failure: position of the
    failure that makes it right, or -1. timely: whether it opened at least `min_lead` before that failure.
    """

    outcome: npt.NDArray[np.int8]
    closes: Ints
    failure: Ints
    timely: Bools


@dataclass(frozen=True)
class Outcomes:
    """Counts of failures and alarms, arrays of one shape: [S, K], or [K] once summed."""

    failures: Ints
    caught: Ints
    right: Ints
    false: Ints
    undetermined: Ints

    def over(self, series: Bools | slice = slice(None)) -> Outcomes:
        """Counts [S, K] summed over some series, [K]."""
        return Outcomes(**{one.name: getattr(self, one.name)[series].sum(axis=0) for one in fields(self)})

    @property
    def missed(self) -> Ints:
        """Failures that no right alarm opened in time for."""
        return self.failures - self.caught

    def cost(self, costs: Costs) -> Floats:
        """Cost of the events."""
        caught, missed = self.caught.astype(np.float64), self.missed.astype(np.float64)
        return event_cost(caught, missed, (self.false + self.undetermined).astype(np.float64), costs)


def foreseeable(series: Series, rules: Rules) -> list[Bools]:
    """Which of each series' failures count."""
    result = []
    for number, failures in enumerate(series.failures):
        decided = series.time[series.present[number]]
        first = np.searchsorted(decided, failures - rules.horizon, side="left")
        last = np.searchsorted(decided, failures - rules.min_lead, side="right")
        result.append(first < last)
    return result


def fates(series: Series, rules: Rules) -> Fates:
    """What becomes of an alarm, for each series and decision at which it may open."""
    shape = (len(series), len(series.time))
    closes, failure_at = np.empty(shape, np.int64), np.empty(shape, np.int64)
    known = Fates(np.empty(shape, np.int8), closes, failure_at, np.empty(shape, np.bool_))
    limit = series.time + rules.horizon
    for row in range(len(series)):
        failure, position = _next(series.failures[row], series.time)
        planned, _ = _next(series.replaced[row], series.time)
        renewed, _ = _next(series.renewed[row], series.time)
        right = (failure <= limit) & (failure <= planned)
        unknown = (planned <= limit) | (limit > series.end[row])
        known.outcome[row] = np.where(right, 0, np.where(unknown, 2, 1))
        known.closes[row] = np.minimum(limit, renewed)
        known.failure[row] = np.where(right, position, NONE)
        known.timely[row] = right & (series.time <= failure - rules.min_lead)
    return known


def _next(events: Ints, time: Ints) -> tuple[Ints, Ints]:
    """The first event after each time, and its position."""
    position = np.searchsorted(events, time, side="right")
    return np.append(events, NEVER)[position], position


def open_alarms(series: Series, risk: Risk, threshold: Thresholds, rules: Rules) -> pd.DataFrame:
    """Every alarm, series by series in order of time.

    Args:
        risk: [S, T], NaN where there is no opinion.
        threshold: one for all, [S], or by component.

    Returns:
        machine, component, opened, closed (-1 if still open when the data end), outcome, failure (when the
        failure was that makes it right, else -1), lead (failure - opened, else -1). Times in ticks.
    """
    known, limits = fates(series, rules), _limits(series, threshold)
    above = series.present & (risk >= limits[:, None])
    rows = []
    for number in np.flatnonzero(above.any(axis=1)).tolist():
        openings = _openings(above[number], series.present[number], known.closes[number], series.time, rules)
        rows += [(number, step, time if time <= series.end[number] else NONE) for step, time in openings]
    return _alarm_frame(series, known, np.array(rows, dtype=np.int64).reshape(-1, 3))


def _openings(above: Bools, present: Bools, closes: Ints, time: Ints, rules: Rules) -> list[tuple[int, int]]:
    """Step of opening and time of closing of one series' alarms."""
    result = []
    step, steps = 0, len(time)
    while step < steps:
        if not above[step]:
            step += 1
            continue
        opened, below, closed = step, 0, int(closes[step])
        step += 1
        while step < steps and time[step] < closed:
            below = 0 if above[step] else below + int(present[step])
            if below == rules.quiet:
                closed = int(time[step])
                break
            step += 1
        result.append((opened, closed))
    return result


def _alarm_frame(series: Series, known: Fates, rows: Ints) -> pd.DataFrame:
    number, step, closed = rows.T
    position = known.failure[number, step]
    times = [series.failures[s][p] if p >= 0 else NONE for s, p in zip(number, position, strict=True)]
    failure = np.array(times, dtype=np.int64)
    opened = series.time[step]
    return pd.DataFrame(
        {
            "machine": series.machine[number],
            "component": series.component[number],
            "opened": opened,
            "closed": closed,
            "outcome": np.array(OUTCOMES, dtype=object)[known.outcome[number, step]],
            "failure": failure,
            "lead": np.where(failure >= 0, failure - opened, NONE),
        }
    )


def _limits(series: Series, threshold: Thresholds) -> Risk:
    """A threshold for each series, [S], as float32 like the risk that it is compared with."""
    if isinstance(threshold, dict):
        threshold = np.array([threshold[component] for component in series.component], dtype=np.float64)
    return np.broadcast_to(np.asarray(threshold, dtype=np.float32), (len(series),))


def judge(series: Series, above: Callable[[int], Bools], count: int, rules: Rules) -> Outcomes:
    """Counts [S, K] of K ways to raise alarms at once.

    Args:
        above: gives, for a decision's position in `series.time`, whether risk is high there, [S, K].
        count: K.
    """
    known, shape = fates(series, rules), (len(series), count)
    alarms = np.zeros((len(OUTCOMES), *shape), dtype=np.int64)
    caught, last = np.zeros(shape, dtype=np.int64), np.full(shape, NONE)
    closes, below = np.full(shape, -NEVER), np.zeros(shape, dtype=np.int32)
    for step, time in enumerate(series.time):
        present = series.present[:, step, None]
        high = above(step) & present
        is_open = closes > time
        below = np.where(high, 0, below + present)
        closes[is_open & (below >= rules.quiet) & present] = time
        number, k = np.nonzero(high & ~is_open)
        alarms[known.outcome[number, step], number, k] += 1
        closes[number, k] = known.closes[number, step]
        failure = known.failure[number, step]
        new = known.timely[number, step] & (failure != last[number, k])
        caught[number[new], k[new]] += 1
        last[number[new], k[new]] = failure[new]
    failures = np.array([counts.sum() for counts in foreseeable(series, rules)], dtype=np.int64)
    return Outcomes(np.broadcast_to(failures[:, None], shape), caught, *alarms)


def outcomes_by_series(series: Series, risk: Risk, thresholds: Floats, rules: Rules) -> Outcomes:
    """Counts [S, K] of risk [S, T] judged at thresholds [K], or [S, K]."""
    by_step = np.ascontiguousarray(risk.T)
    limits = np.broadcast_to(thresholds.astype(np.float32), (len(series), thresholds.shape[-1]))
    return judge(series, lambda step: by_step[step][:, None] >= limits, limits.shape[1], rules)
