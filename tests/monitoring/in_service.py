"""A small plant in service: machines with decisions every 3 h, horizon 24 h, min_lead 2 h, and what tests say of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forestall.monitoring.outcomes import Realised, realised
from forestall.monitoring.service import ALARMS, EVENTS, Service, Window
from forestall.monitoring.service_figures import months_of
from forestall.serving.plant import Plant
from tests import plant
from tests.plant import DAY, HOUR, START

Alarm = tuple[str, str, float] | tuple[str, str, float, str] | tuple[str, str, float, str, str]
Event = tuple[str, float, str] | tuple[str, float, str, str]
PLANT = Plant("test", plant.dataset(), carry_forward=2, quiet=2)
EVER = Window(START, START + 40 * DAY)


def at(days: float) -> int:
    return START + round(days * DAY)


def alarm_frame(alarms: Sequence[Alarm]) -> pd.DataFrame:
    """machine, component, days since the start, and perhaps finding and end_reason."""
    rows = [
        (m, c, at(days), at(days) + 6 * HOUR, rest[1] if rest[1:] else "quiet", rest[0] if rest else "", 0.5)
        for m, c, days, *rest in alarms
    ]
    frame = pd.DataFrame(rows, columns=ALARMS, dtype=object)
    return frame.astype({"opened": "int64", "ended": "int64", "risk": "float64"})


def event_frame(events: Sequence[Event]) -> pd.DataFrame:
    """machine, days since the start, component, and perhaps the source."""
    rows = [(m, at(days), c, rest[0] if rest else "plant") for m, days, c, *rest in events]
    return pd.DataFrame(rows, columns=EVENTS, dtype=object).astype({"time": "int64"})


def told(
    alarms: Sequence[Alarm] = (),
    failures: Sequence[Event] = (),
    maintenance: Sequence[Event] = (),
    window: Window = EVER,
    decided: Sequence[str] = ("m0", "m1"),
    since: float = 1,
) -> Realised:
    """What becomes of it. decided: machines that have opinions, from `since` days after the start on."""
    times = np.arange(at(since), START + 40 * DAY + 1, 3 * HOUR)
    decisions = pd.DataFrame(
        {
            "machine": np.repeat(np.array(decided, dtype=object), len(times)),
            "time": np.tile(times, len(decided)),
        }
    )
    span = decisions[(decisions["time"] > window.after) & (decisions["time"] <= window.until - DAY)]
    counts = span.assign(month=months_of(span["time"].to_numpy(dtype=np.int64)), decisions=1)
    service = Service(
        alarms=alarm_frame(alarms),
        failures=event_frame(failures),
        maintenance=event_frame(maintenance),
        decisions=decisions,
        decided=counts.groupby(["machine", "month"])["decisions"].sum().reset_index(),
        absent=set(),
        ends={},
    )
    return realised(service, PLANT, window)
