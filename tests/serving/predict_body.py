"""The recent history of one of the small plant's machines, as `POST /predict` is sent it."""

from __future__ import annotations

from typing import Any

from tests import plant
from tests.serving.feeding import stamp

EVENTS = plant.events(6, 60)
TELEMETRY = plant.with_signal(plant.telemetry(6, 60), EVENTS)
END = int(TELEMETRY["time"].max())
DAYS = 3  # of readings that are sent: the lookback of 48 hours, and some that do not matter


def body(machine: str, after: int = END - DAYS * plant.DAY, until: int = END) -> dict[str, Any]:
    """A machine's tables as a request says them."""
    (about,) = EVENTS.machines[EVENTS.machines["machine"] == machine].to_dict("records")
    kept = TELEMETRY[(TELEMETRY["machine"] == machine) & TELEMETRY["time"].between(after, until, "right")]
    rows = kept.drop(columns="machine").astype(object).where(kept.notna(), None).to_dict("records")
    events = {
        name: getattr(EVENTS, name)[lambda frame: frame["machine"] == machine]
        .drop(columns="machine")
        .to_dict("records")
        for name in ("errors", "maintenance", "failures")
    }
    tables = {"readings": rows, **events}
    timed = {name: [row | {"time": stamp(row["time"])} for row in rows] for name, rows in tables.items()}
    attributes = {"model": about["model"], "age": about["age"]}
    return {"machine": machine, "attributes": attributes, **timed}
