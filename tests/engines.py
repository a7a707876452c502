"""A seeded fleet run to failure, in the form of the turbofan sets: each engine counts its own cycles from new."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from tests import plant

ENGINES, ONSET, HORIZON = 50, 40, 30
SENSORS = ("s1", "s2", "s3", "s4")
# Engines still alive at the end: how many cycles before their failure they were last seen.
LEFT = {"5": 4, "9": 6, "17": 8, "23": 60, "31": 75, "44": 110, "50": 70}
FEATURE_GROUPS = ("sensors", "gaps", "replacements", "machine")


def lives(seed: int = 0) -> dict[str, int]:
    """Engine -> the cycle in which it fails, or would have failed."""
    random = np.random.default_rng(seed)
    return {str(number): int(random.integers(110, 250)) for number in range(1, ENGINES + 1)}


def last_cycles(seed: int = 0) -> dict[str, int]:
    """Engine -> the last cycle of its history."""
    return {engine: life - LEFT.get(engine, 0) for engine, life in lives(seed).items()}


def table(seed: int = 0) -> pd.DataFrame:
    """engine, cycle and four sensors, of which three drift in an engine's last `ONSET` cycles."""
    random, frames = np.random.default_rng(seed + 1), []
    for engine, life in lives(seed).items():
        cycle = np.arange(1, life + 1)
        worn = np.clip((cycle - (life - ONSET)) / ONSET, 0, 1) ** 1.5
        level = np.array([640.0, 1590.0, 47.0, 9050.0]) + random.normal(0, 0.5, 4)
        values = level + np.outer(worn, [6.0, -5.0, 4.0, 0.0]) + random.normal(0, 1, (life, 4))
        frame = pd.DataFrame({"engine": int(engine), "cycle": cycle})
        frame[list(SENSORS)] = values.round(3)
        frames.append(frame.iloc[: life - LEFT.get(engine, 0)])
    return pd.concat(frames, ignore_index=True)


def telemetry(seed: int = 0) -> pd.DataFrame:
    """The fleet's readings as the prepare stage would leave them."""
    frame = table(seed).rename(columns={"engine": "machine", "cycle": "time"})
    machine = frame["machine"].astype(str).astype(object)
    frame = frame.assign(machine=machine, running=True, measured=True)
    return frame.sort_values(["machine", "time"], ignore_index=True)


def events(seed: int = 0) -> Events:
    """The fleet's failures: the last cycle of every engine that is not alive."""
    ends = {engine: life for engine, life in lives(seed).items() if engine not in LEFT}
    failures = pd.DataFrame({"machine": list(ends), "time": list(ends.values()), "component": "machine"})
    none = plant.events()
    return Events(
        errors=none.errors.iloc[:0],
        maintenance=none.maintenance.iloc[:0],
        failures=failures.astype({"machine": object, "component": object}),
        machines=pd.DataFrame({"machine": pd.Series(dtype=object)}),
        downtime=none.downtime,
    )


def dataset(**changes: Any) -> Dataset:
    """The fleet's dataset file; `changes` replace whole sections."""
    content: dict[str, Any] = {
        "about": "made for a test",
        "clock": {"kind": "counter", "unit": "cycles", "per_month": 60.0},
        "tables": {
            "telemetry": {
                "files": "engines.csv",
                "machine": "engine",
                "time": "cycle",
                "interval": "1cycles",
                "sensors": {sensor: {} for sensor in SENSORS},
            },
            "failures": {"last_row": True, "alive": list(LEFT)},
        },
        "components": {"machine": {}},
        "decisions": {
            "every": "1cycles",
            "offset": "0cycles",
            "horizons": [f"{HORIZON}cycles"],
            "min_lead": "2cycles",
            "history": "30cycles",
            "stale": "2cycles",
        },
        "windows": {
            "sensors": ["1cycles", "10cycles"],
            "events": ["10cycles"],
            "baseline": "90cycles",
            "baseline_every": "10cycles",
        },
        "split": {
            "by": "machine",
            "validation": 0.2,
            "test": 0.2,
            "gap": f"{HORIZON}cycles",
            "unseen_machines": 0.0,
        },
        "costs": {"failure": 1000.0, "planned": 200.0, "inspection": 50.0, "prevented": 0.8},
        "card": {"intended_use": "A test of the code.", "limits": "Made for a test."},
    }
    return Dataset.model_validate(content | changes)
