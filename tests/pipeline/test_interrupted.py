"""A run that is killed, or whose disk is full or not to be written to: the next one ends with the right bytes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.pipeline.clones import command, lock, set_values
from tests.pipeline.interruptions import WRITTEN, go_on, interrupted
from tests.pipeline.repository import first_run, git

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
KILLS = 5
APART = ["unshare", "--mount", "--map-root-user"]
MEGABYTE = 1024 * 1024

mounts = pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run([*APART, "true"], capture_output=True).returncode != 0,
    reason="mounting needs root, or user namespaces",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project that has run."""
    return first_run(tmp_path_factory.mktemp("interrupted") / "project")


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_moment(number: int, project: Path) -> None:
    found = interrupted(project, number)
    assert found.same, found
    assert not found.complaint, found
    assert git(project, "status", "--porcelain") == ""


def mounted(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run lines of a shell where what they mount is seen by them alone."""
    return command(folder, *APART, "bash", "-c", "\n".join(lines))


@mounts
@pytest.mark.parametrize("free", [1, 8], ids=["a stage writes", "the cache is written"])
def test_a_full_disk(free: int, project: Path, tmp_path: Path) -> None:
    used = sum(file.lstat().st_blocks * 512 for file in project.rglob("*")) // MEGABYTE
    disk = tmp_path / "disk"
    disk.mkdir()
    done = mounted(
        tmp_path,
        f"mount -t tmpfs -o size={used + free}m forestall {disk}",
        f"cp -a {project} {disk}/project && cd {disk}/project || exit 9",
        "sed -i 's/machines: 30/machines: 31/' params.yaml",
        "dvc repro && exit 8",
        "git fsck --no-progress || exit 7",
        f"mount -o remount,size={used + 500}m {disk}",
        "git checkout -q params.yaml || exit 6",
        *(f"dvc repro || rm -f {torn}" for torn in WRITTEN),
        "dvc repro || exit 5",
        f"cp dvc.lock {tmp_path}/then.lock",
        'test -z "$(git status --porcelain)" || exit 4',
    )
    assert done.returncode == 0, done.stdout
    assert "No space left on device" in done.stdout
    assert (tmp_path / "then.lock").read_text(encoding="utf-8") == lock(project)


@mounts
def test_a_cache_that_cannot_be_written(project: Path) -> None:
    set_values(project, "params.yaml", {"predict.reasons": 2})
    before = lock(project)
    done = mounted(
        project,
        "mount --bind .dvc/cache .dvc/cache && mount -o remount,ro,bind .dvc/cache || exit 9",
        "dvc repro",
    )
    assert done.returncode not in (0, 9), done.stdout
    assert "Read-only file system" in done.stdout
    assert lock(project) == before
    assert go_on(project) == []
    other = lock(project)
    assert other != before
    git(project, "checkout", "-q", "--", "params.yaml")
    assert go_on(project) == []
    assert lock(project) == before
