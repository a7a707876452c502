"""`forestall dataset update`: the service's months in the dataset's tables, under DVC, each stored once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from ruamel.yaml import YAML

from forestall.cli import main
from forestall.data.prepare import prepare
from forestall.pipeline.stage import read_dataset
from forestall.pipeline.update import update_dataset
from forestall.serving.bundle import load_bundle
from forestall.serving.live import Live
from forestall.serving.store.database import Store
from forestall.serving.store.errors import StoreError
from forestall.serving.store.machines import add_machines
from tests import plant
from tests.pipeline.clones import set_values
from tests.pipeline.servers import postgresql_server
from tests.retraining.test_snapshot import EVENTS, FRAME, OWN_END, until, write_own
from tests.serving.conftest import bundle_folder, empty_store, made
from tests.serving.feeding import between, send, send_events

__all__ = ["bundle_folder", "made"]
COMMENT = "# What the mill sends.\n"
FEBRUARY, MARCH = plant.START + 31 * plant.DAY, plant.START + 60 * plant.DAY


@pytest.fixture
def repository(tmp_path: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the dataset `test` as `forestall dataset add` brought it in, and a bundle of it."""
    folder = tmp_path / "repository"
    (folder / "data/raw").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], check=True)
    dataset = plant.dataset()
    tables = dataset.tables.model_dump(mode="json", exclude_none=True)
    tables["downtime"] = {"files": "downtime.csv", "machine": "machine", "start": "start", "end": "end"}
    dataset = plant.dataset(tables=tables)
    with (folder / "data/raw/test.yaml").open("w", encoding="utf-8") as file:
        file.write(COMMENT)
        YAML().dump(dataset.model_dump(mode="json", exclude_none=True), file)
    write_own(tmp_path / "export", dataset, between(FRAME, 0, OWN_END), until(EVENTS, OWN_END), False)
    assert main(["dataset", "add", "test", str(tmp_path / "export")]) == 0
    shutil.copytree(bundle_folder, folder / "models/bundle")
    return folder


@pytest.fixture
def store(repository: Path) -> Store:
    """The service's, with all but its last day of February."""
    (repository / "var").mkdir()
    store = empty_store("sqlite:///var/forestall.sqlite", load_bundle(repository / "models/bundle"))
    learn(store, OWN_END - 5 * plant.DAY, FEBRUARY + 2 * plant.DAY)
    return store


def learn(store: Store, low: int, high: int) -> None:
    bundle = load_bundle(Path("models/bundle"))
    send(store, between(FRAME, low, high), bundle)
    some = {name: between(getattr(EVENTS, name), low, high) for name in ("errors", "maintenance", "failures")}
    send_events(
        store,
        until(EVENTS, high).__class__(
            machines=EVENTS.machines, downtime=until(EVENTS, high).downtime, **some
        ),
        bundle,
    )


def update() -> int:
    return main(["dataset", "update", "test", "--database", "sqlite:///var/forestall.sqlite"])


def stored(repository: Path) -> dict[Path, int]:
    """DVC's objects, and their sizes; without lists of folders."""
    return {
        file: file.stat().st_size
        for file in repository.glob(".dvc/cache/files/md5/*/*")
        if file.suffix != ".dir"
    }


def pointers(repository: Path) -> tuple[bytes, ...]:
    return tuple((repository / name).read_bytes() for name in ("data/raw/test.dvc", "data/raw/test.yaml"))


def test_a_month_is_taken_once_and_only_it_is_stored(
    repository: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    own = stored(repository)
    assert update() == 0
    said = capsys.readouterr().out
    assert "data/raw/test/live/telemetry-2024-01.csv" in said and "2024-02" not in said
    first = pointers(repository)
    assert first[1].decode().startswith(COMMENT)
    assert read_dataset("test").tables.telemetry.files == ["telemetry.csv", "live/telemetry-*.csv"]

    assert update() == 0
    assert "0 of them new" in capsys.readouterr().out and pointers(repository) == first

    january = stored(repository)
    learn(store, FEBRUARY + 2 * plant.DAY, MARCH + plant.DAY)
    assert update() == 0
    added = {file: size for file, size in stored(repository).items() if file not in january}
    months = sorted((repository / "data/raw/test/live").glob("*-2024-02.csv"))
    assert sorted(added.values()) == sorted(file.stat().st_size for file in months)
    assert set(own) <= set(january)


def test_the_pipeline_reads_them_with_the_own_tables(repository: Path, store: Store, tmp_path: Path) -> None:
    assert store.embedded
    assert update() == 0
    parts: list[pd.DataFrame] = []
    prepare(
        repository / "data/raw/test",
        read_dataset("test"),
        0,
        parts.append,
        lambda _: None,
        tmp_path / "scratch",
    )
    ends = {
        str(machine): int(frame["time"].max()) for part in parts for machine, frame in part.groupby("machine")
    }
    assert set(ends.values()) == {FEBRUARY - plant.HOUR}


def test_a_machine_of_the_own_tables_without_readings_stands_there_once(
    repository: Path, store: Store, tmp_path: Path
) -> None:
    own = repository / "data/raw/test/machines.csv"
    rows = pd.read_csv(own, dtype=str)
    rows.iloc[[0]].assign(machine="spare").to_csv(own, mode="a", header=False, index=False)
    with store.writing() as connection:
        add_machines(connection, {"spare": {}})
    assert update() == 0
    prepare(own.parent, read_dataset("test"), 0, lambda _: None, lambda _: None, tmp_path / "scratch")


def test_a_store_that_was_emptied_takes_nothing_away(
    repository: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert update() == 0
    before, files = pointers(repository), sorted((repository / "data/raw/test").rglob("*"))
    store.close()
    (repository / "var/forestall.sqlite").unlink()
    other = empty_store("sqlite:///var/forestall.sqlite", load_bundle(repository / "models/bundle"))
    learn(other, OWN_END + 2 * plant.DAY, FEBRUARY + 2 * plant.DAY)
    assert update() == 1
    assert "fewer than there are" in capsys.readouterr().err
    assert pointers(repository) == before and sorted((repository / "data/raw/test").rglob("*")) == files


def test_tables_that_are_described_otherwise_than_the_model_knows_are_refused(
    repository: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert store.embedded
    set_values(repository, "data/raw/test.yaml", {"tables.telemetry.separator": ";"})
    before = pointers(repository)
    assert update() == 1
    assert "otherwise" in capsys.readouterr().err
    assert pointers(repository) == before and not (repository / "data/raw/test/live").exists()


def test_a_model_in_service_may_be_of_a_branch_with_months_that_this_one_does_not_have(
    repository: Path, store: Store
) -> None:
    bundle = load_bundle(repository / "models/bundle")
    tables = bundle.plant.dataset.tables.model_dump(mode="json", exclude_none=True)
    tables["telemetry"]["files"] = ["telemetry.csv", "live/telemetry-*.csv"]
    theirs = replace(bundle, plant=replace(bundle.plant, dataset=plant.dataset(tables=tables)))
    found = update_dataset("test", Live.over(store, theirs, None), repository, lambda _: None)
    assert found.months == ("2024-01",)


def test_only_tables_that_were_brought_in_get_more(
    repository: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert store.embedded
    (repository / "data/raw/test.dvc").unlink()
    assert update() == 1
    said = capsys.readouterr().err
    assert "forestall: data/raw/test.dvc: no such file." in said and "forestall dataset add test" in said


def test_without_readings_there_is_nothing_to_take(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert update() == 1
    assert "Start the service" in capsys.readouterr().err
    (repository / "var").mkdir()
    empty_store("sqlite:///var/forestall.sqlite", load_bundle(repository / "models/bundle"))
    assert update() == 1
    assert "no readings" in capsys.readouterr().err
    assert not (repository / "data/raw/test/live").exists()


def test_before_a_month_is_over_nothing_is_taken(
    repository: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pointers(repository)
    store.close()
    (repository / "var/forestall.sqlite").unlink()
    learn(
        empty_store("sqlite:///var/forestall.sqlite", load_bundle(repository / "models/bundle")), 0, OWN_END
    )
    assert update() == 0
    assert "0 files" in capsys.readouterr().out
    assert pointers(repository) == before and not (repository / "data/raw/test/live").exists()


def test_a_month_without_readings_is_no_new_month(repository: Path) -> None:
    bundle = load_bundle(repository / "models/bundle")
    store = empty_store("sqlite:///store.sqlite", bundle)
    for low, high in ((OWN_END - 5 * plant.DAY, OWN_END), (FEBRUARY, FEBRUARY + plant.DAY)):
        send(store, between(FRAME, low, high), bundle)
    logged = between(EVENTS.errors, OWN_END, FEBRUARY - 1)
    none = {name: getattr(EVENTS, name).iloc[:0] for name in ("maintenance", "failures", "downtime")}
    send_events(store, replace(EVENTS, errors=logged, **none), bundle)
    found = update_dataset("test", Live.over(store, bundle, None), repository, lambda _: None)
    assert found.new == ("live/errors-2024-01.csv",) and found.months == ()
    store.close()


def test_a_reading_that_is_yet_to_come_ends_no_month(
    repository: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = FRAME[FRAME["time"] == FEBRUARY].head(1).assign(time=FEBRUARY + 400 * plant.DAY)
    send(store, ahead, load_bundle(repository / "models/bundle"))
    monkeypatch.setattr("forestall.pipeline.update.time", SimpleNamespace(time=lambda: FEBRUARY + plant.DAY))
    assert update() == 0
    live = repository / "data/raw/test/live"
    assert {file.stem[-7:] for file in live.glob("*-????-??.csv")} == {"2024-01"}


@pytest.mark.slow
def test_a_database_that_goes_away_half_way_changes_nothing(repository: Path) -> None:
    bundle, before = load_bundle(repository / "models/bundle"), pointers(repository)
    with postgresql_server() as server:
        store = empty_store(server.url("postgres"), bundle)
        learn(store, OWN_END - 5 * plant.DAY, FEBRUARY + 2 * plant.DAY)
        live = Live.over(store, bundle, None)

        def goes_away(said: str) -> None:
            assert "Reading where the plant's own tables end" in said  # a transaction is open by now
            server.stop()

        with pytest.raises(StoreError):
            update_dataset("test", live, repository, goes_away)
        assert pointers(repository) == before and not (repository / "data/raw/test/live").exists()
        server.start()
        assert update_dataset("test", live, repository, lambda _: None).months == ("2024-01",)
        store.close()
