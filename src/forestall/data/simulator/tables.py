"""A chunk's tables as frames; hours from the start of the data become timestamps (datetime64[s])."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.simulator.catalogue import START, TELEMETRY_NAMES
from forestall.data.simulator.dirt import Export
from forestall.data.simulator.traits import Machine
from forestall.data.simulator.wear import History

TruthRow = tuple[str, str, float, str, int, int | None, float | None]
TRUTH_COLUMNS = ["machine", "component", "time", "mode", "foreseeable", "from", "onset"]


def telemetry(machines: list[Machine], exports: list[Export]) -> pd.DataFrame:
    """machine (categorical), time, sensors and load, one machine after the other."""
    lengths = [len(export.rows) for export in exports]
    owner = np.repeat(np.arange(len(machines), dtype=np.int64), lengths)
    values = np.concatenate([export.readings[export.rows] for export in exports])
    columns = dict(zip(TELEMETRY_NAMES, values.T, strict=True))
    machine = pd.Categorical.from_codes(owner, categories=pd.Index([one.name for one in machines]))
    time = _stamps(np.concatenate([export.rows for export in exports]))
    return pd.DataFrame({"machine": machine, "time": time, **columns})


def events(
    machines: list[Machine], entries: Sequence[Iterable[tuple[float, str]]], label: str
) -> pd.DataFrame:
    """machine, time and `label` of the (hours, label) entries of every machine."""
    rows = [(one.name, *entry) for one, own in zip(machines, entries, strict=True) for entry in own]
    frame = pd.DataFrame(rows, columns=["machine", "time", label])
    return frame.assign(time=_stamps(frame["time"]))


def machines(fleet: list[Machine]) -> pd.DataFrame:
    """machine, model, age in years."""
    rows = [(one.name, one.model.name, one.age) for one in fleet]
    return pd.DataFrame(rows, columns=["machine", "model", "age"])


def downtime(machines: list[Machine], histories: list[History], hours: int) -> pd.DataFrame:
    """machine, start, end; a stop that outlasts the data ends with them."""
    rows = [
        (machine.name, stop.start, min(stop.end, float(hours)))
        for machine, history in zip(machines, histories, strict=True)
        for stop in history.stops
    ]
    frame = pd.DataFrame(rows, columns=["machine", "start", "end"])
    return frame.assign(start=_stamps(frame["start"]), end=_stamps(frame["end"]))


def truth(rows: list[TruthRow]) -> pd.DataFrame:
    """One row a failure; `from` and `onset` are NaT where there is none."""
    frame = pd.DataFrame(rows, columns=TRUTH_COLUMNS)
    return frame.assign(**{name: _stamps(frame[name]) for name in ("time", "from", "onset")})


def _stamps(hours: pd.Series | npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
    """Timestamps, rounded to the minute; NaT for a missing number of hours."""
    numbers = np.asarray(hours, dtype=float)
    missing = np.isnan(numbers)
    minutes = np.round(np.where(missing, 0.0, numbers) * 60).astype(np.int64)
    return np.asarray(np.where(missing, np.datetime64("NaT", "s"), START + minutes * np.timedelta64(60, "s")))
