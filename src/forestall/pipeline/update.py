"""`forestall dataset update`: what the service has learnt since, into a dataset's tables, by the month."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from forestall.data.dataset import Dataset
from forestall.data.prepare import prepare
from forestall.data.tables import Table
from forestall.errors import ForestallError
from forestall.pipeline.add import dvc_add
from forestall.pipeline.dataset_text import with_files
from forestall.pipeline.stage import RAW, read_dataset
from forestall.retraining.snapshot import BEFORE, LIVE, Source, rows_in, snapshot
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live

ENDS = f"{LIVE}/ends.csv"
KINDS = ("telemetry", "errors", "maintenance", "failures", "downtime", "machines")


@dataclass(frozen=True)
class Updated:
    """What was taken, at the service's time in ticks.

    files: of the service, below the dataset's folder. new: those that are new or other than before. months: with
    readings, that the dataset did not have, such as 2025-01. failures: how many it did not have.
    """

    at: int
    files: tuple[str, ...]
    new: tuple[str, ...]
    months: tuple[str, ...]
    failures: int


def update_dataset(name: str, live: Live, root: Path, say: Callable[[str], None]) -> Updated:
    """Write the service's months below data/raw/<name>/live, `dvc add` the folder, and name them in the dataset file.

    Nothing is changed before all of it is known; after a kill it can be run again: files are exchanged whole, and DVC
    and the dataset file come last.

    Raises:
        ForestallError: the tables are not under DVC (a stage makes them, perhaps), the service is of another dataset,
            has no readings, or knows less than it did.
        StoreError: the database does not do its part.
    """
    dataset, folder = read_dataset(name, root), root / RAW / name
    _check(dataset, name, folder, live.bundle)
    with _beside(root) as made, live.store.reading() as connection:
        now = _now(connection, live)
        ends = _own_ends(dataset, folder, made, say)
        files = snapshot(Source(connection, live.store, live.bundle, dataset, folder, ends), made, now)
        held = [one for one in files if (folder / one).exists()]
        new = [one for one in files if not _same(made / one, folder / one)]
        months = sorted(months_in(_readings(files)) - months_in(_readings(held)))
        failures = sum(_failures(made, files, dataset)) - sum(_failures(folder, held, dataset))
        if files:
            _taken(made, folder)
    if files:
        _name_files(root / RAW / f"{name}.yaml", files)
        dvc_add(folder, root)
    return Updated(now, tuple(files), tuple(new), tuple(months), failures)


def _now(connection: Connection, live: Live) -> int:
    """The service's time in ticks; a reading of a clock that is ahead ends no month."""
    now = live.time(connection)
    if now is None:
        raise ForestallError("The service has no readings.")
    return now if live.bundle.reference.own_clocks else min(now, int(time.time()))


def months_in(files: Iterable[str]) -> set[str]:
    """Of live/<table>-<month>.csv."""
    return {Path(file).stem.partition("-")[2] for file in files} - {""}


def _readings(files: Iterable[str]) -> Iterator[str]:
    """What was logged between the last reading and midnight makes no month new, nor a stop that has got its end."""
    return (one for one in files if Path(one).name.startswith("telemetry-"))


def _failures(folder: Path, files: Iterable[str], dataset: Dataset) -> Iterator[int]:
    table = dataset.tables.failures
    assert isinstance(table, Table)  # histories that end with a failure have no months: `snapshot`
    return (rows_in(folder / one, table) for one in files if Path(one).name.startswith("failures-"))


@contextmanager
def _beside(root: Path) -> Iterator[Path]:
    """A folder on the repository's own disk, so that its files can be exchanged for those of a dataset."""
    place = root / ".dvc/tmp"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as made:
        yield Path(made)


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _taken(made: Path, folder: Path) -> None:
    """What was made, in the place of what was there."""
    (folder / LIVE).mkdir(exist_ok=True)
    for file in sorted(made.glob(f"{LIVE}/*")):
        file.replace(folder / LIVE / file.name)


def _check(dataset: Dataset, name: str, folder: Path, bundle: Bundle) -> None:
    tracked = folder.with_name(f"{name}.dvc")
    if not tracked.is_file():
        raise ForestallError(
            f"{RAW / tracked.name}: no such file. Only tables that `forestall dataset add {name}` brought in can get "
            "more; those that a stage makes would be made again."
        )
    if not folder.is_dir():
        raise ForestallError(
            f"{folder} is not here. Bring it with `dvc checkout {tracked}` or `dvc pull {tracked}`."
        )
    if bundle.plant.name != name:
        raise ForestallError(f"The service's model is of the dataset {bundle.plant.name}, not of {name}.")
    now, then = _described(dataset), _described(bundle.plant.dataset)
    if other := next((kind for kind, table in then.items() if now.get(kind) != table), None):
        raise ForestallError(
            f"data/raw/{name}.yaml describes {other} otherwise than the model that is served was told. Serve a model "
            "that was made with it, then take the service's months."
        )


def _described(dataset: Dataset) -> dict[str, Any]:
    """How the tables that there are are written, whatever files they have."""
    tables = dataset.tables.model_dump(exclude_none=True)
    return {kind: {**table, "files": None} for kind, table in tables.items()}


def _own_ends(dataset: Dataset, folder: Path, made: Path, say: Callable[[str], None]) -> dict[str, int]:
    """Each machine's last reading in the plant's own tables: found once, and then kept beside the service's months.

    Of a machine without any, `BEFORE`: it stands in the plant's own table of machines.
    """
    file = folder / ENDS
    if not file.is_file():
        say("Reading where the plant's own tables end; that is kept.")
        last = pd.Series(_last_readings(dataset, folder), dtype="int64").rename_axis("machine").rename("time")
        file = made / ENDS
        file.parent.mkdir()
        last.sort_index().reset_index().to_csv(file, index=False, lineterminator="\n")
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


def _name_files(file: Path, files: list[str]) -> None:
    """Name the service's files in the dataset file, where it does not yet."""
    kinds = {Path(name).stem.partition("-")[0] for name in files}
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
