"""A small plant for tests: a dataset file and tables, made here so that each test sees what it tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forestall.data.dataset import Dataset
from forestall.data.events import Events

HOUR, DAY = 3600, 86400
START = 1_704_067_200  # 2024-01-01 00:00


def dataset(**changes: Any) -> Dataset:
    """A dataset file of two sensors and two components; `changes` replace whole sections."""
    content: dict[str, Any] = {
        "about": "made for a test",
        "clock": {"kind": "timestamps"},
        "tables": {
            "telemetry": {
                "files": "telemetry.csv",
                "machine": "machine",
                "time": "time",
                "interval": "1h",
                "sensors": {"volt": {"range": [0.0, 400.0]}, "spin": {}},
            },
            "errors": {"files": "errors.csv", "machine": "machine", "time": "time", "code": "code"},
            "maintenance": {
                "files": "maint.csv",
                "machine": "machine",
                "time": "time",
                "component": "component",
            },
            "failures": {
                "files": "failures.csv",
                "machine": "machine",
                "time": "time",
                "component": "component",
            },
            "machines": {
                "files": "machines.csv",
                "machine": "machine",
                "attributes": {"model": "category", "age": "number"},
            },
        },
        "components": {"pump": {}, "seal": {"absent_on": {"model": ["small"]}}},
        "decisions": {
            "every": "3h",
            "offset": "0h",
            "horizons": ["12h", "24h"],
            "min_lead": "2h",
            "history": "24h",
            "stale": "12h",
        },
        "windows": {
            "sensors": ["3h", "24h", "48h"],
            "events": ["24h", "48h"],
            "baseline": "10d",
            "baseline_every": "5d",
        },
        "split": {"by": "time", "validation": "10d", "test": "10d", "gap": "1d", "unseen_machines": 0.0},
        "costs": {"failure": 1000.0, "planned": 200.0, "inspection": 50.0, "prevented": 0.8},
        "card": {"intended_use": "A test of the code.", "limits": "Made for a test."},
    }
    return Dataset.model_validate(content | changes)


def telemetry(machines: int = 3, days: int = 40, seed: int = 0, missing: float = 0.02) -> pd.DataFrame:
    """Hourly readings as they are sent, with some missing ones."""
    rng = np.random.default_rng(seed)
    hours = days * 24
    frame = pd.DataFrame(
        {
            "machine": np.repeat([f"m{i}" for i in range(machines)], hours).astype(object),
            "time": np.tile(START + HOUR * (1 + np.arange(hours)), machines),
            "running": rng.random(machines * hours) > 0.01,
        }
    )
    for name, level, spread in (("volt", 170.0, 15.0), ("spin", 450.0, 50.0)):
        values = rng.normal(level, spread, len(frame))
        frame[name] = np.where(rng.random(len(frame)) < missing, np.nan, values)
    return frame


def clean_telemetry(machines: int = 3, days: int = 40, seed: int = 0, missing: float = 0.02) -> pd.DataFrame:
    """The same as clean telemetry, without its slots after the last readings."""
    return telemetry(machines, days, seed, missing).assign(measured=True)


def with_signal(frame: pd.DataFrame, some: Events, shift: float = 40.0) -> pd.DataFrame:
    """Readings whose volt rises in the day before a pump fails, and whose spin does before a seal fails."""
    frame = frame.copy()
    for machine, time, component in some.failures[["machine", "time", "component"]].itertuples(index=False):
        before = (frame["machine"] == machine) & (frame["time"] > time - DAY) & (frame["time"] <= time)
        frame.loc[before, "volt" if component == "pump" else "spin"] += shift * (
            1 if component == "pump" else 4
        )
    return frame


def events(machines: int = 3, days: int = 40, seed: int = 1) -> Events:
    """Random errors, replacements and failures."""
    rng = np.random.default_rng(seed)
    span = days * DAY

    def some(count: int, column: str, values: list[str]) -> pd.DataFrame:
        frame = pd.DataFrame(
            {
                "machine": rng.choice([f"m{i}" for i in range(machines)], count).astype(object),
                "time": START + rng.integers(0, span // 60, count) * 60,
                column: rng.choice(values, count).astype(object),
            }
        )
        return frame.sort_values(["machine", "time"], ignore_index=True)

    names = [f"m{i}" for i in range(machines)]
    table = pd.DataFrame(
        {"machine": names, "model": ["large"] * (machines - 1) + ["small"], "age": np.arange(machines) * 1.0}
    ).astype({"machine": object, "model": object})
    failures = some(machines * 3, "component", ["pump", "seal"])
    failures = failures[~((failures["machine"] == names[-1]) & (failures["component"] == "seal"))]
    return Events(
        errors=some(machines * 40, "code", ["e1", "e2", "e3"]),
        maintenance=some(machines * 6, "component", ["pump", "seal"]),
        failures=failures.reset_index(drop=True),
        machines=table,
        downtime=pd.DataFrame({"machine": [], "start": [], "end": []}),
    )


def write(folder: Path, **tables: str) -> Path:
    """Tables given as text, one CSV file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def counter_sections() -> dict[str, Any]:
    """The sections of a dataset file that speak of time, for machines that count their own."""
    spans = dict.fromkeys(("every", "offset", "history", "stale"), "2cycles")
    return {
        "clock": {"kind": "counter", "unit": "cycles", "per_month": 60.0},
        "decisions": spans | {"horizons": ["4cycles"], "min_lead": "1cycles"},
        "windows": {
            "sensors": ["2cycles"],
            "events": ["2cycles"],
            "baseline": "9cycles",
            "baseline_every": "2cycles",
        },
        "split": {"by": "machine", "validation": 0.3, "test": 0.3, "gap": "4cycles", "unseen_machines": 0.0},
    }
