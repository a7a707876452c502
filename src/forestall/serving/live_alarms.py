"""Alarms in service: opened and ended by the rules that thresholds were chosen by, over the risks as they are stored.

What came late may change risks of decisions that are past. So the rules are run again from the last alarm before the
first decision that is new: an alarm that they no longer find is ended as withdrawn, never erased.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from forestall.data.events import Events
from forestall.serving.bundle import Bundle
from forestall.serving.store.alarms import Alarm, EndReason, end_alarm, raise_alarm, running_alarms
from forestall.serving.store.opinions import DecisionRisks, longest_risks
from forestall.training.alarms import NONE, open_alarms
from forestall.training.series import Rules, risk_matrix, series_of

Pair = tuple[int, str]


@dataclass(frozen=True)
class Moment:
    """When alarms are raised: decisions from `first` to `until` are new; `now` in seconds since 1970."""

    first: int
    until: int
    now: int


def raise_alarms(
    connection: Connection,
    names: Mapping[int, str],
    decided: Sequence[DecisionRisks],
    events: Events,
    moment: Moment,
    bundle: Bundle,
) -> None:
    """Open and end alarms of some machines, by number, whose risks until `moment.until` are stored."""
    since = moment.first - bundle.reference.spans.horizon
    running = running_alarms(connection, list(names), since)
    for place, (component, threshold) in enumerate(bundle.thresholds.items()):
        limit = np.float32(threshold)
        high = {one.number for one in decided if one.curves[place, -1] >= limit}
        asked = sorted(high | {number for number, about in running if about == component})
        if asked:
            held = {number: running.get((number, component), []) for number in asked}
            _of_component(connection, {n: names[n] for n in asked}, component, held, events, moment, bundle)


def _of_component(
    connection: Connection,
    names: Mapping[int, str],
    component: str,
    held: Mapping[int, list[Alarm]],
    events: Events,
    moment: Moment,
    bundle: Bundle,
) -> None:
    lasting = {number: _before(alarms, moment.first) for number, alarms in held.items()}
    starts = {number: moment.first if one is None else one.opened for number, one in lasting.items()}
    risks = {
        (number, time): risk
        for (number, time), risk in longest_risks(
            connection, list(names), min(starts.values()), component
        ).items()
        if starts[number] <= time <= moment.until
    }
    # An alarm that was raised stays raised, whatever is thought of its first decision today.
    risks |= {(n, one.opened): np.inf for n, one in lasting.items() if one is not None}
    if not risks:
        return
    found = _by_rules(names, component, risks, events, moment, bundle)
    for number in names:
        known = {one.opened: one for one in held[number] if one.opened >= starts[number]}
        for opened, end in found.get(number, {}).items():
            _settle(
                connection,
                (number, component),
                known.pop(opened, None),
                (opened, *end),
                risks,
                moment,
                bundle,
            )
        for gone in known.values():
            if gone.end_reason != "withdrawn":
                end_alarm(connection, gone.id, moment.until, "withdrawn")


def _before(alarms: Sequence[Alarm], first: int) -> Alarm | None:
    earlier = [one for one in alarms if one.opened < first and one.end_reason != "withdrawn"]
    return earlier[-1] if earlier else None


def _by_rules(
    names: Mapping[int, str],
    component: str,
    risks: Mapping[tuple[int, int], float],
    events: Events,
    moment: Moment,
    bundle: Bundle,
) -> dict[int, dict[int, tuple[int | None, EndReason | None]]]:
    """By machine's number and opening: when its alarms ended, and why."""
    number_of = {name: number for number, name in names.items()}
    decisions = pd.DataFrame(
        {"machine": [names[number] for number, _ in risks], "time": [time for _, time in risks]}
    ).astype({"machine": object})
    series = series_of(decisions, [component], set(), events.failures, events.maintenance, moment.until)
    risk = risk_matrix(series, decisions, np.array(list(risks.values()), dtype=np.float32)[:, None])
    spans, plant = bundle.reference.spans, bundle.plant
    rules = Rules(spans.horizon, plant.dataset.ticks(plant.dataset.decisions.min_lead), plant.quiet)
    frame = open_alarms(series, risk, bundle.thresholds, rules)
    row = {machine: position for position, machine in enumerate(series.machine)}
    found: dict[int, dict[int, tuple[int | None, EndReason | None]]] = {}
    for machine, opened, closed in zip(frame["machine"], frame["opened"], frame["closed"], strict=True):
        end: tuple[int | None, EndReason | None] = (None, None)
        if closed != NONE:
            failures, renewed = series.failures[row[machine]], series.renewed[row[machine]]
            over = closed == opened + spans.horizon
            reason: EndReason = "horizon over" if over else "quiet"
            reason = "failed" if closed in failures else "replaced" if closed in renewed else reason
            end = (int(closed), reason)
        found.setdefault(number_of[machine], {})[int(opened)] = end
    return found


def _settle(
    connection: Connection,
    pair: Pair,
    known: Alarm | None,
    said: tuple[int, int | None, EndReason | None],
    risks: Mapping[tuple[int, int], float],
    moment: Moment,
    bundle: Bundle,
) -> None:
    """Write an alarm as the rules have it: when it opened, when it ended, and why."""
    (number, component), (opened, ended, reason) = pair, said
    if known is None:
        threshold = bundle.thresholds[component]
        known = raise_alarm(
            connection, number, component, opened, risks[number, opened], threshold, moment.now
        )
    if (known.ended, known.end_reason) != (ended, reason):
        end_alarm(connection, known.id, ended, reason)
