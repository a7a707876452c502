"""What a plant's systems export: five CSV files with their own names, semicolons and decimal commas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from forestall.data.simulator.settings import SimulateParams
from forestall.data.simulator.write import write_fleet

FLEET = SimulateParams(seed=7, machines=16, days=120)
FILES = {
    "telemetry/*": "sensor_data",
    "errors": "alarms",
    "maintenance": "work_orders",
    "failures": "breakdowns",
    "machines": "machine_master",
}
COLUMNS = {"machine": "asset_no", "time": "stamp", "code": "alarm_code", "component": "part", "model": "type"}


def tables(scratch: Path) -> dict[str, pd.DataFrame]:
    """The five tables by the name of the file in which the plant exports them."""
    write_fleet(FLEET, scratch / "fleet", scratch / "truth.csv")
    found = {}
    for ours, theirs in FILES.items():
        parts = [pd.read_csv(file) for file in sorted((scratch / "fleet").glob(f"{ours}.csv"))]
        found[theirs] = pd.concat(parts).rename(columns=COLUMNS)
    return found


def write_exports(folder: Path, scratch: Path) -> Path:
    """The five files in that folder."""
    folder.mkdir()
    for name, table in tables(scratch).items():
        table.to_csv(folder / f"{name}.csv", index=False, sep=";", decimal=",")
    return folder
