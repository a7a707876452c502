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
from forestall.training.series import Rules, Series, risk_matrix, series_of

End = tuple[int | None, EndReason | None]
Known = Mapping[int, Sequence[Alarm]]
Risks = Mapping[tuple[int, int], float]  # by machine's number and decision
NOT_ENDED: End = (None, None)


@dataclass(frozen=True)
class AlarmRules:
    """The rules over some machines' stored risks, of which the decisions from `first` to `until` are new.

    events: failures and maintenance of those machines. Times in ticks.
    """

    bundle: Bundle
    events: Events
    first: int
    until: int

    def apply(
        self, connection: Connection, names: Mapping[int, str], decided: Sequence[DecisionRisks], now: int
    ) -> None:
        """Raise and end alarms of machines, by number, as the rules have it.

        Args:
            decided: the new decisions' risks, stored already. now: when alarms are raised, in seconds since 1970.
        """
        running = running_alarms(connection, list(names), self.first - self.bundle.reference.spans.horizon)
        for place, (component, threshold) in enumerate(self.bundle.thresholds.items()):
            limit = np.float32(threshold)
            high = {one.number for one in decided if one.curves[place, -1] >= limit}
            asked = sorted(high | {number for number, about in running if about == component})
            if asked:
                known = {number: running.get((number, component), []) for number in asked}
                self._of_component(connection, {n: names[n] for n in asked}, component, known, now)

    def _of_component(
        self, connection: Connection, names: Mapping[int, str], component: str, known: Known, now: int
    ) -> None:
        lasting = {number: self._lasting(alarms) for number, alarms in known.items()}
        starts = {number: self.first if one is None else one.opened for number, one in lasting.items()}
        stored = longest_risks(connection, list(names), min(starts.values()), component)
        risks = {at: risk for at, risk in stored.items() if starts[at[0]] <= at[1] <= self.until}
        # An alarm that was raised stays raised, whatever is thought of its first decision today.
        risks |= {(n, one.opened): np.inf for n, one in lasting.items() if one is not None}
        if not risks:
            return
        found = self._found(names, component, risks)
        for number in names:
            held = {one.opened: one for one in known[number] if one.opened >= starts[number]}
            for opened, end in found.get(number, {}).items():
                one = held.pop(opened, None) or raise_alarm(
                    connection,
                    number,
                    component,
                    opened,
                    risks[number, opened],
                    self.bundle.thresholds[component],
                    now,
                )
                if (one.ended, one.end_reason) != end:
                    end_alarm(connection, one.id, *end)
            for gone in held.values():
                if gone.end_reason != "withdrawn":
                    end_alarm(connection, gone.id, self.until, "withdrawn")

    def _lasting(self, alarms: Sequence[Alarm]) -> Alarm | None:
        """The last alarm before the new decisions."""
        earlier = [one for one in alarms if one.opened < self.first and one.end_reason != "withdrawn"]
        return earlier[-1] if earlier else None

    def _found(self, names: Mapping[int, str], component: str, risks: Risks) -> dict[int, dict[int, End]]:
        """By machine's number and opening: when the alarms that the rules find ended, and why."""
        number_of = {name: number for number, name in names.items()}
        decisions = pd.DataFrame(
            {"machine": [names[number] for number, _ in risks], "time": [time for _, time in risks]}
        ).astype({"machine": object})
        failures, maintenance = self.events.failures, self.events.maintenance
        series = series_of(decisions, [component], set(), failures, maintenance, self.until)
        risk = risk_matrix(series, decisions, np.array(list(risks.values()), dtype=np.float32)[:, None])
        spans, plant = self.bundle.reference.spans, self.bundle.plant
        rules = Rules(spans.horizon, plant.dataset.ticks(plant.dataset.decisions.min_lead), plant.quiet)
        frame = open_alarms(series, risk, self.bundle.thresholds, rules)
        row = {machine: place for place, machine in enumerate(series.machine)}
        found: dict[int, dict[int, End]] = {}
        for machine, opened, closed in zip(frame["machine"], frame["opened"], frame["closed"], strict=True):
            end = _end(series, row[machine], int(opened), int(closed), spans.horizon)
            found.setdefault(number_of[machine], {})[int(opened)] = end
        return found


def _end(series: Series, row: int, opened: int, closed: int, horizon: int) -> End:
    if closed == NONE:
        return NOT_ENDED
    if closed in series.failures[row]:
        return closed, "failed"
    if closed in series.renewed[row]:
        return closed, "replaced"
    return closed, "horizon over" if closed == opened + horizon else "quiet"
