"""One machine's history in, opinions out, and nothing kept: the core of `POST /predict`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forestall.data.clean import grid_of
from forestall.data.events import Events, absent_pairs
from forestall.data.read_events import GOES_ON
from forestall.errors import ForestallError
from forestall.features import labels
from forestall.features.history import History, Spans, lay_out
from forestall.serving.baselines import KnownBaselines, bundle_baselines
from forestall.serving.bundle import Bundle
from forestall.serving.history_request import HistoryRequest, Row, request_type
from forestall.serving.opinions import NOT_APPLICABLE, Opinion, history_of, opinions_of
from forestall.serving.reach import before_decision
from forestall.serving.regular_readings import clean_regular, is_regular
from forestall.serving.times import decision_at

NAMELESS = ""
NO_STOPS = pd.DataFrame(
    {"machine": pd.Series(dtype=object), "start": pd.Series(dtype=np.int64), "end": pd.Series(dtype=np.int64)}
)


class FieldError(ForestallError):
    """A field of a request that cannot be used, such as `readings[3].time`."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


@dataclass(frozen=True)
class Stateless:
    """A bundle, the baselines of its machines, and the type of what it is asked."""

    bundle: Bundle
    known: KnownBaselines
    asked: type[HistoryRequest]

    @classmethod
    def of(cls, folder: Path, bundle: Bundle) -> Stateless:
        """For the bundle that was loaded from a folder."""
        return cls(bundle, bundle_baselines(folder, bundle), request_type(bundle))

    def opinions(self, asked: HistoryRequest) -> list[Opinion]:
        """Each component at the last decision that is complete at `asked.at`, or at the last reading.

        Raises:
            FieldError: two different readings of one time, or a time of asking that the readings do not reach.
        """
        _refuse_conflicts(asked.readings)
        spans, machine = self.bundle.reference.spans, asked.machine or NAMELESS
        end = _end(asked, spans)
        decision = decision_at(end, spans)
        readings = [row for row in asked.readings if row["time"] <= end]
        first = int(grid_of(self.bundle.plant.dataset).ceil(np.array(min(row["time"] for row in readings))))
        events = _events(asked, machine, self.bundle)
        if decision - first < spans.every:
            return _too_short(machine, decision, events, self.bundle)
        recent = _recent(readings, decision, self.bundle)
        history = replace(_history(recent, machine, events, self.bundle, end), first=np.array([first]))
        return opinions_of(history, self.known.of([machine]), self.bundle)


def _end(asked: HistoryRequest, spans: Spans) -> int:
    times: list[int] = [row["time"] for row in asked.readings]
    if asked.at is None:
        return max(times)
    if asked.at < min(times):
        raise FieldError("at", "before the first reading. Send the readings before it, or leave `at` out.")
    last: int = max(time for time in times if time <= asked.at)
    if asked.at - last > spans.lookback:
        raise FieldError("at", "the last reading is older than all that a risk looks at. Send later ones.")
    return asked.at


def _recent(readings: list[Row], decision: int, bundle: Bundle) -> list[Row]:
    """The readings that a decision's risks depend on; of a machine that was silent for so long, that it was."""
    recent = [row for row in readings if row["time"] > decision - before_decision(bundle)]
    return recent if any(row["time"] <= decision for row in recent) else [{"time": decision}, *recent]


def _history(readings: list[Row], machine: str, events: Events, bundle: Bundle, end: int) -> History:
    reference = bundle.reference
    by_time = {row["time"]: row for row in readings}  # of copies the last
    rows = [by_time[moment] for moment in sorted(by_time)]
    time = np.array([row["time"] for row in rows], dtype=np.int64)
    running = np.array([row.get("running", True) for row in rows], dtype=bool)
    columns = [np.array([row.get(name) for row in rows], dtype=np.float64) for name in reference.sensors]
    if events.downtime.empty and is_regular(time, grid_of(bundle.plant.dataset)):
        clean = clean_regular(machine, time, running, np.stack(columns, axis=1), bundle)
        return lay_out(clean, events, list(reference.sensors), reference.spans, end)
    said: dict[str, Any] = {"machine": _texts([machine] * len(rows)), "time": time, "running": running}
    raw = pd.DataFrame(said | dict(zip(reference.sensors, columns, strict=True)))
    return history_of(raw, events, bundle, end)


def _texts(texts: list[Any]) -> pd.Series[Any]:
    """As in the prepared tables; pandas' own strings cost a request milliseconds."""
    return pd.Series(texts, dtype=object)


def _events(asked: HistoryRequest, machine: str, bundle: Bundle) -> Events:
    """The small tables of one machine; what came after `at` is left out."""
    table = bundle.plant.dataset.tables.machines
    unknown = {"category": None, "number": np.nan}
    attributes = {
        name: np.array(
            [asked.attributes.get(name, unknown[kind])], dtype=None if kind == "number" else object
        )
        for name, kind in (table.attributes.items() if table else ())
    }
    errors, maintenance, failures = (
        _timed([row for row in rows if asked.at is None or row["time"] <= asked.at], machine, label)
        for rows, label in (
            (asked.errors, "code"),
            (asked.maintenance, "component"),
            (asked.failures, "component"),
        )
    )
    machines = pd.DataFrame({"machine": _texts([machine]), **attributes})
    return Events(errors, maintenance, failures, machines, _downtime(asked.downtime, machine))


def _timed(rows: Sequence[Row], machine: str, label: str) -> pd.DataFrame:
    """Events in order of time; what is said twice counts once, as in a plant's tables."""
    once = sorted({(row["time"], row[label]) for row in rows})
    return pd.DataFrame(
        {
            "machine": _texts([machine] * len(once)),
            "time": np.array([time for time, _ in once], dtype=np.int64),
            label: _texts([said for _, said in once]),
        }
    )


def _downtime(rows: list[Row], machine: str) -> pd.DataFrame:
    if not rows:
        return NO_STOPS
    spans = [(row["start"], GOES_ON if row.get("end") is None else row["end"]) for row in rows]
    for number, (start, end) in enumerate(spans):
        if end < start:
            raise FieldError(f"downtime[{number}].end", "before the start")
    return pd.DataFrame(
        {
            "machine": _texts([machine] * len(spans)),
            "start": np.array([start for start, _ in spans], dtype=np.int64),
            "end": np.array([end for _, end in spans], dtype=np.int64),
        }
    )


def _too_short(machine: str, decision: int, events: Events, bundle: Bundle) -> list[Opinion]:
    """What is said of readings that do not fill the time between two decisions."""
    absent = absent_pairs(events.machines, bundle.plant.dataset)
    return [
        Opinion(
            machine,
            component,
            decision,
            NOT_APPLICABLE if (machine, component) in absent else labels.SHORT,
            threshold,
        )
        for component, threshold in bundle.thresholds.items()
    ]


def _refuse_conflicts(readings: list[Row]) -> None:
    seen: dict[int, Row] = {}
    for number, row in enumerate(readings):
        before = seen.setdefault(row["time"], row)
        if before is not row and _values(before) != _values(row):
            raise FieldError(f"readings[{number}].time", "another reading of this time has other values")


def _values(row: Row) -> Row:
    return {"running": True} | {name: value for name, value in row.items() if value is not None}
