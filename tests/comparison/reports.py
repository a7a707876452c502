"""A report of two revisions whose names, machines and values are as hostile as Git, a plant and YAML allow."""

from __future__ import annotations

from typing import Any

from forestall.comparison.report import Report

Row = dict[str, Any]
HOSTILE = "<script>document.title='hit'</script>"


def report(low: float | None = -30.0, high: float | None = -10.0, hostile: str = HOSTILE) -> Report:
    """A comparison in which head is better, or with no interval."""
    cost: Row = {"metric": "cost_per_machine_month", "base": 100.0, "head": 80.0, "difference": -20.0}
    rows: list[Row] = [
        {**cost, "low": low, "high": high},
        {
            "metric": "lead_time_p10_h",
            "base": None,
            "head": 3.0,
            "difference": None,
            "low": None,
            "high": None,
        },
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
        changes={
            "params": {hostile: (None, hostile)},
            "data": {},
            "code": [f"src/{hostile}{number}" for number in range(25)],
            "packages": {},
            "stages": {hostile: ["code"]},
        },
        notes=[hostile],
        figures={"validation": rows, "test": rows},
        verdict={"word": "no evidence" if low is None else "better", "low": low, "high": high},
        failures={"validation": {"newly_caught": [event], "newly_missed": []}},
        alarms={"newly_alarmed": [event], "no_longer": []},
        slices=[slice_],
        rulings=[{"rule": "slice floor", "passed": False, "reason": hostile}],
    )
