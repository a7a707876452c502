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


def needed_before(bundle: Bundle) -> int:
    """How far before a decision readings matter to it, in ticks."""
    spans = bundle.reference.spans
    return max(spans.lookback, spans.stale + spans.interval) + bundle.plant.carry_forward * spans.interval


def stored_history(
    connection: Connection,
    store: Store,
    machines: Sequence[Machine],
    span: tuple[int, int],
    bundle: Bundle,
) -> History:
    """The machines' history with the readings in a span (after, until] of decisions or readings' slots.

    Where readings are older or later than the span, or there are none, the gap is one as the batch has it: machines
    are off during stops in it, and a last value is carried into it.
    """
    after, until = span
    names = [machine.name for machine in machines]
    spans, sensors = bundle.reference.spans, list(bundle.reference.sensors)
    readings = recent(connection, store, names, after, until, sensors)
    marks = [after for machine in machines if machine.first is not None and machine.first <= after]
    owners = [machine.name for machine in machines if machine.first is not None and machine.first <= after]
    if not bundle.reference.own_clocks:
        heard = set(readings.loc[readings["time"] > until - spans.interval, "machine"])
        silent = [name for name in names if name not in heard]
        owners, marks = owners + silent, marks + [until] * len(silent)
    gaps = pd.DataFrame({"machine": pd.Series(owners, dtype=object), "time": marks, "running": True})
    gaps = gaps.assign(**dict.fromkeys(sensors, np.nan)).astype({"time": np.int64})
    events = events_of(connection, names, bundle, after - spans.lookback - spans.every)
    both = pd.concat([one for one in (gaps, readings) if len(one)], ignore_index=True)
    return _with_ends(history_of(both, events, bundle, until), machines, bundle)


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
