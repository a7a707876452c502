"""`forestall explain-change --live`: what it says of a store, and what it asks for."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from forestall.cli import main
from forestall.monitoring.watched import WatchedInputs
from forestall.serving.bundle import Bundle
from tests.serving.conftest import empty_store
from tests.serving.test_input_counts import play


@pytest.fixture(scope="module")
def database(bundle: Bundle, counter: WatchedInputs, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('live') / 'store.sqlite'}"
    play(empty_store(url, bundle), bundle, counter)
    return url


def ask(bundle: Path, database: str, *words: str) -> int:
    return main(["explain-change", "--live", "--bundle", str(bundle), "--database", database, *words])


def test_the_report_and_its_json_say_the_same(
    bundle_folder: Path, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(bundle_folder, database, "--json", str(tmp_path / "change.json")) == 0
    text = capsys.readouterr().out
    found = json.loads((tmp_path / "change.json").read_text(encoding="utf-8"))
    before, after = found["mean_risk"]["before"], found["mean_risk"]["after"]
    assert f"Mean risk {100 * before:.2f} % -> {100 * after:.2f} %" in text
    assert sum(found["shares"].values()) == pytest.approx(after - before)
    for name, share in found["shares"].items():
        assert f"| {name} | {100 * share:+.2f} points |" in text
    assert found["periods"]["after"][1] in text and set(found["machines"]) == {"before", "after"}


def test_periods_can_be_named(bundle_folder: Path, database: str, tmp_path: Path) -> None:
    words = (
        "--before",
        "2024-01-24",
        "--after",
        "2024-01-30T00:00:00Z",
        "--json",
        str(tmp_path / "change.json"),
    )
    assert ask(bundle_folder, database, *words) == 0
    periods = json.loads((tmp_path / "change.json").read_text(encoding="utf-8"))["periods"]
    assert (periods["before"][1], periods["after"][1]) == ("2024-01-24T00:00:00Z", "2024-01-30T00:00:00Z")


def test_the_old_bundle_judges_too(
    bundle_folder: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(bundle_folder, database, "--old", str(bundle_folder)) == 0
    assert "worked out again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--before", "yesterday"), "--before yesterday: not a timestamp"),
        (("--after", "2031-01-01"), "the latest reading is of 2024-02-0"),
        (("--before", "2024-02-03T12:00:00Z"), "has to be over"),
        (("--before", "2020-02-03"), "no readings to judge the period before"),
        (("main",), "Say which: BASE"),
        (("--old", "nowhere"), "nowhere"),
        (("--json", "nowhere/change.json"), "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_said_is_refused(
    words: tuple[str, ...], said: str, bundle_folder: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(bundle_folder, database, *words) != 0
    assert said in capsys.readouterr().err


def test_a_database_that_is_not_there_is_not_made(
    bundle_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(bundle_folder, f"sqlite:///{tmp_path / 'none.sqlite'}") != 0
    assert "Start the service" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_another_s_database_is_left_as_it_is(
    bundle_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE machines (mine TEXT)")
    assert ask(bundle_folder, f"sqlite:///{other}") != 0
    assert "holds nothing of a service's" in capsys.readouterr().err
    with closing(sqlite3.connect(other)) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("machines",)]


def test_options_of_the_fleet_need_live(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain-change", "main", "--before", "2024-01-24"]) != 0
    assert "say --live" in capsys.readouterr().err


def test_machines_with_clocks_of_their_own_have_no_periods(
    counting_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(counting_folder, f"sqlite:///{tmp_path / 'none.sqlite'}") != 0
    assert "clocks of their own" in capsys.readouterr().err
