"""`forestall missing`: which of DVC's files are not here, in a real repository with a remote in a folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from forestall.errors import ForestallError
from forestall.pipeline.missing import PUSH, missing, push
from tests.pipeline.clones import command
from tests.pipeline.repository import commit, git
from tests.pipeline.servers import HERE, free_port

TABLE = "data/raw/mill/b.csv"
STAGE = "stages:\n  make:\n    cmd: cp -r data/raw/mill made\n    deps: [data/raw/mill]\n    outs: [made]\n"


@dataclass(frozen=True)
class Place:
    """A repository with tables of its own and a stage that has run; the remote has all of it."""

    folder: Path
    remote: Path

    def dvc(self, *words: str) -> None:
        done = command(self.folder, "dvc", *words, DVC_SITE_CACHE_DIR=str(self.remote.parent / "site"))
        assert done.returncode == 0, done.stdout

    def forget(self, *stores: Path) -> None:
        """Take the files of both outputs away, and the objects of these stores."""
        for gone in ("made", "data/raw/mill"):
            shutil.rmtree(self.folder / gone)
        for store in stores:
            shutil.rmtree(store)

    @property
    def cache(self) -> Path:
        return self.folder / ".dvc/cache"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("missing")
    place = Place(base / "repository", base / "remote")
    for name in ("a.csv", "b.csv"):
        (place.folder / TABLE).parent.mkdir(parents=True, exist_ok=True)
        (place.folder / TABLE).with_name(name).write_text(name, encoding="utf-8")
    (place.folder / "dvc.yaml").write_text(STAGE, encoding="utf-8")
    (place.folder / "params.yaml").touch()  # by which the verb knows the top folder
    git(place.folder, "init", "-q")
    for words in (
        "init -q",
        "add -q data/raw/mill",
        "repro -q",
        "remote add -q -d shared ../remote",
        "push -q",
    ):
        place.dvc(*words.split())
    commit(place.folder)
    return base


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Place:
    shutil.copytree(made, tmp_path / "own")
    return Place(tmp_path / "own/repository", tmp_path / "own/remote")


def test_nothing_is_missing(place: Place) -> None:
    assert missing(place.folder) == []


def test_what_the_cache_has_is_checked_out(place: Place) -> None:
    place.forget(place.remote)
    assert missing(place.folder) == [
        "data/raw/mill: not here. `dvc checkout data/raw/mill` brings it.",
        "made: not here. `dvc checkout made` brings it.",
    ]
    place.dvc("checkout", "data/raw/mill")
    assert [line.split(":")[0] for line in missing(place.folder)] == ["made"]


def test_a_folder_that_lacks_a_file_is_not_here(place: Place) -> None:
    (place.folder / TABLE).unlink()
    assert missing(place.folder) == ["data/raw/mill: not here. `dvc checkout data/raw/mill` brings it."]
    place.dvc("checkout", "data/raw/mill")
    assert missing(place.folder) == []


def test_what_the_remote_has_is_pulled(place: Place) -> None:
    place.forget(place.cache)
    assert missing(place.folder)[0] == "data/raw/mill: not here. `dvc pull data/raw/mill` brings it."
    place.dvc("pull", "data/raw/mill")
    assert (place.folder / TABLE).read_text(encoding="utf-8") == "b.csv"


def test_a_table_that_is_nowhere_is_named_and_a_stages_output_is_made_again(place: Place) -> None:
    place.forget(place.cache)
    lost = next(one for one in place.remote.rglob("*") if one.is_file() and one.read_bytes() == b"b.csv")
    lost.unlink()
    table, output = missing(place.folder)
    assert table.startswith(f"{TABLE}: neither in the cache nor in the remote shared. Run `{PUSH}` where it")
    assert "a.csv" not in table and table.endswith("then `dvc add data/raw/mill`.")
    assert output.startswith("made/b.csv: neither") and output.endswith("`dvc repro` makes it again.")


def test_what_a_remote_has_lost_is_sent_again_though_dvc_push_does_not(place: Place) -> None:
    held = {one.name for one in place.remote.rglob("*")}
    lost = next(one for one in place.remote.rglob("*") if one.is_file() and one.read_bytes() == b"b.csv")
    lost.unlink()
    place.dvc("push")
    assert not lost.exists()
    assert push(place.folder) == [TABLE]
    assert lost.read_bytes() == b"b.csv"
    assert push(place.folder) == [] and {one.name for one in place.remote.rglob("*")} == held


def test_a_remote_that_has_nothing(place: Place) -> None:
    place.forget(place.cache, place.remote)
    assert missing(place.folder)[0].startswith(
        "data/raw/mill: neither in the cache nor in the remote shared."
    )


def test_without_a_remote(place: Place) -> None:
    place.forget(place.cache)
    place.dvc("remote", "remove", "shared")
    line = missing(place.folder)[0]
    assert line.startswith("data/raw/mill: not in the cache, and there is no remote. Set the remote")


def test_many_files_are_counted(place: Place) -> None:
    for number in range(7):
        (place.folder / TABLE).with_name(f"{number}.csv").write_text(str(number), encoding="utf-8")
    place.dvc("add", "data/raw/mill")
    place.forget(place.remote)
    for one in place.cache.rglob("*"):
        if one.is_file() and one.suffix != ".dir" and len(one.read_bytes()) == 1:
            one.unlink()
    assert ", data/raw/mill/4.csv and 2 more: neither" in missing(place.folder)[0]


def test_a_server_that_is_down_is_not_one_that_has_nothing(place: Place) -> None:
    place.forget(place.cache)
    place.dvc("remote", "modify", "shared", "url", f"ssh://{HERE}:{free_port()}/srv")
    with pytest.raises(ForestallError, match=r"The remote cannot be asked: .*Connect call failed"):
        missing(place.folder)
    done = command(place.folder, "forestall", "missing")
    assert done.returncode == 1
    assert done.stdout.startswith("forestall: The remote cannot be asked: ") and done.stdout.count("\n") == 1


def test_a_torn_list_of_files_is_told(place: Place) -> None:
    for one in place.cache.rglob("*.dir"):
        one.chmod(0o644)
        one.write_text("[", encoding="utf-8")
    with pytest.raises(ForestallError, match=r"list of the files of data/raw/mill is torn: .*\.dir"):
        missing(place.folder)


def test_a_torn_file_of_dvcs_is_told(place: Place) -> None:
    (place.folder / "data/raw/mill.dvc").write_text("outs: [", encoding="utf-8")
    with pytest.raises(ForestallError, match=r"DVC cannot say what is missing: .*mill\.dvc"):
        missing(place.folder)


def test_the_verbs_exit_code(place: Place) -> None:
    assert command(place.folder, "forestall", "missing").stdout == "All is here.\n"
    place.forget()
    done = command(place.folder, "forestall", "missing")
    assert done.returncode == 1 and done.stdout.count("\n") == 2
