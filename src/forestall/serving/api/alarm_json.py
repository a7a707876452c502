"""An alarm and its changes as the API says them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from forestall.features.reference import Reference
from forestall.serving.store.alarms import Alarm, Entry
from forestall.serving.times import time_of


def alarm_json(alarm: Alarm, reference: Reference) -> dict[str, Any]:
    """The alarm, its risk as short as a float32 is written."""
    ended = None if alarm.ended is None else time_of(alarm.ended, reference)
    times = {
        "opened": time_of(alarm.opened, reference),
        "ended": ended,
        "raised_at": _moment(alarm.raised_at),
    }
    risks = {"risk": np.float32(alarm.risk), "threshold": np.float32(alarm.threshold)}
    return vars(alarm) | times | risks


def entry_json(entry: Entry, reference: Reference) -> dict[str, Any]:
    """A change, with its times written out."""
    said = {name: value for name, value in entry.after.items() if name in ("found", "failed")}
    times = {name: time_of(at, reference) for name, at in said.items()}
    after = entry.after | times
    return {
        "at": _moment(entry.at),
        "who": entry.who,
        "before": entry.before,
        "after": after,
        "note": entry.note,
    }


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
