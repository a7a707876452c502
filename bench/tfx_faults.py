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
    TFX, Check, Counted, Written, as_exported, checks_of, decimal_comma, first_machine_of_model, prepared,
    start_checks, write_raw,
)  # fmt: skip
from _trials import Fault, dead, offset, stuck
from forestall.data.dataset import Dataset
from forestall.monitoring.reference import read_reference
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.monitoring.watched import watched_inputs
from forestall.pipeline import stage
from forestall.serving.bundle import load_bundle

BUNDLE = Path("models/bundle")
SEED, WEEKS = 101, 4
SENSOR, THERMOMETER = "vibration", "temperature"
IMPOSSIBLE, EVERY = 9999.0, 50
NOTHING = Check([], {})


@dataclass(frozen=True, eq=False)
class Planted:
    """A fault. tables: the plant with it. written: how the export writes it. served: whether it reaches the service."""

    name: str
    tables: Tables
    written: Written = as_exported
    served: bool = True
    table: str = "telemetry"
    sensor: str = SENSOR


def faults(case: Case) -> Iterator[Planted]:
    """All faults, the plant as it is first."""
    tables, start = case.tables, case.start
    names = case.base.machines.tolist()
    quarter = case.base.machines[case.quarter].tolist()
    place = case.watch.bundle.reference.sensors.index(SENSOR)
    by = dict(zip(names, np.nan_to_num(TIMES_SD * case.spread[:, place]).tolist(), strict=True))
    spoilt = {
        f"impossible value ({IMPOSSIBLE:g}) in a {EVERY}th of the readings": impossible(SENSOR, start),
        "°F for °C, one sensor of all machines": fahrenheit(THERMOMETER, start),
        "stuck sensor, a quarter of the machines": stuck(SENSOR, quarter, start, (0.0, 50.0)),
        "no values of a sensor, a quarter of the machines": dead(SENSOR, quarter, start),
        f"offset of {TIMES_SD:g} sd, all machines": offset(SENSOR, by, start),
    }
    yield Planted("none", tables)
    for name, fault in spoilt.items():
        sensor = THERMOMETER if "°" in name else SENSOR
        yield Planted(name, Tables(fault(tables.telemetry), tables.events), sensor=sensor)
    yield Planted("a machine of an unknown model", first_machine_of_model(tables, "CP-99"), table="machines")
    yield Planted("missing column", tables, lambda rows: rows.drop(columns=SENSOR), served=False)
    yield Planted("decimal comma in one column", tables, decimal_comma(SENSOR), served=False)


def impossible(sensor: str, start: int) -> Fault:
    """Now and then the sensor gives what no sensor can."""

    def spoilt(raw: pd.DataFrame) -> pd.DataFrame:
        hour = raw["time"] // 3600 + pd.factorize(raw["machine"])[0]
        hit = (hour % EVERY == 0) & (raw["time"] >= start)
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


def new_in_service(usual: list[Said], now: list[Said] | None, monitor: str) -> str:
    """What a monitor says that it does not say without the fault, and at which end of a week first."""
    if now is None:
        return "not served"
    for week, (without, one) in enumerate(zip(usual, now, strict=True), start=1):
        if more := one[monitor] - without[monitor]:
            return f"{', '.join(sorted(more))} (week {week})"
    return "nothing"


def new_repairs(usual: Counted | str, now: Counted | str) -> str:
    """A refusal, or the repairs that are more or fewer than without the fault."""
    if isinstance(now, str) or isinstance(usual, str):
        return f"refused: {now}"
    changed = {key: now.get(key, 0) - usual.get(key, 0) for key in {**usual, **now}}
    return "; ".join(
        f"{column or table}: {repair} {cells:+,}"
        for (table, column, repair), cells in changed.items()
        if cells
    )


def new_by_tfx(usual: Check, now: Check | None, sensor: str) -> str:
    """Anomalies whose column and kind are not found without the fault, and how far the sensor diverges."""
    if now is None:
        return "no prepared tables"
    known = {tuple(one[:3]) for one in usual.anomalies}
    new = [f"{column}: {kind}, {text}" for table, column, kind, text in now.anomalies
           if (table, column, kind) not in known]  # fmt: skip
    diverges = [f"divergence of {sensor} {now.divergences[sensor]:.3f}"] if sensor in now.divergences else []
    return "; ".join([*new, *diverges])


def measured(case: Case, dataset: Dataset, folder: Path) -> Iterator[dict[str, str]]:
    """A row for each fault."""
    length = WEEKS * case.watch.reference.length
    before, after = (case.start - length, case.start), (case.start, case.start + length)
    clean, planted = write_raw(case.tables, before, dataset, folder / "clean"), list(faults(case))
    prepared(clean, dataset, folder / "clean-prepared")
    raw = [
        write_raw(one.tables, after, dataset, folder / f"raw{at}", one.written)
        for at, one in enumerate(planted)
    ]
    repaired = [prepared(one, dataset, folder / f"prepared{at}") for at, one in enumerate(raw)]
    usable = [at for at, said_of in enumerate(repaired) if not isinstance(said_of, str)]
    jobs = [f"{one.table}:{tables}" for one, tables in zip(planted, raw, strict=True)]
    after_prepare = [f"{planted[at].table}:{folder / f'prepared{at}'}" for at in usable]
    (folder / "tfx-raw").mkdir()
    (folder / "tfx-prepared").mkdir()
    running = start_checks(clean, folder / "tfx-raw", jobs)
    other = start_checks(folder / "clean-prepared", folder / "tfx-prepared", after_prepare)
    quiet = said(case, case.stream)
    drifted = [said(case, served(case, one.tables)) if one.served else None for one in planted]
    checks = checks_of(running, folder / "tfx-raw.log")
    later = dict(zip(usable, checks_of(other, folder / "tfx-prepared.log"), strict=True))
    for at, one in enumerate(planted):
        in_service = {monitor: new_in_service(quiet, drifted[at], monitor) for monitor in (ALERTS, INPUTS)}
        yield {
            "fault": one.name,
            "prepare": new_repairs(repaired[0], repaired[at]),
            **in_service,
            "TFX, raw": new_by_tfx(checks[0] if at else NOTHING, checks[at], one.sensor),
            "TFX, prepared": new_by_tfx(later[0] if at else NOTHING, later.get(at), one.sensor),
        }


def main() -> None:
    """Print what was found, fault by fault."""
    if not TFX.exists():
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
