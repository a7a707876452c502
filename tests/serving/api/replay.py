"""The small plant's history, sent over HTTP."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tests.serving.api.conftest import EVENTS, TELEMETRY
from tests.serving.api.server import Running
from tests.serving.feeding import stamp


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON has them."""
    plain = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): cell for name, cell in row.items()} | {"time": stamp(row["time"])} for row in plain]


def events(low: int, high: int) -> list[dict[str, Any]]:
    """What happened in (low, high]."""
    rows = []
    for kind in ("errors", "maintenance", "failures"):
        frame = getattr(EVENTS, kind)
        rows += [{"kind": kind, **row} for row in records(frame[frame["time"].between(low + 1, high)])]
    return rows


def send(api: Running, low: int, high: int) -> None:
    """Events and readings of (low, high]."""
    some = TELEMETRY[TELEMETRY["time"].between(low + 1, high)]
    for path, rows in (("/v1/events", events(low, high)), ("/v1/readings", records(some))):
        response = api.send(path, rows)
        assert response.status_code == 200, response.text
