"""What TFX finds of planted faults, and what Forestall's own checks find of the same.

A simulated plant that the repository's model has never seen. The four weeks before a random hour are clean, and TFX
infers its schemas from them; the four weeks from it on have a fault. TFX checks them as they are exported and as
`prepare` leaves them.
Beside it what `prepare` itself says, and monitoring's drift in service, with the repository's bundle and its reference.

Run it from the repository's top folder after `dvc repro` and `.ci/setup tfx .venv/tfx`.
"""

from __future__ import annotations

import forestall  # noqa: F401  (pins the kernels)

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from _faults import TIMES_SD, Case, case_of
from _monitors import ALERTS, INPUTS, Said, Stream, alerts_of, drift_at
from _plants import Tables, Watch, alarms_of, blocks_of, judged, laid_out
from _tables import (
    Kept, Counted, Written, anomalies, as_exported, decimal_comma, first_machine_of_model, keep,
    prepared, write_raw,
)  # fmt: skip
from _trials import Fault, dead, offset, stuck
from forestall.data.dataset import Dataset
from forestall.monitoring.reference import read_reference
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.monitoring.watched import watched_inputs
from forestall.pipeline import stage
from forestall.serving.bundle import load_bundle

BUNDLE, DATASET_FILE = Path("models/bundle"), Path("data/raw/simulated.yaml")
SEED, WEEKS = 101, 4
SENSOR, THERMOMETER = "vibration", "temperature"
IMPOSSIBLE, SHARE = 9999.0, 0.02


@dataclass(frozen=True, eq=False)
class Planted:
    """A fault. tables: the plant with it. written: how the export writes it. served: whether it reaches the service."""

    name: str
    tables: Tables
    written: Written = as_exported
    served: bool = True


def faults(case: Case) -> Iterator[Planted]:
    """All faults, the plant as it is first."""
    tables, start = case.tables, case.start
    names = case.base.machines.tolist()
    quarter = case.base.machines[case.quarter].tolist()
    place = case.watch.bundle.reference.sensors.index(SENSOR)
    by = dict(zip(names, np.nan_to_num(TIMES_SD * case.spread[:, place]).tolist(), strict=True))
    spoilt = {
        f"impossible value ({IMPOSSIBLE:g}) in {SHARE:.0%} of the readings": impossible(SENSOR, start),
        "°F for °C, one sensor of all machines": fahrenheit(THERMOMETER, start),
        "stuck sensor, a quarter of the machines": stuck(SENSOR, quarter, start, (0.0, 50.0)),
        "no values of a sensor, a quarter of the machines": dead(SENSOR, quarter, start),
        f"offset of {TIMES_SD:g} sd, all machines": offset(SENSOR, by, start),
    }
    yield Planted("none", tables)
    for name, fault in spoilt.items():
        yield Planted(name, Tables(fault(tables.telemetry), tables.events))
    yield Planted("a machine of an unknown model", first_machine_of_model(tables, "CP-99"))
    yield Planted("missing column", tables, lambda rows: rows.drop(columns=SENSOR), served=False)
    yield Planted("decimal comma in one column", tables, decimal_comma(SENSOR), served=False)


def impossible(sensor: str, start: int) -> Fault:
    """Now and then the sensor gives what no sensor can."""

    def spoilt(raw: pd.DataFrame) -> pd.DataFrame:
        hit = (np.random.default_rng(0).random(len(raw)) < SHARE) & (raw["time"] >= start)
        return raw.assign(**{sensor: raw[sensor].mask(hit, IMPOSSIBLE)})

    return spoilt


def fahrenheit(sensor: str, start: int) -> Fault:
    """The sensor reads in another unit."""

    def changed(raw: pd.DataFrame) -> pd.DataFrame:
        return raw.assign(**{sensor: raw[sensor].mask(raw["time"] >= start, 1.8 * raw[sensor] + 32).round(3)})

    return changed


def served(case: Case, tables: Tables) -> Stream:
    """The plant in service with other tables: from the fault's week on, all is thought again."""
    bundle, spans = case.watch.bundle, case.watch.bundle.reference.spans
    raw = tables.telemetry
    needed = raw["time"] > case.week - spans.baseline - 3 * spans.baseline_every
    recent = Tables(raw[needed].reset_index(drop=True), tables.events)
    later, _ = judged(laid_out(recent, bundle, case.until), bundle, case.week)
    changed = case.base.changed(later)
    alarms = alarms_of(changed, tables.events, bundle, bundle.thresholds)
    return Stream((changed,), blocks_of(changed, alarms, case.watch))


def said(case: Case, stream: Stream) -> list[Said]:
    """What drift says at the end of each week that touches the four weeks, and of the next."""
    found = []
    for end in case.ends[case.ends > case.start][: WEEKS + 1].tolist():
        drifted = drift_at(case.watch, stream.blocks, end, THRESHOLDS)
        inputs = frozenset(one.name for one in drifted.inputs if one.holds)
        found.append({ALERTS: alerts_of(drifted), INPUTS: inputs})
    return found


def new_in_service(usual: list[Said], now: list[Said], monitor: str) -> str:
    """What a monitor says that it does not say without the fault, and after how many ends of weeks first."""
    for week, (without, one) in enumerate(zip(usual, now, strict=True), start=1):
        if more := one[monitor] - without[monitor]:
            return f"{', '.join(sorted(more))} (week {week})"
    return "nothing"


def new_repairs(usual: Counted | str, now: Counted | str) -> str:
    """A refusal, or the repairs that are more than without the fault."""
    if isinstance(now, str) or isinstance(usual, str):
        return f"refused: {now}"
    more = {key: cells - usual.get(key, 0) for key, cells in now.items() if cells != usual.get(key, 0)}
    return "; ".join(
        f"{column or table}: {cells:+,} {repair}" for (table, column, repair), cells in more.items()
    )


def by_tfx(found: pd.DataFrame) -> str:
    """Kinds of anomalies by column."""
    return "; ".join(f"{one.column}: {one.kind} {one.text}".strip() for one in found.itertuples())


def measured(case: Case, dataset: Dataset, folder: Path) -> Iterator[dict[str, str]]:
    """A row for each fault."""
    length = WEEKS * case.watch.reference.length
    before, after = (case.start - length, case.start), (case.start, case.start + length)
    clean = write_raw(case.tables, before, dataset, folder / "clean")
    prepared(clean, dataset, folder / "clean-prepared")
    raw_kept = keep(clean, DATASET_FILE, folder / "kept-raw")
    kept = keep(folder / "clean-prepared", DATASET_FILE, folder / "kept-prepared")
    usual, quiet = dict[tuple[str, str, str], int](), said(case, case.stream)
    for number, planted in enumerate(faults(case)):
        raw = write_raw(planted.tables, after, dataset, folder / f"raw{number}", planted.written)
        repaired = prepared(raw, dataset, folder / f"prepared{number}")
        row = {"fault": planted.name, "prepare": new_repairs(usual or repaired, repaired)}
        usual = usual or (repaired if not isinstance(repaired, str) else {})
        now = said(case, served(case, planted.tables)) if planted.served else None
        for monitor in (ALERTS, INPUTS):
            row[monitor] = new_in_service(quiet, now, monitor) if now else "not served"
        row["TFX, raw"] = by_tfx(anomalies(raw, raw_kept, folder / f"tfx-raw{number}"))
        row["TFX, prepared"] = after_prepare(repaired, folder, number, kept)
        yield row


def after_prepare(repaired: Counted | str, folder: Path, number: int, kept: Kept) -> str:
    """What TFX finds in the prepared tables, where there are some."""
    if isinstance(repaired, str):
        return "no prepared tables"
    return by_tfx(anomalies(folder / f"prepared{number}", kept, folder / f"tfx-prepared{number}"))


def main() -> None:
    """Print what was found, fault by fault."""
    if not Path(".venv/tfx/bin/python").exists():
        print(
            "left out: TFX is not installed; .ci/setup tfx .venv/tfx makes its environment", file=sys.stderr
        )
        return
    bundle = load_bundle(BUNDLE)
    reference = read_reference(BUNDLE, bundle)
    inputs = watched_inputs(bundle, reference)
    assert reference is not None and inputs is not None  # the default pipeline exports one
    case = case_of(int(sys.argv[1]) if len(sys.argv) > 1 else SEED, Watch(bundle, reference, inputs))
    with tempfile.TemporaryDirectory() as folder:
        for row in measured(case, stage.read_dataset("simulated"), Path(folder)):
            print("\n  ".join(f"{name}: {text or 'nothing'}" for name, text in row.items()), flush=True)


if __name__ == "__main__":
    main()
