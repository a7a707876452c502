"""`forestall dataset update`: what the service has learnt since, into a dataset's tables, by the month."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forestall.data.dataset import Dataset
from forestall.data.prepare import prepare
from forestall.errors import ForestallError
from forestall.pipeline.dataset_text import with_files
from forestall.pipeline.stage import RAW, read_dataset
from forestall.retraining.snapshot import BEFORE, LIVE, Source, snapshot
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live

ENDS = f"{LIVE}/ends.csv"
KINDS = ("telemetry", "errors", "maintenance", "failures", "downtime", "machines")


@dataclass(frozen=True)
class Updated:
    """files: of the service, below the dataset's folder. new: those that are new or other than before."""

    files: tuple[str, ...]
    new: tuple[str, ...]


def update_dataset(name: str, live: Live, root: Path, say: Callable[[str], None]) -> Updated:
    """Write the service's months below data/raw/<name>/live, `dvc add` the folder, and name them in the dataset file.

    Safe to run again, also after a kill: files are exchanged whole, and DVC and the dataset file come last.

    Raises:
        ForestallError: the tables are not under DVC (a stage makes them, perhaps), the service is of another dataset,
            or it knows less than it did.
        StoreError: the database does not do its part.
    """
    dataset, folder = read_dataset(name, root), root / RAW / name
    _check(name, folder, live.bundle)
    for draft in folder.glob(f"{LIVE}/.*"):
        draft.unlink()
    ends = _own_ends(dataset, folder, say)
    before = {file: file.read_bytes() for file in folder.glob(f"{LIVE}/*.csv")}
    with live.store.reading() as connection:
        now = live.time(connection)
        if now is None:
            raise ForestallError("The service has no readings.")
        files = snapshot(Source(connection, live.store, live.bundle, ends), folder, now)
    _name_files(root / RAW / f"{name}.yaml", files)
    if files:
        _dvc_add(folder, root)
    new = [file for file in files if before.get(file) != file.read_bytes()]
    return Updated(*(tuple(file.relative_to(folder).as_posix() for file in some) for some in (files, new)))


def _check(name: str, folder: Path, bundle: Bundle) -> None:
    tracked = folder.with_name(f"{name}.dvc")
    if not tracked.is_file():
        raise ForestallError(
            f"{tracked}: no such file. Only tables that `forestall dataset add {name}` brought in can get more; those "
            "that a stage makes would be made again."
        )
    if not folder.is_dir():
        raise ForestallError(
            f"{folder} is not here. Bring it with `dvc checkout {tracked}` or `dvc pull {tracked}`."
        )
    if bundle.plant.name != name:
        raise ForestallError(f"The service's model is of the dataset {bundle.plant.name}, not of {name}.")


def _own_ends(dataset: Dataset, folder: Path, say: Callable[[str], None]) -> dict[str, int]:
    """Each machine's last reading in the plant's own tables: found once, and then kept beside the service's months.

    Of a machine without any, `BEFORE`: it stands in the plant's own table of machines.
    """
    file = folder / ENDS
    if not file.is_file():
        say("Reading where the plant's own tables end; that is kept.")
        last = pd.Series(_last_readings(dataset, folder), dtype="int64").rename_axis("machine").rename("time")
        file.parent.mkdir(exist_ok=True)
        draft = file.with_name(f".{file.name}")
        last.sort_index().reset_index().to_csv(draft, index=False, lineterminator="\n")
        draft.replace(file)
    known = pd.read_csv(file, dtype=str, keep_default_na=False)
    return dict(zip(known["machine"], known["time"].astype("int64").tolist(), strict=True))


def _last_readings(dataset: Dataset, folder: Path) -> dict[str, int]:
    last: dict[str, int] = {}

    def look(frame: pd.DataFrame) -> None:
        times = frame.loc[frame["measured"]].groupby("machine")["time"].max()
        last.update({str(machine): int(time) for machine, time in times.items()})

    with tempfile.TemporaryDirectory() as scratch:
        events, _, _ = prepare(folder, dataset, 0, look, lambda _: None, Path(scratch) / "scratch")
    return dict.fromkeys(events.machines["machine"].astype(str), BEFORE) | last


def _name_files(file: Path, files: list[Path]) -> None:
    kinds = {path.name.partition("-")[0].removesuffix(".csv") for path in files}
    patterns = [
        (kind, f"{LIVE}/{kind}.csv" if kind == "machines" else f"{LIVE}/{kind}-*.csv")
        for kind in KINDS
        if kind in kinds
    ]
    text = with_files(file, patterns)
    if text != file.read_text(encoding="utf-8"):
        draft = file.with_name(f".{file.name}")
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(file)


def _dvc_add(folder: Path, root: Path) -> None:
    # This Python's own DVC, whatever is on PATH; of the repository in the folder that it is started in.
    words = [sys.executable, "-m", "dvc", "add", "--quiet", str(folder.relative_to(root))]
    done = subprocess.run(words, cwd=root, check=False)
    if done.returncode:
        raise ForestallError(
            f"`dvc add {folder}` failed; the tables are written. Run it again when it can be."
        )
