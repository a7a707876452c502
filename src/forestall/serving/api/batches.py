"""Readings and events of a request, checked as a whole: all of it is good, or nothing is stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from forestall.data.read_events import GOES_ON
from forestall.features.history import Ints
from forestall.serving.api.problems import unfit
from forestall.serving.api.rows import Faults, Rows
from forestall.serving.api.typed_columns import check_names, flags, names, numbers, times
from forestall.serving.bundle import Bundle
from forestall.serving.store.events import Kind
from forestall.serving.store.readings import Readings

COLUMNS: dict[Kind, tuple[str, ...]] = {
    "errors": ("time", "code"),
    "maintenance": ("time", "component"),
    "failures": ("time", "component"),
    "downtime": ("start",),
}


def readings_of(rows: Rows, bundle: Bundle, latest: int | None) -> Readings:
    """Rows as a batch of readings.

    Args:
        latest: what lies after it lies in the future; ticks.

    Raises:
        Problem: 422, naming every cell that cannot be used, up to a few of a kind.
    """
    sensors, unit = bundle.plant.dataset.tables.telemetry.sensors, bundle.reference.unit
    faults = check_names(rows, ("machine", "time"), ("running", *sensors))
    machine = names(rows, "machine", None, faults, "machine")
    given = tuple(name for name in sensors if name in rows.columns)
    running = flags(rows, "running", faults)
    columns = [numbers(rows, name, sensors[name].range, faults) for name in given]
    time = times(rows, "time", unit, latest, faults)
    if faults:
        raise unfit(faults)
    values = np.stack(columns, axis=1) if columns else np.empty((rows.count, 0))
    return Readings(machine, time, running, given, values)


def events_of(rows: Rows, bundle: Bundle, latest: int | None) -> dict[Kind, pd.DataFrame]:
    """Rows as the plant's small tables: kind -> frame (machine, time, code or component; or machine, start, end).

    Raises:
        Problem: 422, as for readings.
    """
    faults = check_names(rows, ("kind", "machine"), ("time", "code", "component", "start", "end"))
    if rows.count and "kind" not in rows.columns:
        raise unfit([(rows.field(0, "kind"), f"is missing; it is one of {', '.join(COLUMNS)}")])
    kinds = names(rows, "kind", COLUMNS, faults, "kind")
    names(rows, "machine", None, faults, "machine")
    if faults:
        raise unfit(faults)
    frames = {}
    for kind in [kind for kind in COLUMNS if kind in kinds]:
        some = rows.only([place for place, one in enumerate(kinds) if one == kind])
        frames[kind] = _frame(kind, some, bundle, latest, faults)
    if faults:
        raise unfit(faults)
    return frames


def _frame(kind: Kind, rows: Rows, bundle: Bundle, latest: int | None, faults: Faults) -> pd.DataFrame:
    wanted = COLUMNS[kind]
    faults += check_names(rows, ("kind", "machine", *wanted), ("end",) if kind == "downtime" else ())
    columns: dict[str, Any] = {"machine": np.array(rows.column("machine"), dtype=object)}
    for name in wanted:
        if name in ("time", "start"):
            columns[name] = times(rows, name, bundle.reference.unit, latest, faults)
        else:
            known = bundle.plant.dataset.components if name == "component" else None
            columns[name] = np.array(names(rows, name, known, faults, name), dtype=object)
    if kind == "downtime":
        columns["end"] = _ends(rows, columns["start"], bundle, faults)
    return pd.DataFrame() if faults else pd.DataFrame(columns)


def _ends(rows: Rows, start: Ints, bundle: Bundle, faults: Faults) -> Ints:
    """When each stop ended; without an end it goes on. A planned end may lie in the future."""
    cells, ends = rows.column("end"), np.full(rows.count, GOES_ON, dtype=np.int64)
    ended = [place for place, cell in enumerate(cells) if cell is not None]
    ends[ended] = (
        times(rows.only(ended), "end", bundle.reference.unit, None, faults) if ended else ends[ended]
    )
    for place in ended:
        if not faults and ends[place] < start[place]:
            faults.append((rows.field(place, "end"), "lies before the start"))
    return ends
