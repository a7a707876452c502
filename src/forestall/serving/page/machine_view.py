"""All that is known of a machine, gathered for its page."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection

from forestall.data.clock import is_counter
from forestall.data.events import Events
from forestall.features.reference import Reference
from forestall.serving.actions import recommended_action
from forestall.serving.api.logs import say
from forestall.serving.api.machines import TREND, find_machine
from forestall.serving.api.service import Serving
from forestall.serving.opinions import Opinion
from forestall.serving.page.advice import Advice, advice, next_visit
from forestall.serving.page.charts import Weeks
from forestall.serving.store.alarms import Alarm, AlarmFilter, list_alarms, standing_alarms
from forestall.serving.store.errors import StoreError
from forestall.serving.store.events import Happened, events_of, happened_since
from forestall.serving.store.machines import Machine
from forestall.serving.store.opinions import Point, opinions_about, trends

LATEST_ALARMS = 25


@dataclass(frozen=True)
class Part:
    """One part: what is thought of it, its standing alarm, and what to do.

    happened: what became of it since the decision. replaced: when last; failures: when it failed, the earliest first;
    ticks. trend: its risk at the decisions of the last weeks. advice: None without a risk or a next visit, and for a
    part that is another one by now.
    """

    opinion: Opinion
    alarm: Alarm | None
    happened: Happened | None
    replaced: int | None
    failures: list[int]
    trend: list[Point]
    advice: Advice | None

    def action(self, reference: Reference, language: str) -> str | None:
        """What to do, in words."""
        return recommended_action(self.opinion, self.happened, reference, language)


@dataclass(frozen=True)
class MachineView:
    """A machine as its page shows it; times in ticks.

    weeks: what is told of. visit: the next visit that the advice goes by; expected: whether it was worked out and not
    said. unsaved: the database did not take the newest opinions.
    """

    machine: Machine
    parts: list[Part]
    alarms: list[Alarm]
    events: Events
    weeks: Weeks
    visit: int | None
    expected: bool
    unsaved: bool

    @property
    def now(self) -> int | None:
        """The plant's time, or the machine's own."""
        return self.weeks.now

    @property
    def age(self) -> int | None:
        """Of its latest reading, in ticks."""
        return None if self.machine.last is None or self.now is None else max(0, self.now - self.machine.last)

    @property
    def happenings(self) -> list[tuple[int, str, str, int | None]]:
        """What happened, the latest first: when, of which kind, to what, and the alarm's number."""
        since, events = self.weeks.since, self.events
        found: list[tuple[int, str, str, int | None]] = [
            (one.opened, "alarm", one.component, one.id) for one in self.alarms if one.opened > since
        ]
        for kind, frame, time, what in (
            ("error", events.errors, "time", "code"),
            ("visit", events.maintenance, "time", "component"),
            ("failure", events.failures, "time", "component"),
            ("stop", events.downtime, "start", "end"),
        ):
            recent = frame[frame[time] > since]
            texts = [""] * len(recent) if kind == "stop" else recent[what]
            found += [(int(at), kind, str(text), None) for at, text in zip(recent[time], texts, strict=True)]
        return sorted(found, key=lambda one: one[0], reverse=True)


def view_of(serving: Serving, name: str, visit: int | None) -> MachineView:
    """The machine, brought up to date first.

    Args:
        visit: when the next planned visit is; None to work it out from the past ones.

    Raises:
        Problem: 404, there is no such machine.
        StoreError: the database cannot be read.
    """
    unsaved = name.isprintable() and not _scored(serving, name)
    with serving.store.reading() as connection:
        return _gathered(connection, serving, name, visit, unsaved)


def _scored(serving: Serving, name: str) -> bool:
    """Whether the machine is up to date in the database."""
    try:
        serving.live.score([name])
    except StoreError as error:
        say("not scored", logging.ERROR, machine=name, problem=str(error))
        return False
    return True


def weeks_of(connection: Connection, serving: Serving, machine: Machine) -> Weeks:
    """The last TREND longest horizons of a machine."""
    reference = serving.bundle.reference
    now = machine.last if reference.own_clocks else serving.live.time(connection)
    since = (0 if now is None else now) - TREND * reference.spans.horizon
    return Weeks(since, now, is_counter(reference.unit))


def _gathered(
    connection: Connection, serving: Serving, name: str, visit: int | None, unsaved: bool
) -> MachineView:
    machine = find_machine(connection, name)
    weeks = weeks_of(connection, serving, machine)
    until = serving.live.known_until(connection)
    events = _known(events_of(connection, [name], serving.bundle, weeks.since), until)
    alarms = list_alarms(connection, AlarmFilter(machine=name), LATEST_ALARMS).alarms
    expected = visit is None and weeks.now is not None
    if visit is None and weeks.now is not None:
        visit = next_visit(events.maintenance, events.failures, weeks.now, serving.bundle.reference.spans)
    opinions = opinions_about(connection, name)
    happened = happened_since(connection, opinions, until)
    points = trends(connection, name, [one.component for one in opinions], weeks.since)
    standing = standing_alarms(connection, [machine.number])
    parts = []
    for one in opinions:
        since = happened.get((name, one.component))
        parts.append(
            Part(
                opinion=one,
                alarm=standing.get((machine.number, one.component)),
                happened=since,
                replaced=max(_times(events.maintenance, one.component), default=None),
                failures=_times(events.failures, one.component),
                trend=points[one.component],
                advice=None if since else _advice(one, visit, weeks.now, serving),
            )
        )
    return MachineView(machine, parts, alarms, events, weeks, visit, expected, unsaved)


def _times(frame: pd.DataFrame, component: str) -> list[int]:
    """Of a component's events, the earliest first."""
    return sorted(int(time) for time in frame.loc[frame["component"] == component, "time"])


def _advice(opinion: Opinion, visit: int | None, now: int | None, serving: Serving) -> Advice | None:
    """Of a part with a risk, where it is known when the next visit is, and that is to come."""
    if not opinion.curve or visit is None or now is None or visit <= now:
        return None
    return advice(opinion, visit, serving.bundle.reference.spans, serving.bundle.plant.dataset.costs)


def _known(events: Events, until: int) -> Events:
    """Without the future that a recording's tables go on with."""

    def past(frame: pd.DataFrame, time: str = "time") -> pd.DataFrame:
        return frame[frame[time] <= until]

    return Events(
        machines=events.machines,
        errors=past(events.errors),
        maintenance=past(events.maintenance),
        failures=past(events.failures),
        downtime=past(events.downtime, "start"),
    )
