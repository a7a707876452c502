"""TFX over prepared tables, in the environment that it has of its own; left out where that was not made."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forestall.data.dataset import Clock
from forestall.data.store import write_frame

ROOT = Path(__file__).parents[1]
CHECK, DATASET = ROOT / "deploy/tfx/check", ROOT / "data/raw/simulated.yaml"
MACHINES, HOURS = 6, 480
here = pytest.mark.skipif(
    not (ROOT / ".venv/tfx/bin/python").exists(),
    reason="TFX is not installed: .ci/setup tfx .venv/tfx makes its environment",
)


def check(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the check to its end."""
    return subprocess.run([CHECK, *map(str, words)], text=True, capture_output=True, check=False)


def telemetry() -> pd.DataFrame:
    """Of some machines, each of which stands still, without values, every tenth hour; vibration is 0 every fifth."""
    rng, rows = np.random.default_rng(0), MACHINES * HOURS
    hour = np.tile(np.arange(HOURS), MACHINES)
    values = pd.DataFrame({
        "machine": np.repeat([f"M{number}" for number in range(MACHINES)], HOURS),
        "time": 1_767_225_600 + 3600 * hour,
        "running": hour % 10 > 0,
        "vibration": np.where(hour % 5 == 1, 0.0, rng.normal(5.0, 0.5, rows).round(3)),
        "temperature": rng.normal(45.0, 4.0, rows).round(3),
    })  # fmt: skip
    sensors = ["vibration", "temperature"]
    values[sensors] = values[sensors].where(values["running"])
    return values


def write(folder: Path, rows: pd.DataFrame, model: str = "CP-40") -> Path:
    """Prepared tables with this telemetry, in a folder; the last machine's model may be another."""
    folder.mkdir()
    machines = pd.DataFrame({"machine": rows["machine"].unique(), "model": "CP-40"})
    machines.loc[MACHINES - 1, "model"] = model
    for name, frame in (("telemetry", rows), ("machines", machines)):
        write_frame(folder / f"{name}.parquet", frame, Clock(kind="timestamps"))
    return folder


@pytest.mark.slow
@here
def test_faults_are_found_by_the_schemas_of_clean_tables(tmp_path: Path) -> None:
    run, schemas = tmp_path / "run", tmp_path / "schemas"
    clean = check(write(tmp_path / "clean", telemetry()), run)
    assert (clean.returncode, clean.stdout) == (0, ""), clean.stderr
    assert check("schemas", run, schemas, DATASET).returncode == 0
    text = (schemas / "telemetry/schema.pbtxt").read_text(encoding="utf-8")
    # Neither False nor 0 is a missing value: `running` is there always, vibration in 9 rows of 10.
    assert fraction(text, "running") == 1.0
    assert fraction(text, "vibration") == pytest.approx(0.85)

    rows = telemetry()
    rows["temperature"] = 1.8 * rows["temperature"] + 32
    rows.loc[rows["machine"].isin(["M0", "M1"]), "vibration"] = np.nan
    faulty = write(tmp_path / "faulty", rows, model="CP-99")
    found = check(faulty, tmp_path / "second", "--schemas", schemas, "--baseline", run)
    assert found.returncode == 1, found.stderr
    kinds = {tuple(line.split("\t")[:3]) for line in found.stdout.splitlines()}
    assert kinds == {
        ("machines", "model", "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
        ("telemetry", "vibration", "FEATURE_TYPE_LOW_FRACTION_PRESENT"),
        ("telemetry", "temperature", "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH"),
    }

    again = check(faulty, run)
    assert (again.returncode, again.stderr.strip()) == (
        2,
        f"error: {run} exists: name a new folder, or remove it",
    )


def fraction(schema: str, column: str) -> float:
    """The share of rows that must have a value, of a schema's text."""
    part = schema.split(f'name: "{column}"')[1].split("feature {")[0]
    return float(part.split("min_fraction: ")[1].split()[0])


def test_a_missing_environment_is_named_with_what_makes_it(tmp_path: Path) -> None:
    (tmp_path / "deploy/tfx").mkdir(parents=True)
    lonely = shutil.copy(CHECK, tmp_path / "deploy/tfx/check")
    done = subprocess.run([lonely, "data/prepared", "var"], text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, "error: TFX is not installed: run .ci/setup tfx .venv/tfx\n")
