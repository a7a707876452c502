"""What the store knows of alarms and failures, for `outcomes`.

Of the risks only what is needed is read: each machine's first and last decision, the last one in time for each failure,
and counts by machine and month.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Table, and_, case, exists, func, literal, select

from forestall.data.events import absent_pairs
from forestall.features.labels import own_ends
from forestall.monitoring.outcomes import Realised, realised
from forestall.monitoring.service import ALARMS, EVENTS, Service, Window
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.store.machines import machines_frame
from forestall.serving.store.tables import alarms, failures, machines, maintenance, risks
from forestall.training.alarms import NONE
from forestall.training.judging import repair_span, rules_of

Limit = ColumnElement[Any]
EVER = -(2**62)


def stored_outcomes(connection: Connection, bundle: Bundle, window: Window) -> Realised:
    """What became of the alarms and failures of a window; `until_of` says where it may end."""
    return realised(service_in(connection, bundle, window), bundle.plant, window)


def outcome_window(bundle: Bundle, until: int) -> Window:
    """What alerts look at, up to a time that `until_of` lets know. Of machines with clocks of their own, all that they
    went through.
    """
    reference = bundle.reference
    after = EVER if reference.own_clocks else until - THRESHOLDS.outcome_horizons * reference.spans.horizon
    return Window(after, until)


def until_of(live: Live, connection: Connection) -> int | None:
    """Up to when a window may reach: the fleet's time, and no further than events are known; None without readings.

    Machines with clocks of their own are each known up to their own end: there it bounds nothing.
    """
    if live.bundle.reference.own_clocks:
        return live.known_until(connection)
    time = live.time(connection)
    return None if time is None else min(time, live.known_until(connection))


def service_in(connection: Connection, bundle: Bundle, window: Window) -> Service:
    """What is known of the plant in a window."""
    rules, dataset = rules_of(bundle.plant.dataset, bundle.plant.quiet), bundle.plant.dataset
    since = window.after - rules.horizon
    events = [
        events_within(connection, table, since - repair_span(dataset), window.until)
        for table in (failures, maintenance)
    ]
    names = list(connection.execute(select(machines.c.name).order_by(machines.c.name)).scalars())
    return Service(
        alarms=_alarms(connection, since, window.until),
        failures=events[0],
        maintenance=events[1],
        decisions=_decisions(connection, rules.horizon, rules.min_lead, since, window.until),
        decided=_decided(connection, bundle, rules.horizon, window),
        absent=absent_pairs(machines_frame(connection, names, bundle), dataset),
        ends=ends_of(connection, bundle),
    )


def _alarms(connection: Connection, after: int, until: int) -> pd.DataFrame:
    columns = [alarms.c[name] for name in ALARMS if name != "machine"]
    query = select(machines.c.name, *columns).join(machines, machines.c.id == alarms.c.machine_id)
    query = query.where(alarms.c.opened > after, alarms.c.opened <= until).order_by(alarms.c.id)
    frame = pd.DataFrame(connection.execute(query).all(), columns=ALARMS, dtype=object)
    frame = frame.fillna({"ended": NONE, "end_reason": "", "finding": ""})
    return frame.astype({"opened": "int64", "ended": "int64", "risk": "float64"})


def events_within(connection: Connection, table: Table, after: int, until: int) -> pd.DataFrame:
    """The rows of (after, until] of the failures or the maintenance, as `Service` has them."""
    query = select(machines.c.name, table.c.time, table.c.component, table.c.source)
    query = query.join(machines, machines.c.id == table.c.machine_id)
    query = query.where(table.c.time > after, table.c.time <= until)
    query = query.order_by(table.c.time, machines.c.name, table.c.component)
    frame = pd.DataFrame(connection.execute(query).all(), columns=EVENTS, dtype=object)
    return frame.astype({"time": "int64"})


def _decisions(connection: Connection, horizon: int, min_lead: int, since: int, until: int) -> pd.DataFrame:
    """machine, time: the decisions with an opinion that `Service` needs."""
    own = (risks.c.machine_id == machines.c.id, risks.c.no_opinion == "", risks.c.time <= until)
    # By the primary key a machine's first and last such rows are found without reading those between.
    ends = [
        select(risks.c.time).where(*own).order_by(order).limit(1).scalar_subquery().correlate(machines)
        for order in (risks.c.time.asc(), risks.c.time.desc())
    ]
    before = failures.c.time - horizon
    in_time = risks.c.time.between(before, failures.c.time - min_lead)
    warned = (
        select(risks.c.time)
        .where(risks.c.machine_id == failures.c.machine_id, risks.c.no_opinion == "", in_time)
        .order_by(risks.c.time.desc())
        .limit(1)
        .scalar_subquery()
        .correlate(failures)
    )
    of_failures = select(machines.c.name, warned).join(machines, machines.c.id == failures.c.machine_id)
    of_failures = of_failures.where(failures.c.time > since, failures.c.time <= until)
    rows = {
        (name, time) for name, *found in connection.execute(select(machines.c.name, *ends)) for time in found
    }
    rows |= {(name, time) for name, time in connection.execute(of_failures)}
    known = sorted(row for row in rows if row[1] is not None)
    return pd.DataFrame(known, columns=["machine", "time"], dtype=object).astype({"time": "int64"})


def _decided(connection: Connection, bundle: Bundle, horizon: int, window: Window) -> pd.DataFrame:
    """machine, month, decisions: how many decisions of the mature span had an opinion."""
    rows = []
    for month, after, until in _spans(bundle, horizon, window):
        own = (risks.c.machine_id == machines.c.id, risks.c.no_opinion == "")
        query = select(machines.c.name, func.count()).join(
            risks, and_(*own, risks.c.time > after, risks.c.time <= until)
        )
        found = connection.execute(query.group_by(machines.c.id, machines.c.name))
        rows += [(name, month, count) for name, count in found]
    frame = pd.DataFrame(rows, columns=["machine", "month", "decisions"], dtype=object)
    return frame.astype({"decisions": "int64"})


def _spans(bundle: Bundle, horizon: int, window: Window) -> Iterator[tuple[str, int, Limit]]:
    """The mature span by calendar month, or by machine where each has a clock of its own: month, after, until."""
    if bundle.reference.own_clocks:
        failed = exists().where(failures.c.machine_id == machines.c.id, failures.c.time >= machines.c.last)
        yield "", window.after, case((failed, machines.c.last), else_=machines.c.last - horizon)
        return
    last = window.until - horizon
    if last <= window.after:
        return
    first, end = (np.datetime64(time, "s").astype("datetime64[M]") for time in (window.after + 1, last))
    for month in np.arange(first, end + 1):
        start, following = (int(one.astype("datetime64[s]").astype(np.int64)) for one in (month, month + 1))
        yield str(month), max(window.after, start - 1), literal(min(last, following - 1))


def ends_of(connection: Connection, bundle: Bundle) -> dict[str, int]:
    """Until when each machine's outcomes are known, where each has a clock of its own; else empty."""
    if not bundle.reference.own_clocks:
        return {}
    known = select(machines.c.name, machines.c.last).where(machines.c.last.is_not(None))
    last = dict(connection.execute(known).all())
    return own_ends(last, events_within(connection, failures, -(2**62), 2**62))
