"""Remotes set up by the words of their pages, against real servers, and what other clones get from them."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from forestall.pipeline.missing import PUSH
from tests.pipeline.clones import clone, repro, set_values
from tests.pipeline.exports import write_exports
from tests.pipeline.how_to import commands, newcomer
from tests.pipeline.remotes import PAGES, SET_UP, Remote, in_folder, on_s3, over_ssh, run, said
from tests.pipeline.repository import commit, git

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
ELSEWHERE, PUSH_AND_PULL = "In another clone", "Push and pull"
TABLE = "data/raw/mill/sensor_data.csv"
LITTLE = {"simulate.machines": 4, "simulate.days": 40, "data.dataset": "mill"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plant's own project that has run, and in which one stage has run again with another setting."""
    base = tmp_path_factory.mktemp("project")
    newcomer(base / "home")
    folder = clone(base / "project")
    exports = write_exports(base / "exports", base)
    run(folder, f"forestall dataset init {exports} --out data/raw/mill.yaml")
    run(folder, f"forestall dataset add mill {exports}")
    set_values(folder, "params.yaml", LITTLE)
    repro(folder)
    commit(folder, "first run")
    git(folder, "tag", "first")
    set_values(folder, "params.yaml", {"predict.reasons": 1})
    repro(folder)
    commit(folder, "second run")
    git(folder, "tag", "second")
    return folder


@pytest.fixture(scope="module", params=["local-folder", "ssh", "s3"])
def remote(
    request: pytest.FixtureRequest, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Remote]:
    base = tmp_path_factory.mktemp(request.param)
    newcomer(base / "home")
    shutil.copytree(project, base / "owner", symlinks=True)
    with ExitStack() as servers:
        made = {"local-folder": in_folder, "ssh": over_ssh, "s3": on_s3}[request.param](base, servers)
        *lines, push = commands(SET_UP, document=made.page)
        git(made.owner, "reset", "-q", "--hard", "first")  # what is pushed is what dvc.lock names
        if made.page.stem == "remote-s3":
            lines += commands("A store of one's own", "dvc remote", made.page)
        for line in lines:
            run(made.owner, made.put(line))
        run(made.owner, "git commit -qam 'its address' || true")
        run(made.owner, made.put(push))
        run(made.owner, f"git cherry-pick second && {push}")
        yield made


@pytest.fixture(scope="module")
def other(remote: Remote) -> Path:
    """A clone that pulled as the page says, and what `dvc repro` said there."""
    folder = remote.clone(remote.owner.with_name("other"))
    pull, again = commands(ELSEWHERE, document=remote.page)
    run(folder, pull)
    folder.with_name("repro.log").write_text(run(folder, again), encoding="utf-8")
    return folder


def outputs(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that DVC tracks there, and of the figures."""
    files = (file for top in ("data", "models", "reports", "metrics") for file in (folder / top).rglob("*"))
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file()
    }


def test_another_clone_has_the_same_bytes_and_runs_nothing(remote: Remote, other: Path) -> None:
    assert outputs(other) == outputs(remote.owner)
    assert TABLE in outputs(other) and "models/model.joblib" in outputs(other)
    assert "Running stage" not in (repro := other.with_name("repro.log").read_text(encoding="utf-8"))
    assert repro.endswith("Data and pipelines are up to date.\n")
    assert git(other, "status", "--porcelain") == ""
    runs = [sorted(one.name for one in (at / ".dvc/cache/runs").rglob("*")) for at in (remote.owner, other)]
    assert runs[0] == runs[1] != []


@pytest.mark.parametrize("remote", ["ssh", "s3"], indirect=True)
def test_secrets_stay_out_of_git(remote: Remote, other: Path) -> None:
    for folder in (remote.owner, other):
        settings = (folder / ".dvc/config.local").read_text(encoding="utf-8")
        assert remote.secrets[0] in settings
        every = " ".join(git(folder, "rev-list", "--all").split())
        for secret in remote.secrets:
            for where in ("--untracked -e '{}'", "-e '{}' " + every):
                done = said(folder, f"git grep -F {where.format(secret)}")
                assert (done.returncode, done.stdout) == (1, "")  # 1: nothing found


def test_a_comparison_fetches_what_the_base_made(remote: Remote, other: Path) -> None:
    """The base was committed before the remote was set up; the cache is empty."""
    folder = other.with_name("compared")
    shutil.copytree(other, folder, symlinks=True)
    shutil.rmtree(folder / ".dvc/cache/files")
    printed = run(folder, "forestall compare first HEAD --json ../report.json")
    report = json.loads(other.with_name("report.json").read_text(encoding="utf-8"))
    assert report["judged"] and not [note for note in report["notes"] if "remote" in note], printed


@pytest.mark.parametrize("remote", ["s3"], indirect=True)
def test_settings_of_an_earlier_run_are_not_run_again(remote: Remote, other: Path) -> None:
    folder = other.with_name("earlier")
    shutil.copytree(other, folder, symlinks=True)
    shutil.rmtree(folder / ".dvc/cache/files")
    git(folder, "restore", "--source", "first", "params.yaml")
    printed = run(folder, *commands(PUSH_AND_PULL, "dvc repro --pull", PAGES / "remotes.md"))
    assert "Stage 'predict' is cached - skipping run" in printed and "Running stage" not in printed
    assert (folder / "dvc.lock").read_text(encoding="utf-8") == git(folder, "show", "first:dvc.lock") + "\n"


def test_what_goes_wrong_is_told_and_nothing_is_lost(remote: Remote, other: Path) -> None:
    """With an empty cache, so that the working tree alone has what there is."""
    folder = other.with_name("faulty")
    shutil.copytree(other, folder, symlinks=True)
    shutil.rmtree(folder / ".dvc/cache")
    settings = (folder / ".dvc/config.local").read_text(encoding="utf-8") if remote.secrets else ""
    before = outputs(folder)
    for fault in remote.faults:
        (folder / ".dvc/config.local").write_text(settings, encoding="utf-8")
        done = said(folder, f"{fault.line} && dvc pull")
        assert done.returncode != 0 and fault.said in done.stdout, (fault, done.stdout)
        assert outputs(folder) == before


def test_a_lost_table_is_named_and_pushed_again(remote: Remote, tmp_path: Path) -> None:
    table = (remote.owner / TABLE).read_bytes()
    remote.lose(hashlib.md5(table).hexdigest())
    fresh = remote.clone(remote.owner.with_name("fresh"))
    assert said(fresh, "dvc pull").returncode != 0
    done = said(fresh, "make -o setup")
    assert done.returncode != 0 and "missing data 'source': data/raw/mill" in done.stdout
    (line,) = (one for one in done.stdout.splitlines() if one.startswith("data/raw/"))
    assert line.startswith(f"{TABLE}: neither in the cache nor in the remote ")
    assert (again := re.search(r"Run `([^`]+)`", line)) and again.group(1) == PUSH
    assert PUSH in (PAGES / "remotes.md").read_text(encoding="utf-8")
    assert run(remote.owner, again.group(1)) == f"{TABLE}: pushed.\n"
    run(fresh, "dvc pull")
    assert (fresh / TABLE).read_bytes() == table and outputs(fresh) == outputs(remote.owner)


def test_tables_in_no_remote_are_named_with_what_to_do(project: Path, tmp_path: Path) -> None:
    newcomer(tmp_path / "home")
    git(project, "clone", "-q", str(project), str(tmp_path / "clone"))
    done = said(tmp_path / "clone", "make -o setup")
    assert done.returncode != 0, done.stdout
    (line,) = (one for one in done.stdout.splitlines() if one.startswith("data/raw/"))
    assert line.startswith("data/raw/mill: not in the cache, and there is no remote. Set the remote")
    assert line.endswith("then `dvc add data/raw/mill`.")
