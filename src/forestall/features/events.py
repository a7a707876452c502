"""Features of the event tables: errors, replacements, visits."""

from itertools import combinations

import numpy as np
import pandas as pd

from forestall.data.clock import day_of, hour_of
from forestall.features.columns import Columns, span_name
from forestall.features.history import Bools, Floats, History, Ints, Spans
from forestall.features.windows import windowed

NEVER = np.int64(-(2**60))
Found = tuple[Ints, Ints]  # of some events the row number of the machine, and the time


def add_error_features(columns: Columns, history: History, codes: list[str], spans: Spans, unit: str) -> None:
    """Per code the count by window and how lately the last came; codes that come together.

    Recency is 1 / (1 + hours since) and 0 beyond the lookback: what matters is minutes or hours, not days or weeks.

    Args:
        codes: the codes known from training; others are not counted.
    """
    if not codes:
        return
    found = _found(history, history.events.errors, "code", codes)
    counts = np.stack([_counts(history, one, spans) for one in found], axis=-1)
    hour, _ = hour_of(unit)
    for number, window in enumerate(spans.events):
        name = span_name(window, unit)
        seen = windowed(counts, window // spans.every, np.add, 0.0)[:, _before(spans) :]
        for position, code in enumerate(codes):
            columns.add(f"{code}.count.{name}", "errors", f"error {code}", seen[:, :, position])
        columns.add(f"errors.distinct.{name}", "errors", "errors", (seen > 0).sum(axis=-1))
        if number == 0:
            for a, b in combinations(range(len(codes)), 2):
                both = np.minimum(seen[:, :, a], seen[:, :, b])
                columns.add(f"{codes[a]}+{codes[b]}.{name}", "errors", f"error {codes[a]}", both)
    for code, one in zip(codes, found, strict=True):
        since = _since_last(history, one, spans)
        recency = np.where(since < spans.lookback, hour / (hour + since), 0)
        columns.add(f"{code}.recency", "errors", f"error {code}", recency)


def add_replacement_features(
    columns: Columns, history: History, components: list[str], spans: Spans, unit: str
) -> None:
    """Per component the days since its last replacement (a failure is followed by one), NaN when unknown.

    Here as in `add_schedule_features`, a counter's own units stand for days.
    """
    renewed = pd.concat([history.events.maintenance, history.events.failures])
    day, _ = day_of(unit)
    for component, found in zip(components, _found(history, renewed, "component", components), strict=True):
        since = _since_last(history, found, spans)
        known = since < -NEVER // 2
        age, source = np.where(known, since / day, np.nan), f"age of {component}"
        columns.add(f"{component}.replaced", "replacements", source, age)
        columns.add(f"{component}.replaced.known", "replacements", source, known)


def add_schedule_features(columns: Columns, history: History, spans: Spans, unit: str) -> None:
    """Days since anybody last replaced anything on the machine: what betrays the service schedule."""
    since = _since_last(history, _placed(history, history.events.maintenance)[:2], spans)
    known = since < -NEVER // 2
    day, name = day_of(unit)
    columns.add(f"visit.{name}", "schedule", "service schedule", np.where(known, since / day, np.nan))
    columns.add("visit.known", "schedule", "service schedule", known)


def replacements(maintenance: pd.DataFrame, failures: pd.DataFrame) -> pd.DataFrame:
    """When each component was new again: after maintenance and after a failure, one row a moment."""
    both = pd.concat([maintenance, failures])[["machine", "time", "component"]]
    return both.drop_duplicates().sort_values(["machine", "component", "time"], ignore_index=True)


def _placed(history: History, frame: pd.DataFrame) -> tuple[Ints, Ints, Bools]:
    """Row number of the machine and time of the events of these machines, and which of the frame's they are."""
    number = {machine: position for position, machine in enumerate(history.machines)}
    owner = np.array([number.get(machine, -1) for machine in frame["machine"]], dtype=np.int64)
    ours: Bools = owner >= 0
    return owner[ours], frame["time"].to_numpy(dtype=np.int64)[ours], ours


def _found(history: History, frame: pd.DataFrame, column: str, values: list[str]) -> list[Found]:
    """The events with each of these values."""
    owner, time, ours = _placed(history, frame)
    said = frame[column].to_numpy(dtype=object)[ours]
    return [(owner[said == value], time[said == value]) for value in values]


def _step(history: History, time: Ints, spans: Spans) -> Ints:
    """The first decision step at which an event of this time is known; negative before the history."""
    return -((history.start - time) // spans.every) - 1


def _before(spans: Spans) -> int:
    """Steps before the first decision whose errors are counted: one machine's layout may start in another's windows."""
    return -(-spans.lookback // spans.every)


def _counts(history: History, found: Found, spans: Spans) -> Floats:
    """Errors in each step, [machines, steps before the first decision, then decisions]."""
    counts = np.zeros((len(history.machines), _before(spans) + len(history.decisions(spans))))
    machine, time = found
    step = _step(history, time, spans) + _before(spans)
    inside = (step >= 0) & (step < counts.shape[1])
    np.add.at(counts, (machine[inside], step[inside]), 1.0)
    return counts


def _since_last(history: History, found: Found, spans: Spans) -> Ints:
    """Ticks from the last of these events at or before each decision; huge where there was none."""
    decisions = history.decisions(spans)
    last = np.full((len(history.machines), len(decisions)), NEVER)
    machine, time = found
    step = np.maximum(_step(history, time, spans), 0)
    inside = step < len(decisions)
    np.maximum.at(last, (machine[inside], step[inside]), time[inside])
    return decisions - np.maximum.accumulate(last, axis=1)
