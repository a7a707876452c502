"""What a store knows of some machines up to a decision, laid out as the batch would lay it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from forestall.data.clean import grid_of
from forestall.features.history import History
from forestall.serving.bundle import Bundle
from forestall.serving.opinions import history_of
from forestall.serving.store.database import Store
from forestall.serving.store.events import events_of
from forestall.serving.store.machines import Machine
from forestall.serving.store.readings import recent

LATER, EARLIER = np.iinfo(np.int64).max, np.iinfo(np.int64).min


def stored_history(
    connection: Connection,
    store: Store,
    machines: Sequence[Machine],
    span: tuple[int, int],
    bundle: Bundle,
) -> History:
    """The machines' history with the readings in a span (after, until] of decisions or readings' slots.

    A machine whose readings began before the span, or that has none, starts it with an empty one: then it is a row of
    the history, which begins with the span.
    """
    after, until = span
    names = [machine.name for machine in machines]
    spans, sensors = bundle.reference.spans, list(bundle.reference.sensors)
    readings = recent(connection, store, names, span, sensors)
    heard = set(readings["machine"])
    begun = [one.name for one in machines if one.name not in heard or not _begins_within(one, span)]
    gaps = _empty_readings(begun, after, sensors)
    events = events_of(connection, names, bundle, after - spans.lookback - spans.every)
    both = pd.concat([one for one in (gaps, readings) if len(one)], ignore_index=True)
    return _with_ends(history_of(both, events, bundle, until), machines, bundle)


def _begins_within(machine: Machine, span: tuple[int, int]) -> bool:
    return machine.first is not None and span[0] < machine.first <= span[1]


def _empty_readings(names: list[str], time: int, sensors: list[str]) -> pd.DataFrame:
    rows = pd.DataFrame({"machine": pd.Series(names, dtype=object), "time": np.int64(time), "running": True})
    return rows.assign(**dict.fromkeys(sensors, np.nan))


def _with_ends(history: History, machines: Sequence[Machine], bundle: Bundle) -> History:
    """With the times of each machine's own first and last reading, wherever the span begins and ends."""
    grid = grid_of(bundle.plant.dataset)
    ends = {machine.name: (machine.first, machine.last) for machine in machines}
    first = [LATER if ends[name][0] is None else ends[name][0] for name in history.machines]
    last = [EARLIER if ends[name][1] is None else ends[name][1] for name in history.machines]
    known = np.array([ends[name][0] is not None for name in history.machines])
    ends_of = [np.array(times, dtype=np.int64) for times in (first, last)]
    starts, stops = (np.where(known, grid.ceil(np.where(known, t, 0)), t) for t in ends_of)
    return replace(history, first=starts, last=stops)
