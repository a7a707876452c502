"""Git merges what stages make as .ci/merge tells it: by merge, rebase and cherry-pick, in worktrees, moved, untold."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from configobj import ConfigObj

from forestall.pipeline.merge import HEADER, entries
from forestall.pipeline.pipelines import pipeline
from forestall.pipeline.revisions import Workspace
from tests.pipeline.clones import ROOT, clone, command, lock
from tests.pipeline.repository import branch, commit, git

WHOLE = (ROOT / "dvc.lock").read_text(encoding="utf-8")
FIGURES = "metrics/test.json"


def ran(*stages: str, by: int) -> str:
    """The lock after another run of these stages, whose first hash is another."""
    found = entries(WHOLE)
    for name in stages:
        found[name] = re.sub(r"md5: \w{31}\w", f"md5: f{by:031}", found[name], count=1)
    return HEADER + "".join(found.values())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What this repository has, on `main`, and branches as if stages had run on them."""
    folder = clone(tmp_path_factory.mktemp("git") / "project")
    (folder / ".venv").symlink_to(sys.prefix)
    shutil.copy(ROOT / "dvc.lock", folder)
    (folder / FIGURES).parent.mkdir()
    (folder / FIGURES).write_text('{\n  "a": 1,\n  "b": 1,\n  "c": 1,\n  "d": 1\n}\n', encoding="utf-8")
    commit(folder)
    figures = (folder / FIGURES).read_text(encoding="utf-8")
    left, right = figures.replace('"a": 1', '"a": 2'), figures.replace('"d": 1', '"d": 3')
    branch(folder, "left", "main", {"dvc.lock": ran("prepare", "evaluate", by=2), FIGURES: left})
    branch(folder, "right", "main", {"dvc.lock": ran("card", "evaluate", by=3), FIGURES: right})
    branch(folder, "torn", "main", {"dvc.lock": WHOLE[:3000]})
    git(folder, "switch", "-q", "left")
    return folder


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """One to merge in, elsewhere than where Git was told."""
    return Path(shutil.copytree(project, tmp_path / "moved copy", symlinks=True))


def both(ours: int) -> str:
    """What the two branches make together, where `evaluate` is of one of them."""
    found = entries(ran("prepare", by=2))
    for name, by in (("card", 3), ("evaluate", ours)):
        found[name] = entries(ran(name, by=by))[name]
    return HEADER + "".join(found.values())


def whole(folder: Path, ours: int) -> bool:
    """Whether the lock, and the figures with it, are those of both branches, and all is committed."""
    figures = (folder / FIGURES).read_text(encoding="utf-8")
    assert git(folder, "status", "--porcelain") == ""
    assert ('"a": 2' in figures, '"d": 3' in figures) == (ours == 2, ours == 3)
    return lock(folder) == both(ours)


def test_exactly_what_stages_keep_in_git_is_not_mixed(project: Path) -> None:
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    told = git(ROOT, "check-attr", "--stdin", "merge", text="\n".join(listed)).splitlines()
    unmixed = {line.removesuffix(": merge: binary") for line in told if line.endswith(": merge: binary")}
    made = {"dvc.lock", "studies/dvc.lock"}
    for file in ("dvc.yaml", "studies/dvc.yaml"):
        stages = pipeline(Workspace(ROOT), file).stages
        made |= {path for stage in stages.values() for path, cached in stage.outs.items() if not cached}
    inside = {path for path in listed if any(path == out or path.startswith(f"{out}/") for out in made)}
    assert unmixed == inside


def test_a_merge_takes_what_each_side_ran_and_says_what_is_left(copy: Path) -> None:
    done = command(copy, "git", "merge", "right")
    assert done.returncode == 0, done.stdout
    assert whole(copy, ours=2)
    for line in (
        "from ours: prepare",
        "from theirs: card",
        "changed by both, ours stands until `dvc repro`: evaluate",
    ):
        assert f"dvc.lock: {line}\n" in done.stdout


@pytest.mark.parametrize("words", [("rebase", "right"), ("rebase", "--apply", "right")], ids=" ".join)
def test_a_rebase_keeps_what_it_is_put_on(words: tuple[str, ...], copy: Path) -> None:
    git(copy, *words)
    assert whole(copy, ours=3)


def test_a_cherry_pick_and_a_stash_are_merged_alike(copy: Path) -> None:
    git(copy, "cherry-pick", "right")
    assert whole(copy, ours=2)
    git(copy, "switch", "-q", "right")
    (copy / "dvc.lock").write_text(ran("prepare", "card", "evaluate", by=4), encoding="utf-8")
    git(copy, "stash")
    git(copy, "switch", "-q", "left")
    git(copy, "stash", "pop")
    assert lock(copy) != both(ours=2)
    assert entries(lock(copy)) == entries(both(ours=2)) | {"card": entries(ran("card", by=4))["card"]}


def test_in_a_worktree_the_clones_environment_serves(copy: Path, tmp_path: Path) -> None:
    place = tmp_path / "a worktree"
    git(copy, "worktree", "add", "-q", str(place), "right")
    assert not (place / ".venv").exists()
    with (place / "src/forestall/cli/merge.py").open("a", encoding="utf-8") as file:
        file.write('\nprint("by the code here")\n')
    commit(place)
    done = command(place / "src", "git", "merge", "left")
    assert whole(place, ours=3)
    assert "by the code here\n" in done.stdout


@pytest.mark.parametrize("name", ["a mill", "o'brien's 100%A"])
def test_below_the_top_of_a_repository(name: str, copy: Path, tmp_path: Path) -> None:
    top = tmp_path / "plants"
    top.mkdir()
    git(copy, "switch", "-q", "main")
    git(top, "init", "-q", "-b", "main")
    shutil.copytree(copy, top / name, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    commit(top)
    subprocess.run([top / name / ".ci/merge"], check=True)
    branch(top, "one", "main", {f"{name}/dvc.lock": ran("prepare", "evaluate", by=2)})
    branch(top, "other", "main", {f"{name}/dvc.lock": ran("card", "evaluate", by=3)})
    git(top, "switch", "-q", "one")
    git(top, "merge", "other")
    assert lock(top / name) == both(ours=2)


def mixed(*stages: str) -> str:
    """The lock as if these entries were of two runs: the first hash of one, the last of the other."""
    found = entries(ran(*stages, by=2))
    for name in stages:
        begin, end = found[name].rsplit("md5: ", 1)
        found[name] = f"{begin}md5: f{3:031}{end[32:]}"
    return HEADER + "".join(found.values())


@pytest.mark.parametrize(
    "words",
    [("merge", "other", "third"), ("merge", "-s", "resolve", "other"), ("rebase", "--apply", "other")],
)
def test_what_asks_no_driver_mixes_entries_as_the_page_says(words: tuple[str, ...], copy: Path) -> None:
    last = entries(WHOLE)
    begin, end = last["evaluate"].rsplit("md5: ", 1)
    last["evaluate"] = f"{begin}md5: f{3:031}{end[32:]}"
    branch(copy, "one", "main", {"dvc.lock": ran("evaluate", by=2)})
    branch(copy, "other", "main", {"dvc.lock": HEADER + "".join(last.values())})
    branch(copy, "third", "main", {"LICENSE": "third\n"})
    git(copy, "switch", "-q", "one")
    git(copy, *words)
    assert lock(copy) == mixed("evaluate")
    page = (ROOT / "docs/how-to/merge.md").read_text(encoding="utf-8")
    assert "`git merge one two`, `-s resolve`, `git rebase --apply`" in page


def untold(folder: Path) -> Path:
    git(folder, "config", "--remove-section", "merge.binary")
    return folder


def test_without_being_told_git_leaves_ours_in_conflict_until_told(copy: Path) -> None:
    untold(copy)
    assert command(copy, "git", "merge", "right").returncode == 1
    assert lock(copy) == ran("prepare", "evaluate", by=2)
    said = command(copy, "forestall", "check").stdout
    for file in ("dvc.lock", FIGURES):
        again = f"`make setup` and `git checkout --merge {file}` merge it again, `git add` takes it"
        assert f"\nuncommitted: {file} is in conflict: {again}\n" in said
    assert (
        "\nnote: Git was not told how to merge dvc.lock, and would leave it in conflict: `make setup`\n"
        in said
    )
    told(copy)
    assert "Git was not told" not in command(copy, "forestall", "check").stdout


def told(folder: Path) -> None:
    """The way out of a conflict, as it is said."""
    subprocess.run(["make", "-o", ".venv/pipeline.stamp", "setup"], cwd=folder, check=True)
    git(folder, "checkout", "--merge", "dvc.lock", FIGURES)
    git(folder, "add", "dvc.lock", FIGURES)
    git(folder, "commit", "-qm", "merged")
    assert whole(folder, ours=2)


def test_marks_of_an_older_merge_are_merged_away(copy: Path) -> None:
    (untold(copy) / ".git/info/attributes").write_text("dvc.lock merge\n", encoding="utf-8")
    assert command(copy, "git", "merge", "right").returncode == 1
    assert "\n<<<<<<< " in lock(copy)
    done = command(copy, "forestall", "check")
    assert done.returncode == 1
    assert done.stdout.startswith("forestall: dvc.lock has the marks of a merge")
    assert "`make setup`" in done.stdout and "`git checkout --merge dvc.lock`" in done.stdout
    (copy / ".git/info/attributes").unlink()
    told(copy)


def test_without_an_environment_it_is_left_in_conflict(copy: Path) -> None:
    (copy / ".venv").unlink()
    done = command(copy, "git", "merge", "right")
    assert done.returncode == 1
    assert "dvc.lock is left in conflict, as ours: there is no .venv to merge it with." in done.stdout
    assert lock(copy) == ran("prepare", "evaluate", by=2)
    (copy / ".venv").symlink_to(sys.prefix)
    told(copy)


def test_a_torn_lock_of_theirs_is_left_in_conflict(copy: Path) -> None:
    done = command(copy, "git", "merge", "torn")
    assert done.returncode == 1
    assert "dvc.lock of theirs is torn, in conflict or of another form" in done.stdout
    assert lock(copy) == ran("prepare", "evaluate", by=2)
    git(copy, "checkout", "--ours", "dvc.lock")
    git(copy, "add", "dvc.lock")
    git(copy, "commit", "-qm", "ours")


def test_other_files_that_are_to_be_taken_for_binary_are_left_to_people(copy: Path) -> None:
    attributes = (copy / ".gitattributes").read_text(encoding="utf-8") + "LICENSE merge=binary\n"
    branch(copy, "one", "left", {"LICENSE": "one\n", ".gitattributes": attributes})
    branch(copy, "other", "left", {"LICENSE": "other\n", ".gitattributes": attributes})
    git(copy, "switch", "-q", "one")
    assert command(copy, "git", "merge", "other").returncode == 1
    assert git(copy, "status", "--porcelain") == "UU LICENSE"


def test_settings_name_no_place_and_are_left_alone_where_they_are_not_ours(
    copy: Path, tmp_path: Path
) -> None:
    told = git(copy, "config", "--local", "--get-regexp", "^merge").splitlines()
    assert told[-1] == "merge.binary.driver exec '.ci/merge' %O %A %B %P"
    driver = ConfigObj(str(copy / ".git/config"), list_values=False)['merge "binary"']["driver"]
    assert driver == "exec '.ci/merge' %O %A %B %P"  # as DVC reads it for its experiments
    (copy / ".git/config.lock").touch()
    done = subprocess.run([copy / ".ci/merge"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (0, 2)
    assert "Git was not told how to merge dvc.lock" in done.stderr


def test_another_repository_that_the_environment_names_is_left_alone(copy: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "other")
    before = (tmp_path / "other/.git/config").read_bytes()
    untold(copy)
    done = command(tmp_path, str(copy / ".ci/merge"), GIT_DIR=str(tmp_path / "other/.git"))
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "other/.git/config").read_bytes() == before
    assert git(copy, "config", "merge.binary.driver")


@pytest.mark.parametrize("inside", [False, True])
def test_a_tarball_has_nothing_to_tell(inside: bool, copy: Path, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    if inside:  # somebody's own repository, of which it is no part
        git(place, "init", "-q")
    shutil.copytree(copy / ".ci", place / "unpacked/.ci")
    before = [(file, file.read_bytes()) for file in place.rglob("config")]
    done = subprocess.run([place / "unpacked/.ci/merge"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [(file, file.read_bytes()) for file in place.rglob("config")] == before
