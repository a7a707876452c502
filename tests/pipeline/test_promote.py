"""`forestall promote` on a real repository: the gate decides, a reason overrides it, and a kill leaves old or new."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from forestall.retraining.history import read_history
from forestall.retraining.served import champion
from forestall.serving.answering import answering_bundle
from tests.pipeline.clones import command, killed_after, repro, set_values
from tests.pipeline.repository import commit, first_run, git

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]
Promote = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`main`, which passes the gate, and `deaf`, whose thresholds hardly any risk reaches."""
    folder = first_run(tmp_path_factory.mktemp("promote") / "project")
    floors = {"event_recall": 0.05, "alarm_precision": 0.0, "slice_recall": 0.0}
    limits = {f"gate.floors.{name}": least for name, least in floors.items()}
    set_values(folder, "params.yaml", {**limits, "gate.calibration_error": 0.5, "gate.beats_rule": False})
    commit(folder, "a gate for a small fleet")
    git(folder, "checkout", "-qb", "deaf")
    set_values(folder, "params.yaml", {"alarm.by": "false_alarms", "alarm.budget": 0.0001})
    repro(folder)
    commit(folder, "deaf")
    git(folder, "checkout", "-q", "main")
    git(folder, "branch", "again")
    git(folder, "checkout", "-q", "again")
    git(folder, "commit", "-q", "--allow-empty", "-m", "the same model of another commit")
    git(folder, "checkout", "-q", "main")
    return folder


@pytest.fixture
def promote(project: Path, tmp_path: Path) -> Promote:
    """The command, with a folder of its own to serve from."""

    def run(*words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return command(project, "forestall", "promote", *words, "--served", str(tmp_path), **changes)

    return run


def test_the_gate_decides_a_reason_overrides_it_and_back_is_one_command(
    promote: Promote, project: Path, tmp_path: Path
) -> None:
    first = promote("main")
    assert first.returncode == 0 and "Gate: passed" in first.stdout, first.stdout
    served = champion(tmp_path)
    assert answering_bundle(tmp_path / "champion").manifest["revision"] == git(project, "rev-parse", "main")

    refused = promote("deaf")
    assert refused.returncode == 1 and "Gate: NOT passed" in refused.stdout, refused.stdout
    assert "NOT promoted, and nothing is changed: the gate does not agree." in refused.stdout
    assert champion(tmp_path) == served and [one.name for one in (tmp_path / "releases").iterdir()] == [
        served
    ]

    forced = promote("deaf", "--force", "a trial on the test bench")
    assert forced.returncode == 0, forced.stdout
    assert promote("--previous").returncode == 0
    assert champion(tmp_path) == served
    said = [(one.verdict, one.reason, one.who) for one in read_history(tmp_path).done]
    who = "test <test@example.org>"
    assert said == [("first", "", who), ("forced", "a trial on the test bench", who), ("back", "", who)]
    tag = git(project, "tag", "--list", "served/2-*").strip()
    assert git(project, "rev-parse", f"{tag}^{{commit}}") == git(project, "rev-parse", "deaf")
    assert "is served already" in promote("main").stdout
    status = promote("--status").stdout
    assert f"Served: {served}." in status and "forced" in status
    heading, *lines = status.splitlines()
    assert heading.index("commit") == lines[0].index(git(project, "rev-parse", "main")[:12])
    assert [line[:5] for line in lines if line.startswith("*")] == ["*   3"]


def test_somebody_has_to_be_named(promote: Promote, project: Path, tmp_path: Path) -> None:
    git(project, "config", "--unset", "user.email")
    done = promote("main", HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path), GIT_CONFIG_NOSYSTEM="1")
    git(project, "config", "user.email", "test@example.org")
    assert done.returncode == 1 and "Git does not know who you are" in done.stdout
    assert champion(tmp_path) == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("workspace",), "Only a commit can be promoted"),
        (("nowhere",), "no such revision"),
        (("--previous",), "nothing was served before"),
    ],
)
def test_what_cannot_be_served_is_a_sentence(
    promote: Promote, words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = promote(*words)
    assert done.returncode == 1 and said in done.stdout
    assert champion(tmp_path) == ""


def test_what_is_served_of_a_commit_that_is_not_here_needs_a_reason(
    promote: Promote, project: Path, tmp_path: Path
) -> None:
    assert promote("main").returncode == 0
    git(project, "checkout", "-q", "--orphan", "elsewhere")
    commit(project, "of another clone")
    lost = git(project, "rev-parse", "HEAD")
    assert promote("elsewhere", "--force", "a rebuilt machine").returncode == 0
    git(project, "checkout", "-q", "main")
    git(project, "branch", "-qD", "elsewhere")
    for name in git(project, "tag").splitlines():
        git(project, "tag", "-d", name)
    git(project, "reflog", "expire", "--expire=now", "--all")
    git(project, "gc", "-q", "--prune=now")
    releases = sorted(tmp_path.glob("releases/*"))
    refused = promote("deaf")
    assert refused.returncode == 1 and f"made by {lost}" in refused.stdout
    assert sorted(tmp_path.glob("releases/*")) == releases
    assert promote("deaf", "--force", "it is not to be had").returncode == 0


@pytest.mark.parametrize("seconds", [1.0, 2.0, 3.0, 4.0, 5.0])
def test_a_killed_promotion_leaves_the_old_release_or_the_new_one(
    promote: Promote,
    project: Path,
    tmp_path: Path,
    seconds: float,
) -> None:
    assert promote("main").returncode == 0
    old = champion(tmp_path)
    words = ["forestall", "promote", "deaf", "--force", "killed", "--served", str(tmp_path)]
    killed_after(project, seconds, *words)
    now = champion(tmp_path)
    answering_bundle(tmp_path / "champion")
    assert f"Served: {now}." in promote("--status").stdout
    assert promote("deaf", "--force", "again").returncode == 0
    assert champion(tmp_path) != old
    assert read_history(tmp_path).unsettled is None


def test_what_is_served_and_damaged_is_replaced_for_a_reason_only(promote: Promote, tmp_path: Path) -> None:
    assert promote("main").returncode == 0
    (tmp_path / "champion/manifest.json").write_text("{", encoding="utf-8")
    refused = promote("deaf")
    assert refused.returncode == 1 and "is damaged" in refused.stdout and "Traceback" not in refused.stdout
    assert promote("deaf", "--force", "the release is damaged").returncode == 0
    assert answering_bundle(tmp_path / "champion")
