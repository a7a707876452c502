"""A plant's tables in, the fleet out, worst first: what `forestall predict` does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from glob import escape
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from forestall.data import store
from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.data.prepare import prepare
from forestall.errors import ForestallError
from forestall.serving.baselines import bundle_baselines
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.fleet import columns_of, fleet_of

Progress = Callable[[str], None]
PARQUET = (".parquet", ".pq")
TEXTS = ("machine", "component", "status", "alarm", "reasons")


def predict(source: Path, out: Path, bundle_folder: Path, progress: Progress) -> pd.DataFrame:
    """Read tables, write what is thought of each machine and component to `out`, and return it.

    Args:
        source: a folder with the plant's tables, as its dataset file describes them, or one file of telemetry.
        out: CSV or Parquet, by its suffix; it is replaced only when all went well.

    Raises:
        InputError: a table holds something that cannot be used; it names file, row and column.
        ForestallError: `source` or `out` cannot be used.
        BundleError: the bundle must not be used.
    """
    _check(source, out)
    bundle = load_bundle(bundle_folder)
    known = bundle_baselines(bundle_folder, bundle)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as name:
        scratch = Path(name)
        events, end = _prepared(source, bundle, scratch, progress)
        clock = bundle.plant.dataset.clock
        fleet = fleet_of(store.read_telemetry(scratch, clock), events, known, bundle, end)
        _write(fleet, scratch / out.name, bundle)
        (scratch / out.name).replace(out)
    return fleet


def _check(source: Path, out: Path) -> None:
    if not source.exists():
        raise ForestallError(f"{source}: no such file or folder. Give a plant's tables, or its telemetry.")
    if out.suffix not in (".csv", *PARQUET):
        raise ForestallError(f"{out}: the name must end in .csv or .parquet.")
    if not out.parent.is_dir():
        raise ForestallError(f"{out.parent}: no such folder. Make it first.")
    if out.is_dir():
        raise ForestallError(f"{out} is a folder. Name a file.")


def _prepared(source: Path, bundle: Bundle, scratch: Path, progress: Progress) -> tuple[Events, int]:
    """Clean telemetry in `scratch`, the small tables, and the time of the latest reading."""
    plant = bundle.plant
    folder, dataset = (
        (source, plant.dataset) if source.is_dir() else (source.parent, _alone(source, plant.dataset))
    )
    with store.TelemetryWriter(scratch, dataset.clock) as writer:
        events, _, summary = prepare(
            folder, dataset, plant.carry_forward, writer.write, progress, scratch / "pieces"
        )
    if source.is_file():
        events = replace(events, machines=_unknown(summary.spans["machine"], plant.dataset))
    return events, int(summary.spans["max"].max())


def _alone(file: Path, dataset: Dataset) -> Dataset:
    """The plant with one file of telemetry and no other table: its machines run, and nothing is known of them."""
    telemetry = dataset.tables.telemetry.model_copy(update={"files": escape(file.name)})
    absent = dict.fromkeys(("failures", "errors", "maintenance", "machines", "downtime"))
    tables = dataset.tables.model_copy(update={"telemetry": telemetry, **absent})
    parts = {name: part.model_copy(update={"absent_on": {}}) for name, part in dataset.components.items()}
    return dataset.model_copy(update={"tables": tables, "components": parts})


def _unknown(machines: pd.Series[str], dataset: Dataset) -> pd.DataFrame:
    """A machines table in which only the names are known."""
    attributes = dataset.tables.machines.attributes if dataset.tables.machines else {}
    columns = {
        name: pd.Series([None] * len(machines), dtype=float if kind == "number" else object)
        for name, kind in attributes.items()
    }
    return pd.DataFrame({"machine": machines.to_numpy(dtype=object), **columns})


def _write(fleet: pd.DataFrame, file: Path, bundle: Bundle) -> None:
    """As the predict stage writes it, or as Parquet with times and numbers for what they are."""
    clock = bundle.plant.dataset.clock
    if file.suffix == ".csv":
        text = store.with_stamps(fleet, clock).to_csv(index=False, float_format="%.6g", lineterminator="\n")
        file.write_text(text, encoding="utf-8", newline="\n")
        return
    risks = [name for name in columns_of(bundle) if name == "threshold" or name.startswith("risk")]
    typed = fleet.astype(dict.fromkeys(risks, "float64") | dict.fromkeys(TEXTS, object))
    pq.write_table(store.to_arrow(typed, clock), file)
