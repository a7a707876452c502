"""Why the mean risk of a fleet in service changed: two periods of its store, given to `explain`.

Where the store has what the model that answers thought in both, that is taken. Else, after another model or in a
model's first weeks, the risks of both are worked out again from the readings that the store keeps, of some machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
from sqlalchemy import Connection

from forestall.features.matrix import model_of
from forestall.monitoring.explain import Change, explain_change
from forestall.monitoring.merged import merged
from forestall.monitoring.part_ages import age_bands
from forestall.monitoring.periods import Periods
from forestall.monitoring.rescored import rescored
from forestall.monitoring.stored_risks import other_models, stored_risks
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.store.events import reported
from forestall.serving.store.machines import Machine, known_machines, machines_frame
from forestall.training.judging import repair_span

CELL = ["machine", "component", "time"]
Sides = tuple[pd.DataFrame, pd.DataFrame]  # before, after: machine, component, time, old, new


@dataclass(frozen=True)
class LiveChange:
    """What moved the mean risk over the longest horizon between two periods.

    machines: how many were judged before, and after. is_rescored: whether their risks were worked out again. planned,
    failed: before and after, replacements as planned and failures for each part in a period: why ages change.
    """

    periods: Periods
    change: Change
    machines: tuple[int, int]
    is_rescored: bool
    planned: tuple[float, float]
    failed: tuple[float, float]


def live_change(
    connection: Connection, live: Live, periods: Periods, most: int, old: Bundle | None = None
) -> LiveChange | None:
    """What moved the mean risk; None where machines have clocks of their own, or a period has no risks.

    Args:
        most: of how many machines risks are worked out again, at most.
        old: the bundle that answered before this one. Without it the model's share is what the new one makes of the
            period before, less what was thought then; the other shares are by the new one.
    """
    if live.bundle.reference.own_clocks:
        return None
    found = _stored(connection, live, periods) if old is None else None
    sides = found or _again(connection, live, periods, _some(connection, most), old)
    if any(side.empty for side in sides):
        return None
    span = repair_span(live.bundle.plant.dataset)
    until = periods.after[-1]
    work = merged(reported(connection, "maintenance", until), span)
    failed = merged(reported(connection, "failures", until), span)
    cells = [_described(connection, live.bundle, side, pd.concat([work, failed])) for side in sides]
    change = explain_change(*cells)
    if found is None and old is None:
        change = _after_others(connection, live, sides[0], change)
    rates = [_rates(events, sides, periods) for events in (planned_work(work, failed, span), failed)]
    judged = (sides[0]["machine"].nunique(), sides[1]["machine"].nunique())
    return LiveChange(periods, change, judged, found is None, *rates)


def _stored(connection: Connection, live: Live, periods: Periods) -> Sides | None:
    """What the model that answers thought; None if it did not at one of the decisions."""
    sides = []
    for times in (periods.before, periods.after):
        side = stored_risks(connection, live.bundle.components, live.model, times)
        if set(times) - set(side["time"]):
            return None
        sides.append(side.rename(columns={"risk": "new"}).assign(old=side["risk"]))
    return sides[0], sides[1]


def _some(connection: Connection, most: int) -> list[Machine]:
    """So many machines at most, evenly by name."""
    every = list(known_machines(connection).values())
    return every[:: -(-len(every) // most)] if every else []


def _again(
    connection: Connection, live: Live, periods: Periods, some: Sequence[Machine], old: Bundle | None
) -> Sides:
    """Worked out again, by the old model, too, if there is one."""

    def side(times: Sequence[int]) -> pd.DataFrame:
        new = rescored(connection, live.store, live.bundle, some, times).rename(columns={"risk": "new"})
        if old is None:
            return new.assign(old=new["new"])
        earlier = rescored(connection, live.store.for_bundle(old), old, some, times)
        return new.merge(earlier.rename(columns={"risk": "old"}), on=CELL)

    return side(periods.before), side(periods.after)


def _after_others(connection: Connection, live: Live, before: pd.DataFrame, change: Change) -> Change:
    """With the share of the model, where others thought something of the same parts at the same time."""
    times = sorted(set(before["time"]))
    models = other_models(connection, live.model, times)
    told = [stored_risks(connection, names, number, times) for number, names in models.items()]
    both = before.merge(pd.concat(told), on=CELL) if told else before.iloc[:0].assign(risk=0.0)
    if both.empty:
        return change
    moved = float((both["new"] - both["risk"]).mean())
    return replace(change, before=change.before - moved, shares={**change.shares, "model": moved})


def _described(
    connection: Connection, bundle: Bundle, side: pd.DataFrame, renewals: pd.DataFrame
) -> pd.DataFrame:
    """As `explain_change` takes it: mix, age, old, new."""
    table = machines_frame(connection, sorted(set(side["machine"])), bundle)
    model = model_of(table, list(bundle.reference.categories)).to_dict()
    mix = side["machine"].map(model).astype(str) + " " + side["component"].astype(str)
    ages = age_bands(side, renewals, bundle.reference.spans.horizon)
    return pd.DataFrame({"mix": mix, "age": ages, "old": side["old"], "new": side["new"]})


def planned_work(work: pd.DataFrame, failed: pd.DataFrame, span: int) -> pd.DataFrame:
    """Replacements but for repairs: a part's first one at most `span` ticks after its failure."""
    rows = work[CELL].sort_values("time", kind="stable").reset_index(names="row")
    broke = failed[CELL].sort_values("time", kind="stable")
    repairs = pd.merge_asof(broke, rows, on="time", by=CELL[:2], direction="forward", tolerance=span)
    return work[~work.index.isin(repairs["row"])]


def _rates(events: pd.DataFrame, sides: Sides, periods: Periods) -> tuple[float, float]:
    """Events of the parts judged, for each, between the first and the last decision of either period."""
    rates = []
    for side, times in zip(sides, (periods.before, periods.after), strict=True):
        parts = side[CELL[:2]].drop_duplicates()
        inside = events[(events["time"] > times[0]) & (events["time"] <= times[-1])]
        rates.append(len(inside.merge(parts, on=CELL[:2])) / len(parts))
    return rates[0], rates[1]
