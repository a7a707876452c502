"""`forestall shadow` on a real repository: what it shows decides beside the gate, and a kill leaves old or new."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from forestall.data.store import read_frame
from forestall.features.files import BASELINES
from forestall.retraining.served import challenger, champion
from forestall.serving.answering import answering_bundle
from forestall.serving.bundle import load_bundle
from forestall.serving.live import Live
from forestall.serving.store.database import open_store
from forestall.serving.store.fill import fill
from forestall.serving.store.machines import latest_reading
from tests.pipeline.clones import command, killed_after
from tests.pipeline.repository import git
from tests.pipeline.test_promote import project
from tests.plant import DAY
from tests.serving.challengers import beside
from tests.serving.test_live import Clock

__all__ = ["project"]
pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(project: Path, tmp_path: Path) -> Run:
    """A verb, with a folder of its own to serve from and a store that is not there yet."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        more = ("--served", str(tmp_path), "--database", url(tmp_path))
        return command(project, "forestall", *words, *more)

    return run


@pytest.fixture
def both(run: Run) -> Run:
    """`main` is served, and `again` in shadow."""
    assert run("promote", "main").returncode == 0
    done = run("shadow", "again")
    assert done.returncode == 0, done.stdout
    return run


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'store.sqlite'}"


def in_service(project: Path, folder: Path, days: int) -> None:
    """So many days of the plant, with both at work."""
    bundle, other = (load_bundle(folder / name) for name in ("champion", "challenger"))
    store = open_store(url(folder), bundle)
    baselines = read_frame(folder / "champion" / BASELINES, bundle.plant.dataset.clock)
    with TemporaryDirectory() as scratch:
        fill(store, project / "data/raw/simulated", bundle, baselines, lambda _: None, Path(scratch))
    with store.reading() as connection:
        end = latest_reading(connection) or 0
    clock = Clock(end - days * DAY)
    scored = beside(store, other, clock, int((folder / "challenger").lstat().st_mtime))
    live = replace(Live.over(store, bundle, clock), beside=scored)
    live.score_due()
    clock.time = end
    live.score_due()
    assert scored.problems == []
    store.close()


def test_what_was_fit_in_shadow_is_promoted_and_in_shadow_no_more(
    both: Run, project: Path, tmp_path: Path
) -> None:
    beside_it = challenger(tmp_path)
    assert answering_bundle(tmp_path / "challenger").manifest["revision"] == git(
        project, "rev-parse", "again"
    )
    assert (
        f"In shadow: {beside_it}, of {git(project, 'rev-parse', 'again')[:12]}."
        in both("promote", "--status").stdout
    )
    in_service(project, tmp_path, days=9)
    report = both("shadow", "--report")
    assert report.returncode == 0 and report.stdout.startswith("## Shadow: fit to be promoted"), report.stdout
    done = both("promote", "again")
    assert done.returncode == 0 and "Gate: passed" in done.stdout and "## Shadow: fit" in done.stdout, (
        done.stdout
    )
    assert champion(tmp_path) == beside_it and challenger(tmp_path) == ""
    assert "In shadow" not in both("promote", "--status").stdout
    assert "nothing is in shadow" in both("shadow", "--report").stdout


def test_what_has_shown_too_little_is_refused_but_for_a_reason(
    both: Run, project: Path, tmp_path: Path
) -> None:
    before, beside_it = champion(tmp_path), challenger(tmp_path)
    in_service(project, tmp_path, days=3)
    report = both("shadow", "--report")
    assert report.returncode == 1 and report.stdout.startswith("## Shadow: NOT fit"), report.stdout
    refused = both("promote", "again")
    assert refused.returncode == 1 and "Gate: passed" in refused.stdout, refused.stdout
    assert "## Shadow: NOT fit" in refused.stdout
    assert (champion(tmp_path), challenger(tmp_path)) == (before, beside_it)
    assert answering_bundle(tmp_path / "challenger")
    assert both("promote", "again", "--force", "it cannot wait").returncode == 0
    assert (champion(tmp_path), challenger(tmp_path)) == (beside_it, "")


def test_without_a_store_to_read_the_gate_decides_and_says_so(both: Run, tmp_path: Path) -> None:
    beside_it = challenger(tmp_path)
    done = both("promote", "again")
    assert done.returncode == 0 and "the gate decides alone: There is no database" in done.stdout, done.stdout
    assert (champion(tmp_path), challenger(tmp_path)) == (beside_it, "")


def test_what_cannot_stand_beside_is_a_sentence_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    first = run("shadow", "again")
    assert first.returncode == 1 and "nothing is served" in first.stdout
    assert run("promote", "main").returncode == 0
    releases = sorted(one.name for one in (tmp_path / "releases").iterdir())
    for words, said in (
        (("main",), "main is what is served"),
        (("workspace",), "Only a commit"),
        (("nowhere",), "no such revision"),
        (("--end",), "nothing is in shadow"),
        (("--report",), "nothing is in shadow"),
    ):
        done = run("shadow", *words)
        assert done.returncode == 1 and said in done.stdout and "Traceback" not in done.stdout, done.stdout
    file = tmp_path / "champion/manifest.json"
    manifest = json.loads(file.read_text())
    manifest["reference"]["spans"]["every"] *= 2
    file.write_text(json.dumps(manifest))
    slow = run("shadow", "again")
    assert slow.returncode == 1 and "never at the same times" in slow.stdout
    manifest["plant"]["name"] = "mill"
    file.write_text(json.dumps(manifest))
    foreign = run("shadow", "again")
    assert foreign.returncode == 1 and "'mill' is served" in foreign.stdout
    assert sorted(one.name for one in (tmp_path / "releases").iterdir()) == releases
    assert challenger(tmp_path) == ""


def test_another_takes_its_place_and_the_end_leaves_nothing(both: Run, tmp_path: Path) -> None:
    old = challenger(tmp_path)
    assert both("shadow", "deaf").returncode == 0
    new = challenger(tmp_path)
    names = {one.name for one in (tmp_path / "releases").iterdir()}
    assert new != old and names == {champion(tmp_path), new}
    assert both("shadow", "--end").returncode == 0
    assert challenger(tmp_path) == "" and [one.name for one in (tmp_path / "releases").iterdir()] == [
        champion(tmp_path)
    ]


@pytest.mark.parametrize("seconds", [1.0, 2.0, 3.0])
def test_a_kill_leaves_the_old_challenger_or_the_new_one(
    both: Run, project: Path, tmp_path: Path, seconds: float
) -> None:
    old = challenger(tmp_path)
    words = ["forestall", "shadow", "deaf", "--served", str(tmp_path)]
    killed_after(project, seconds, *words)
    now = challenger(tmp_path)
    answering_bundle(tmp_path / "challenger")
    assert f"In shadow: {now}" in both("promote", "--status").stdout
    assert both("shadow", "deaf").returncode == 0
    assert challenger(tmp_path) != old and now in (old, challenger(tmp_path))


def test_what_is_damaged_in_shadow_is_told_and_can_be_taken_away(both: Run, tmp_path: Path) -> None:
    (tmp_path / "challenger/manifest.json").write_text("nothing", encoding="utf-8")
    told = both("promote", "--status")
    assert told.returncode == 0 and "which is damaged; `forestall shadow --end` takes it away" in told.stdout
    assert both("shadow", "--end").returncode == 0 and challenger(tmp_path) == ""
