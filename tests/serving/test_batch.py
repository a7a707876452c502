"""`forestall predict`: the pipeline's fleet from raw tables, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from forestall.cli import main
from forestall.data import prepare as preparing
from forestall.data import read, store
from forestall.data.prepare import prepare
from forestall.features import build
from forestall.features.baselines import own_baselines
from forestall.pipeline.files import write_csv
from forestall.serving.bundle import load_bundle
from forestall.serving.fleet import fleet_table, worst_first
from forestall.serving.opinions import opinions_of
from tests import plant
from tests.serving.conftest import Made, bundle_with_baselines

EVENTS, DATASET = plant.events(6, 60), plant.dataset()
TELEMETRY = plant.with_signal(plant.telemetry(6, 60), EVENTS)
END = int(TELEMETRY["time"].max())
TELEMETRY.loc[(TELEMETRY["machine"] == "m2") & (TELEMETRY["time"] > END - plant.DAY), "volt"] += 40.0


@pytest.fixture(scope="module")
def bundle(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_with_baselines(tmp_path_factory.mktemp("bundle"), made, TELEMETRY, EVENTS)


def tables(folder: Path, after: int = 0) -> Path:
    """The plant's tables as CSV, with telemetry after a time only."""
    folder.mkdir()
    readings = TELEMETRY[TELEMETRY["time"] > after].drop(columns="running")
    replaced = EVENTS.maintenance
    replaced = replaced[(replaced["machine"] != "m5") | (replaced["component"] != "seal")]
    for name, frame in (
        ("telemetry", readings),
        ("errors", EVENTS.errors),
        ("maint", replaced),
        ("failures", EVENTS.failures),
        ("machines", EVENTS.machines),
    ):
        store.with_stamps(frame, DATASET.clock).to_csv(folder / f"{name}.csv", index=False)
    return folder


def pipelines_fleet(folder: Path, bundle: Path, scratch: Path) -> bytes:
    """What the stages make of the tables, machine by machine from all of its history."""
    frames: list[pd.DataFrame] = []
    events, _, summary = prepare(folder, DATASET, 2, frames.append, print, scratch)
    loaded, opinions = load_bundle(bundle), []
    for history in build.histories(lambda: iter(frames), events, DATASET, int(summary.spans["max"].max())):
        opinions += opinions_of(history, own_baselines(history, loaded.reference.spans, ()), loaded)
    fleet = worst_first(fleet_table(opinions, loaded))
    write_csv(scratch.parent / "expected.csv", store.with_stamps(fleet, DATASET.clock))
    return (scratch.parent / "expected.csv").read_bytes()


def predicted(source: Path, out: Path, bundle: Path) -> int:
    return main(["predict", str(source), "--out", str(out), "--bundle", str(bundle)])


def test_it_gives_the_pipelines_fleet_to_the_byte(bundle: Path, tmp_path: Path) -> None:
    folder, out = tables(tmp_path / "in"), tmp_path / "fleet.csv"
    assert predicted(folder, out, bundle) == 0
    assert out.read_bytes() == pipelines_fleet(folder, bundle, tmp_path / "scratch")
    worst = out.read_text(encoding="utf-8").splitlines()[1]
    assert worst.startswith("m2,pump,2024-03-01T00:00:00,,yes,0.1,volt ")
    assert "sd above this machine's normal for 24 h (" in worst


def test_pieces_give_the_same_bytes_as_a_whole(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tables(tmp_path / "in")
    assert predicted(folder, tmp_path / "whole.csv", bundle) == 0
    monkeypatch.setattr(read, "PIECE_BYTES", 5_000)
    monkeypatch.setattr(preparing, "BUCKET_BYTES", 50_000)
    assert predicted(folder, tmp_path / "pieces.csv", bundle) == 0
    assert (tmp_path / "pieces.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in", "pieces.csv", "whole.csv"]


def test_of_a_short_history_the_bundles_baselines_hold(bundle: Path, tmp_path: Path) -> None:
    whole, short = tables(tmp_path / "whole"), tables(tmp_path / "short", END - 3 * plant.DAY)
    assert predicted(whole, tmp_path / "whole.csv", bundle) == 0
    assert predicted(short, tmp_path / "short.csv", bundle) == 0
    assert (tmp_path / "short.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_parquet_holds_the_same_as_csv(bundle: Path, tmp_path: Path) -> None:
    folder = tables(tmp_path / "in")
    assert predicted(folder, tmp_path / "fleet.csv", bundle) == 0
    assert predicted(folder, tmp_path / "fleet.parquet", bundle) == 0
    text, typed = pd.read_csv(tmp_path / "fleet.csv"), pq.read_table(tmp_path / "fleet.parquet").to_pandas()
    assert list(text) == list(typed)
    np.testing.assert_allclose(typed["risk"], text["risk"], rtol=1e-5)
    assert typed["risk"].dtype == np.float64
    assert (typed["time"] == np.datetime64(END, "s")).all()
    assert list(typed["machine"]) == list(text["machine"])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_one_file_of_telemetry_is_enough(suffix: str, bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / f"some[1].{suffix}"
    readings = store.with_stamps(TELEMETRY.drop(columns="running"), DATASET.clock)
    if suffix == "csv":
        readings.to_csv(file, index=False)
    else:
        readings.assign(time=pd.to_datetime(readings["time"])).to_parquet(file)
    assert predicted(file, tmp_path / "fleet.csv", bundle) == 0
    fleet = pd.read_csv(tmp_path / "fleet.csv")
    assert len(fleet) == 12
    assert fleet["status"].isna().all()


def test_a_bad_cell_is_named_and_what_was_there_stays(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tables(tmp_path / "in"), tmp_path / "fleet.csv"
    out.write_text("yesterday's")
    lines = (folder / "telemetry.csv").read_text(encoding="utf-8").splitlines()
    lines[7] = ",".join([*lines[7].split(",")[:-1], "many"])
    (folder / "telemetry.csv").write_text("\n".join(lines), encoding="utf-8")
    assert predicted(folder, out, bundle) == 1
    problem = capsys.readouterr().err
    assert "telemetry.csv, row 8, column spin: 'many' is not a number" in problem
    assert out.read_text(encoding="utf-8") == "yesterday's"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["fleet.csv", "in"]


@pytest.mark.parametrize(
    ("source", "out", "says"),
    [
        ("nowhere", "fleet.csv", "no such file or folder"),
        ("in", "fleet.txt", "must end in .csv or .parquet"),
        ("in", "nowhere/fleet.csv", "no such folder. Make it first"),
        ("in", "folder.csv", "is a folder"),
    ],
)
def test_what_cannot_be_read_or_written_is_said(
    source: str, out: str, says: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.csv").mkdir()
    tables(tmp_path / "in")
    assert predicted(tmp_path / source, tmp_path / out, bundle) == 1
    assert says in capsys.readouterr().err


def test_a_bundle_that_was_changed_is_refused(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predicted(tables(tmp_path / "in"), tmp_path / "fleet.csv", tmp_path / "none") == 1
    assert "not a whole bundle" in capsys.readouterr().err
