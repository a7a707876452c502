"""The how-to's other ways: tables in a folder elsewhere, on a web server, in a database; and going one's own way."""

from __future__ import annotations

import hashlib
import re
import secrets
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, text

from forestall.data.settings import read_yaml
from tests.pipeline.clones import STAGES, clone, command, lock, repro, set_values
from tests.pipeline.exports import tables, write_exports
from tests.pipeline.how_to import commands, newcomer, run
from tests.pipeline.servers import http_server, postgresql

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
ELSEWHERE = "When the data live elsewhere"
AFTER_SIMULATE = STAGES - {"simulate"}
PROPOSE = "forestall dataset init {} --out data/raw/mill.yaml"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return newcomer(tmp_path / "home")


@pytest.fixture
def exports(home: Path, tmp_path: Path) -> Path:
    return write_exports(home / "exports", tmp_path)


@pytest.fixture
def project(exports: Path, home: Path, tmp_path: Path) -> Path:
    """A clone with a dataset file `mill` for the exports, and no tables yet."""
    folder = clone(tmp_path / "project")
    run(folder, PROPOSE.format(exports), home)
    return folder


def put(line: str, *changes: tuple[str, str]) -> str:
    """The how-to's command with what stands there for an example replaced."""
    for there, here in changes:
        assert there in line, (there, line)
        line = line.replace(there, here)
    return line


def test_a_folder_elsewhere(project: Path, exports: Path, home: Path) -> None:
    fetch, update = commands(ELSEWHERE)[:2]
    run(project, put(fetch, ("/mnt/plant/exports", str(exports))), home)
    set_values(project, "params.yaml", {"data.dataset": "mill"})
    assert "prepare" in repro_until(project, "prepare")
    assert "didn't change" in run(project, update, home)
    with (exports / "alarms.csv").open("a", encoding="utf-8") as file:
        file.write("M00001;2024-03-01 00:10:00;E01\n")
    run(project, update, home)
    assert (project / "data/raw/mill/alarms.csv").read_bytes() == (exports / "alarms.csv").read_bytes()
    assert repro_until(project, "prepare") == ["prepare"]


def test_a_web_server_gives_files(project: Path, exports: Path, home: Path) -> None:
    make, fetch = commands(ELSEWHERE)[2:4]
    run(project, make, home)
    with http_server(exports) as address:
        for file in sorted(exports.iterdir()):
            change = ("http://files.plant.example", address), ("sensor_data.csv", file.name)
            run(project, put(fetch, *change), home)
    set_values(project, "params.yaml", {"data.dataset": "mill"})
    assert "prepare" in repro_until(project, "prepare")


def test_a_web_servers_folder_is_a_page_as_the_how_to_says(project: Path, exports: Path, home: Path) -> None:
    with http_server(exports) as address:
        run(project, f"dvc import-url {address}/ data/raw/mill", home)
    assert "<title>Directory listing" in (project / "data/raw/mill").read_text(encoding="utf-8")
    set_values(project, "params.yaml", {"data.dataset": "mill"})
    done = command(project, "dvc", "repro", "prepare")
    assert done.returncode != 0 and "data/raw/mill" in done.stdout and "Traceback" not in done.stdout


def fill(engine: Engine, scratch: Path) -> None:
    """The plant's tables in a database, with times as times."""
    for name, table in tables(scratch).items():
        if "stamp" in table:
            table["stamp"] = pd.to_datetime(table["stamp"])
        table.sample(frac=1, random_state=1).to_sql(name, engine, index=False)


def import_tables(project: Path, home: Path, *lines: str) -> None:
    """Run these commands and import every table by the how-to's; the dataset file fits what comes out."""
    *_, make, fetch, update = commands(ELSEWHERE)
    for line in (*lines, make):
        run(project, line, home)
    for name in ("sensor_data", "alarms", "work_orders", "breakdowns"):
        run(project, fetch.replace("sensor_data", name), home)
    without_time = put(fetch, ("stamp, asset_no", "asset_no")).replace("sensor_data", "machine_master")
    run(project, without_time, home)
    before = hashes(project)
    run(project, update, home)
    assert hashes(project) == before
    (project / "data/raw/mill.yaml").unlink()
    run(project, PROPOSE.format("data/raw/mill"), home)


def hashes(project: Path) -> dict[str, str]:
    """SHA-256 of each imported table."""
    files = sorted((project / "data/raw/mill").glob("*.csv"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_a_sqlite_database(project: Path, home: Path, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/plant.db"
    fill(create_engine(address), tmp_path)
    (connect,) = commands(ELSEWHERE, "dvc config db.historian.url")
    said = put(connect, ("postgresql://reader@db.plant.example/historian", address))
    import_tables(project, home, said)
    set_values(project, "params.yaml", {"data.dataset": "mill"})
    assert set(repro(project)) >= AFTER_SIMULATE
    assert repro(project) == []


def test_a_postgresql_database_with_a_secret_that_stays_out_of_git(
    project: Path, home: Path, tmp_path: Path
) -> None:
    reader = secrets.token_hex()
    with postgresql() as (address, password):
        owner = f"postgresql://postgres:{password}@{address}"
        with create_engine(f"{owner}/postgres", isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("CREATE DATABASE historian"))
            role = f"CREATE ROLE reader LOGIN PASSWORD '{reader}' IN ROLE pg_read_all_data"
            connection.execute(text(role))
        engine = create_engine(f"{owner}/historian")
        fill(engine, tmp_path)
        engine.dispose()
        connect, secret = commands(ELSEWHERE, "dvc config ")
        said = put(connect, ("db.plant.example", address)), put(secret, ("…", reader))
        import_tables(project, home, *said)
    assert command(project, "git", "grep", "--untracked", "--name-only", reader).stdout == ""
    assert reader in (project / ".dvc/config.local").read_text(encoding="utf-8")
    set_values(project, "params.yaml", {"data.dataset": "mill"})
    assert "prepare" in repro_until(project, "prepare")


def test_an_attempt_aside_and_the_way_back_and_the_simulated_fleet_dropped(
    project: Path, home: Path, tmp_path: Path
) -> None:
    assert repro(project)[0] == "simulate"
    run(project, "git add -A && git commit -qm simulated", home)
    before = lock(project)
    run(project, "forestall dataset add mill ~/exports", home)
    run(project, "git add -A && git commit -qm mill", home)
    run(project, "dvc exp run --temp -S data.dataset=mill", home)
    assert command(project, "git", "status", "--porcelain").stdout == ""
    attempt, _, _, *back = commands("4. Run")
    run(project, attempt, home)
    assert lock(project) != before
    for line in back:
        run(project, line, home)
    assert lock(project) == before
    drop_the_simulated_fleet(project)
    run(project, "dvc repro", home)
    assert set(read_yaml(project / "dvc.yaml")["stages"]) == AFTER_SIMULATE
    assert "Dataset mill" in run(project, "forestall show", home)


def drop_the_simulated_fleet(project: Path) -> None:
    """Steps 1 and 2 of the how-to's section of that name."""
    set_values(project, "params.yaml", {"data.dataset": "mill"})
    stages = (project / "dvc.yaml").read_text(encoding="utf-8")
    without = re.sub(r"^  simulate:\n(?:    .*\n)+", "", stages, flags=re.MULTILINE)
    assert without != stages
    (project / "dvc.yaml").write_text(without, encoding="utf-8")


def repro_until(project: Path, stage: str) -> list[str]:
    """Run `dvc repro` up to a stage and return the stages that ran."""
    done = command(project, "dvc", "repro", stage)
    assert done.returncode == 0, done.stdout
    return re.findall(r"^Running stage '(\w+)'", done.stdout, re.MULTILINE)
