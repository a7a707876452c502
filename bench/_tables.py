"""Four weeks of a simulated plant's tables as its export would have them, and TFX and `prepare` over them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from _plants import SMALL, Tables
from forestall.data import store
from forestall.data.dataset import Dataset
from forestall.data.prepare import prepare
from forestall.errors import InputError

TFX, RUNS = Path(".venv/tfx/bin/python"), Path("bench/_tfx_runs.py")
DATASET_FILE, CARRY_FORWARD = Path("data/raw/simulated.yaml"), 2
Written = Callable[[pd.DataFrame], pd.DataFrame]
Counted = dict[tuple[str, str, str], int]  # cells by table, column and repair


def as_exported(rows: pd.DataFrame) -> pd.DataFrame:
    """Telemetry as it is."""
    return rows


def write_raw(
    tables: Tables, span: tuple[int, int], dataset: Dataset, folder: Path, written: Written = as_exported
) -> Path:
    """The readings from one tick to before another, and what else is known by then, as CSV; the folder.

    written: what the export makes of telemetry's columns.
    """
    first, end = span
    readings = tables.telemetry.drop(columns="running")
    readings = readings[(readings["time"] >= first) & (readings["time"] < end)]
    (folder / "telemetry").mkdir(parents=True)
    exported = written(store.with_stamps(readings, dataset.clock))
    exported.to_csv(folder / "telemetry" / "weeks.csv", index=False)
    for name in SMALL:
        rows = getattr(tables.events, name)
        known = rows[rows["time"] < end] if "time" in rows else rows
        known = known[known["end"] < end] if "end" in known else known
        store.with_stamps(known, dataset.clock).to_csv(folder / f"{name}.csv", index=False)
    return folder


def prepared(raw: Path, dataset: Dataset, into: Path) -> Counted | str:
    """What `prepare` repaired, the tables being in a folder then; or why it refused."""
    into.mkdir()
    try:
        with store.TelemetryWriter(into, dataset.clock) as writer:
            events, repairs, _ = prepare(
                raw, dataset, CARRY_FORWARD, writer.write, lambda _: None, into / "scratch"
            )
    except InputError as refused:
        return str(refused).replace(f"{raw}/", "")
    store.write_events(into, events, dataset.clock)
    keys = ["table", "column", "repair"]
    return {tuple(key): int(cells) for *key, cells in repairs.frame()[[*keys, "cells"]].to_numpy().tolist()}


def start_checks(clean: Path, folder: Path, jobs: list[str]) -> subprocess.Popen[str]:
    """TFX over tables, named `<table>:<folder>`, beside the clean ones; `checks_of` waits for it."""
    words = [str(TFX), "-W", "ignore", RUNS, clean, DATASET_FILE, folder, *jobs]
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    with (folder.parent / f"{folder.name}.log").open("w", encoding="utf-8") as log:
        return subprocess.Popen([str(word) for word in words], env=quiet, text=True, stdout=-1, stderr=log)


def checks_of(running: subprocess.Popen[str], log: Path) -> list[Check]:
    """What TFX found, job by job."""
    printed, _ = running.communicate()
    if running.returncode:
        raise SystemExit(f"TFX failed:\n{log.read_text(encoding='utf-8')[-3000:]}")
    return [Check(*json.loads(line)) for line in printed.splitlines()]


@dataclass(frozen=True)
class Check:
    """What TFX found. anomalies: table, column, kind, text. divergences: by column, from the clean tables."""

    anomalies: list[tuple[str, str, str, str]]
    divergences: dict[str, float]


def first_machine_of_model(tables: Tables, model: str) -> Tables:
    """The first machine is of another model."""
    machines = tables.events.machines.copy()
    machines.loc[machines.index[0], "model"] = model
    return Tables(tables.telemetry, replace(tables.events, machines=machines))


def decimal_comma(sensor: str) -> Written:
    """The export writes a sensor's readings with a decimal comma."""

    def written(rows: pd.DataFrame) -> pd.DataFrame:
        texts = rows[sensor].map(lambda value: "" if np.isnan(value) else f"{value}".replace(".", ","))
        return rows.assign(**{sensor: texts})

    return written
