"""The decisions, windows and folds of a proposed dataset file, all from the telemetry's interval."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from forestall.data.clock import SECONDS, is_counter
from forestall.data.roles import Role

Lines = Iterator[str]


def plan_lines(interval: int, unit: str, offset: int) -> Lines:
    """The sections `decisions` and `windows`; `interval` and `offset` in ticks."""
    every, day = _every(interval, unit), _day(interval, unit)
    yield from ("# CHECK: when predictions are made, and about what span of time.", "decisions:")
    decisions = (
        ("every", every, "Time between two decisions about a machine."),
        ("offset", offset, "Shift of the grid from midnight."),
        (
            "horizons",
            day,
            "How far one looks; with several, the shortest first, alarms look over the longest.",
        ),
        ("min_lead", day // 12, "Shortest warning that still helps."),
        ("history", day, "Least history before a machine is judged."),
        ("stale", 2 * every, "Older data give no opinion."),
    )
    for name, span, about in decisions:
        text = duration(span, unit)
        yield f"  # {about}"
        yield from (f"  {name}:", f"    - {text}") if name == "horizons" else (f"  {name}: {text}",)
    spans = [duration(span, unit) for span in _windows(every, day, unit)]
    baseline, renewal = _baseline(every, day, unit)
    yield from ("", "# The spans that features look back over.", "windows:")
    for name in ("sensors", "events"):
        yield from (f"  {name}:", *(f"    - {span}" for span in spans))
    yield from (
        "  # The healthy history that makes a machine's own baseline.",
        f"  baseline: {duration(baseline, unit)}",
    )
    yield from ("  # How often it is renewed.", f"  baseline_every: {duration(renewal, unit)}")


def split_lines(telemetry: Role, interval: int, unit: str) -> Lines:
    """The section `split`: a fifth of the time, but longer than the gap, or of the machines, for each fold."""
    day = _day(interval, unit)
    yield from ("# CHECK: the folds, counted back from the end of the data.", "split:")
    if not is_counter(unit):
        stamps = telemetry.seen.frame[telemetry.times[0]]
        fifth, least = int((stamps.max() - stamps.min()).total_seconds()) // 5 // 86400, day // 86400 + 1
        span = duration(max(fifth, least) * 86400, unit)
        yield from ("  by: time", f"  test: {span}", f"  validation: {span}")
    else:
        yield from ("  by: machine", "  test: 0.2", "  validation: 0.2")
    yield from ("  # At least the longest of `decisions.horizons`.", f"  gap: {duration(day, unit)}")
    yield from ("  # Share of machines never trained on, scored apart.", "  unseen_machines: 0.0")


def _every(interval: int, unit: str) -> int:
    shortest = 1 if is_counter(unit) else 3 * SECONDS["h"]
    return interval * math.ceil(shortest / interval)


def _day(interval: int, unit: str) -> int:
    """The horizon: a day or more in whole decisions; of a counter, 30 readings."""
    every = _every(interval, unit)
    return 30 * interval if is_counter(unit) else every * max(math.ceil(SECONDS["d"] / every), 2)


def _windows(every: int, horizon: int, unit: str) -> list[int]:
    # Of a counter none beyond the horizon: many a history is only a few horizons long.
    longest = (horizon // 3, horizon) if is_counter(unit) else (horizon, 3 * horizon)
    return sorted({every, *longest})


def _baseline(every: int, horizon: int, unit: str) -> tuple[int, int]:
    """The span of the healthy history and how often the baseline is renewed: a month and a week of days.

    On a counter a machine's life is short: it has to have a baseline before it wears.
    """
    return (3 * horizon, max(horizon // 3, every)) if is_counter(unit) else (30 * horizon, 7 * horizon)


def steady_offset(telemetry: Role, interval: int, unit: str) -> int:
    """The shift of readings that all stand at one place in their interval, such as 06:00 of daily ones."""
    if is_counter(unit):
        return 0
    ticks = pd.to_datetime(telemetry.seen.frame[telemetry.times[0]].dropna(), utc=True).map(
        pd.Timestamp.timestamp
    )
    places = (ticks % interval).value_counts()
    return int(places.index[0]) if places.iloc[0] > 0.9 * len(ticks) else 0


def duration(span: int, unit: str) -> str:
    """Ticks as the dataset file writes them."""
    if is_counter(unit):
        return f"{span}{unit}"
    names = ("d", "h", "min", "s") if span > 7 * SECONDS["d"] else ("h", "min", "s")
    name = next(name for name in names if span % SECONDS[name] == 0)
    return f"{span // SECONDS[name]}{name}"
