"""Migrations make what the tables say; what a database refuses is told apart; nothing acknowledged is lost."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, event, text

from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.store import database
from forestall.serving.store.database import MIGRATIONS, Store, connect, open_store
from forestall.serving.store.errors import (
    OtherPlantError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreGoneError,
)
from forestall.serving.store.machines import add_machines, latest_reading
from forestall.serving.store.opinions import OpinionFilter, ranked
from forestall.serving.store.readings import recent
from forestall.serving.store.shadow_tables import shadows
from tests import plant
from tests.pipeline.servers import postgresql
from tests.serving.feeding import assert_equal, send
from tests.serving.store.stores import Addresses

FRAME = plant.telemetry(3, 40)


def test_the_migrations_make_what_the_tables_say(store: Store) -> None:
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), shadows.metadata) == []


def test_machines_stay_with_their_dataset(addresses_of_a_kind: Addresses, bundle: Bundle) -> None:
    other = replace(bundle, plant=replace(bundle.plant, name="other"))
    empty = open_store(addresses_of_a_kind.new(), other)
    held = empty.for_bundle(bundle)
    with held.writing() as connection:
        add_machines(connection, {"m1": {}})
    assert held.for_bundle(bundle).sensors == held.sensors
    with pytest.raises(OtherPlantError, match=r"'test'.*'other'.*--database sqlite:///var/other.sqlite"):
        held.for_bundle(other)
    held.close()


def test_a_database_of_a_later_release_is_refused(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="tables of a later release"):
        connect(store.engine.url.render_as_string(hide_password=False))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "names no database"),
        ("mysql://x/y", "mysql is not one of"),
        ("sqlite+aiosqlite:///x", "is not one of"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///x.db?mode=ro", "takes no settings"),
        ("postgresql+psycopg://u:s3cret@h/db?bogus=1", 'invalid connection option "bogus"'),
        ("postgresql+psycopg://u:pass@s3cret@h/db", "write %40 for @"),
        ("postgresql+psycopg://u:p@ss/s3cret@h/db", "write %40 for @"),
        ("postgresql+psycopg//u:s3cret@h/db", "names no database"),
        ("postgresql+psycopg://u:s3cret@h:port/db", "names no database"),
    ],
)
def test_an_address_that_is_none_is_named_without_its_password(url: str, why: str) -> None:
    with pytest.raises(StoreError, match=why) as caught:
        connect(url)
    assert "FORESTALL_DATABASE_URL" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreGoneError):
        connect(f"sqlite:///{tmp_path}/nowhere/store.db")


@pytest.mark.parametrize("_", range(3))
def test_stores_opened_at_once_share_one_set_of_tables(
    addresses_of_a_kind: Addresses, bundle: Bundle, _: int
) -> None:
    url, found = addresses_of_a_kind.new(), list[tuple[str, ...]]()
    at_once = threading.Barrier(6, timeout=30)

    def opening() -> None:
        at_once.wait()
        store = connect(url)
        at_once.wait()
        store = store.for_bundle(bundle)
        found.append(store.sensors)
        store.close()

    threads = [threading.Thread(target=opening) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [("volt", "spin")] * 6


def test_writers_take_turns(store: Store, bundle: Bundle) -> None:
    parts = [FRAME.iloc[start::8] for start in range(8)]
    problems: list[Exception] = []

    def sending(part: int) -> None:
        try:
            for rows in range(0, len(parts[part]), 90):
                send(store, parts[part].iloc[rows : rows + 90], bundle)
        except StoreError as error:
            problems.append(error)

    threads = [threading.Thread(target=sending, args=[part]) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM readings")).scalar() == len(FRAME)


def test_who_waits_too_long_is_told_so(
    tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    file = tmp_path / "store.db"
    store = with_machines(open_store(f"sqlite:///{file}", bundle))
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError):
            send(store, FRAME.iloc[:2], bundle)
        with store.reading() as connection:
            assert latest_reading(connection) is None
        other.execute("ROLLBACK")
    send(store, FRAME.iloc[:2], bundle)


@pytest.mark.slow
def test_a_full_disk_stops_writing_and_not_reading(bundle: Bundle, small_disk: Path) -> None:
    store = with_machines(open_store(f"sqlite:///{small_disk}/store.db", bundle))
    big = plant.telemetry(3, 2000)
    acknowledged = 0
    with pytest.raises(StoreFullError, match="no room left to write"):
        for start in range(0, len(big), 500):
            send(store, big.iloc[start : start + 500], bundle)
            acknowledged += 500
    for _ in range(3):
        with pytest.raises(StoreFullError):
            send(store, big.iloc[acknowledged : acknowledged + 2000], bundle)
        with store.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM readings")).scalar() == acknowledged
    assert acknowledged > 0
    store.close()


def test_a_database_at_its_limit_stops_writing_and_not_reading(tmp_path: Path, bundle: Bundle) -> None:
    store = with_machines(open_store(f"sqlite:///{tmp_path}/store.db", bundle))
    send(store, FRAME.iloc[:50], bundle)

    @event.listens_for(store.engine, "begin")
    def _limit(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=1")

    with pytest.raises(StoreFullError, match="no room left to write"):
        send(store, FRAME.iloc[50:], bundle)
    with store.reading() as connection:
        assert latest_reading(connection) == FRAME["time"][49]


@pytest.mark.slow
def test_a_database_that_was_away_is_used_again(bundle: Bundle) -> None:
    with postgresql() as (host, password):
        url = f"postgresql+psycopg://postgres:{password}@{host}/postgres"
        store = with_machines(open_store(url, bundle))
        send(store, FRAME.iloc[:2], bundle)
        with store.reading() as connection:
            assert latest_reading(connection) == FRAME["time"][1]
        # Connections that the server has closed meanwhile, as after its restart.
        with connect(url).writing() as other:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            other.execute(text(f"{others} AND backend_type = 'client backend'"))
        send(store, FRAME.iloc[2:4], bundle)
        with pytest.raises(StoreGoneError), store.reading() as connection:
            with connect(url).writing() as other:
                other.execute(text(f"{others} AND backend_type = 'client backend'"))
            latest_reading(connection)
    with pytest.raises(StoreGoneError, match="does not answer"):
        send(store, FRAME.iloc[4:6], bundle)
    with pytest.raises(StoreGoneError), store.reading() as connection:
        latest_reading(connection)


SENDER = """
import sys
from pathlib import Path
from forestall.serving.bundle import load_bundle
from forestall.serving.store.database import open_store
from tests import plant
from tests.serving.feeding import assert_equal, send

bundle = load_bundle(Path(sys.argv[2]))
store, frame = open_store(sys.argv[1], bundle), plant.telemetry(3, 3000)
for start in range(0, len(frame), 300):
    added = send(store, frame.iloc[start : start + 300], bundle)
    print(start + 300, flush=True)
"""


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill(store: Store, bundle: Bundle, bundle_folder: Path) -> None:
    url = store.engine.url.render_as_string(hide_password=False)
    frame = plant.telemetry(3, 3000)
    for batches in (3, 40):
        words = [sys.executable, "-c", SENDER, url, str(bundle_folder)]
        sender = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert sender.stdout is not None
        lines = [sender.stdout.readline() for _ in range(batches)]
        sender.send_signal(signal.SIGKILL)
        lines += sender.stdout.readlines()
        sender.wait()
        acknowledged = int([line for line in lines if line.endswith("\n")][-1])
        again = open_store(url, bundle)
        with again.reading() as connection:
            found = recent(connection, again, ["m0", "m1", "m2"], (0, 2**40), ("volt", "spin"))
        assert len(found) in (acknowledged, acknowledged + 300)
        assert_equal(found, frame.iloc[: len(found)])
        again.close()


def with_machines(store: Store) -> Store:
    """The store with the small plant's machines."""
    with store.writing() as connection:
        add_machines(connection, {f"m{number}": {} for number in range(6)})
    return store


def test_a_store_of_an_earlier_release_is_brought_up_to_date(
    addresses_of_a_kind: Addresses, bundle: Bundle
) -> None:
    url = addresses_of_a_kind.new()
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text("INSERT INTO machines VALUES (1, 'm0', '{}', NULL, NULL, 0, 0, NULL, NULL, NULL, NULL)")
        )
        connection.execute(
            text("INSERT INTO current VALUES (1, 'pump', 9, '', 'normal', -0.5, 0.1, '[0.5]', '[]', '[]')")
        )
    engine.dispose()
    store = open_store(url, bundle)
    send(store, FRAME[FRAME["machine"] == "m0"], bundle)
    assert Live.over(store, bundle, None).score_due() == 1
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), shadows.metadata) == []
        assert connection.execute(text("SELECT name FROM plant")).scalar() == "test"
        found = ranked(connection, OpinionFilter(), "risk", 100).opinions
    assert {one.machine for one in found} == {"m0"}
    assert all(one.curve for one in found if one.status != "not applicable")
    store.close()


def test_machines_that_an_earlier_release_has_scored_are_scored_again(store: Store, bundle: Bundle) -> None:
    send(store, FRAME, bundle)
    live = Live.over(store, bundle, None)
    assert live.score_due() == 6 and live.due() == []
    with store.writing() as connection:
        for index in ("by_soon", "by_status_soon", "by_no_risk"):
            connection.execute(text(f"DROP INDEX current_{index}"))
        for index in ("by_opened", "by_standing"):
            connection.execute(text(f"DROP INDEX alarms_{index}"))
        connection.execute(text("ALTER TABLE current DROP COLUMN soon"))
        connection.execute(text("DROP TABLE sessions"))
        for table in ("input_counts", "shadow_risks", "shadows"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    again = connect(store.engine.url.render_as_string(hide_password=False))
    with again.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), shadows.metadata) == []
        assert ranked(connection, OpinionFilter(), "soon", 100).opinions == []
    live = Live.over(again, bundle, None)
    assert live.score_due() == 6 and live.due() == []
    with again.reading() as connection:
        assert {one.machine for one in ranked(connection, OpinionFilter(), "soon", 100).opinions} == {
            f"m{number}" for number in range(6)
        }
    again.close()


def test_a_file_that_was_moved_takes_nothing_that_would_be_lost(tmp_path: Path, bundle: Bundle) -> None:
    file, elsewhere = tmp_path / "store.db", tmp_path / "elsewhere.db"
    store = open_store(f"sqlite:///{file}", bundle)
    file.rename(elsewhere)
    for _ in range(2):
        with pytest.raises(StoreGoneError, match="moved"), store.writing() as connection:
            add_machines(connection, {"m1": {}})
    elsewhere.rename(file)
    with store.writing() as connection:
        assert add_machines(connection, {"m1": {}}) == 1
