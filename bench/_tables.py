"""Four weeks of a simulated plant's tables as its export would have them, and TFX and `prepare` over them."""

from __future__ import annotations

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

CHECK, CARRY_FORWARD = Path("deploy/tfx/check"), 2
ONLY = ("telemetry", "machines")
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


@dataclass(frozen=True)
class Kept:
    """What later weeks are checked against: a run over clean weeks, and its schemas with the dataset file's ranges."""

    run: Path
    schemas: Path


def keep(tables: Path, dataset_file: Path, folder: Path) -> Kept:
    """Run TFX over clean tables and keep what it makes."""
    kept = Kept(folder / "run", folder / "schemas")
    _check(tables, kept.run, "--only", *ONLY)
    _check("schemas", kept.run, kept.schemas, dataset_file)
    return kept


def anomalies(tables: Path, kept: Kept, into: Path) -> pd.DataFrame:
    """What TFX finds: table, column, kind, text."""
    words = ("--only", *ONLY, "--schemas", kept.schemas, "--baseline", kept.run)
    lines = _check(tables, into, *words).splitlines()
    return pd.DataFrame([line.split("\t") for line in lines], columns=["table", "column", "kind", "text"])


def _check(*words: object) -> str:
    """What the check prints; found anomalies are no failure."""
    done = subprocess.run([str(CHECK), *map(str, words)], text=True, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr.strip().splitlines()[-1])
    if done.returncode == 1 and "anomalies; everything is below" not in done.stderr:
        raise SystemExit(f"{' '.join(map(str, words))}:\n{done.stderr[-3000:]}")
    return done.stdout


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
