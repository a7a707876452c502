"""A report of two revisions whose names, machines and values are as hostile as Git, a plant and YAML allow."""

from __future__ import annotations

from forestall.comparison.changes import Changes
from forestall.comparison.gate import Ruling
from forestall.comparison.paired import Difference, Verdict
from forestall.comparison.report import Report

HOSTILE = "<script>document.title='hit'</script>"


def report(low: float | None = -30.0, high: float | None = -10.0, hostile: str = HOSTILE) -> Report:
    """A comparison in which head is better, or with no interval."""
    rows = [
        Difference("cost_per_machine_month", 100.0, 80.0, -20.0, low, high),
        Difference("lead_time_p10_h", None, 3.0, None, None, None),
    ]
    event = {"machine": hostile, "component": hostile, "time": "2024-01-01T00:00:00"}
    slice_ = {
        "slice": "model",
        "value": hostile,
        "failures": 5,
        "event_recall_base": 0.8,
        "event_recall_head": 0.7,
        "cost_per_machine_month_base": 10.0,
        "cost_per_machine_month_head": 12.0,
    }
    return Report(
        base={"name": "main", "commit": "0" * 40},
        head={"name": hostile, "commit": "1" * 40},
        changes=Changes(
            params={hostile: (None, hostile)},
            data={},
            code=[f"src/{hostile}{number}" for number in range(25)],
            packages={},
            stages={hostile: ["code"]},
        ),
        notes=[hostile],
        figures={"validation": rows, "test": rows},
        verdict=Verdict("no evidence" if low is None else "better", low, high),
        failures={"validation": {"newly_caught": [event], "newly_missed": []}},
        alarms={"newly_alarmed": [event], "no_longer": []},
        slices=[slice_],
        rulings=[Ruling("slice floor", False, hostile)],
    )
