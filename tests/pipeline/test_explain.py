"""`forestall explain-change` on real repositories: the cause is found, and nothing of the search stays behind."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.clones import command, environment, set_values
from tests.pipeline.repository import commit, first_run, git

pytestmark = pytest.mark.pipeline

COST = "cost_per_machine_month"
TQDM = "26445eca388f82e72884e0d580d5464cd801a3ea01e63e5601bdff9ba6a48de2"  # its wheel, of version 4.67.1


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that was run and committed."""
    return first_run(tmp_path_factory.mktemp("explain") / "project")


@pytest.fixture
def project(ran: Path, tmp_path: Path) -> Iterator[Path]:
    """It again, with nothing changed; afterwards whatever a test did is undone, and its temporary folder empty."""
    (tmp_path / "temporary").mkdir()
    yield ran
    for line in (("reset", "-q", "--hard", "main"), ("clean", "-qfd"), ("checkout", "-q", "main")):
        git(ran, *line)


def explain(project: Path, tmp_path: Path, *words: str) -> tuple[dict[str, Any], str]:
    """What it found and what it printed; the workspace is as it was, and nothing temporary stays."""
    before = state(project)
    line = ("forestall", "explain-change", *words, "--json", str(tmp_path / "found.json"))
    done = command(project, *line, TMPDIR=str(tmp_path / "temporary"))
    assert done.returncode == 0, done.stdout
    assert list((tmp_path / "temporary").iterdir()) == []
    assert state(project) == before
    return json.loads((tmp_path / "found.json").read_text(encoding="utf-8")), done.stdout


def state(project: Path) -> list[str]:
    """What Git says of a repository: changes, branches, worktrees, objects that were never packed."""
    every = (("status", "--porcelain"), ("for-each-ref",), ("worktree", "list"), ("count-objects",))
    return [command(project, "git", *words).stdout for words in every]


def run_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    (one,) = (run for run in found["runs"] if run["name"] == name)
    return dict(one)


@pytest.mark.slow
def test_a_change_of_params_alone_is_found_to_be_the_cause(project: Path, tmp_path: Path) -> None:
    set_values(project, "params.yaml", {"train.extra_trees.min_leaf": 40})
    found, said = explain(project, tmp_path, "main")
    assert [run["name"] for run in found["runs"]] == ["base", "base + params", "head"]
    base, params, head = (run["figures"] for run in found["runs"])
    assert base == json.loads((project / "metrics/validation.json").read_text(encoding="utf-8"))
    assert params == head != base
    assert found["moved"][COST] == {"params": pytest.approx(head[COST] - base[COST]), "together": 0}
    assert f"## What moved {COST}: params\n" in said
    # The run-cache has the rest.
    assert [run["reran"] for run in found["runs"]] == [[], ["train", "export", "evaluate"], []]


def test_where_nothing_differs_nothing_runs(project: Path, tmp_path: Path) -> None:
    (project / "README.md").write_text("Other words.\n", encoding="utf-8")
    found, said = explain(project, tmp_path, "main")
    assert found["runs"] == []
    assert said == (
        "## Nothing that a run depends on differs\n\n"
        "Code, params, data and environment are the same in main and workspace.\n"
    )


@pytest.mark.slow
def test_called_by_a_hook_of_git_it_leaves_the_repository_alone(project: Path, tmp_path: Path) -> None:
    set_values(project, "params.yaml", {"train.extra_trees.min_leaf": 40})
    before = state(project), (project / ".git/HEAD").read_text(encoding="utf-8")
    variables = {"GIT_DIR": str(project / ".git"), "GIT_INDEX_FILE": str(project / ".git/index")}
    done = command(project, "forestall", "explain-change", "main", TMPDIR=str(tmp_path), **variables)
    assert (state(project), (project / ".git/HEAD").read_text(encoding="utf-8")) == before
    assert f"## What moved {COST}: params\n" in done.stdout


@pytest.mark.parametrize("words", [("no-such",), ("main", "no-such")])
def test_an_unknown_revision_is_named(words: tuple[str, ...], project: Path) -> None:
    done = command(project, "forestall", "explain-change", *words)
    assert done.returncode == 1
    assert done.stdout.startswith("forestall: no-such: no such revision, branch or experiment.")
    assert done.stdout.count("\n") == 1


def test_outside_a_repository_it_says_where_to_run(tmp_path: Path) -> None:
    done = command(tmp_path, "forestall", "explain-change", "main")
    assert done.returncode == 1
    assert done.stdout.startswith("forestall: ") and "Traceback" not in done.stdout


def test_settings_that_are_no_yaml_are_named(project: Path) -> None:
    (project / "params.yaml").write_text("data: [unclosed\n", encoding="utf-8")
    done = command(project, "forestall", "explain-change", "main")
    assert done.returncode == 1
    assert done.stdout.startswith("forestall: params.yaml of workspace is not YAML: ")
    assert done.stdout.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_killed_run_leaves_nothing(number: signal.Signals, project: Path, tmp_path: Path) -> None:
    set_values(project, "params.yaml", {"simulate.seed": int(number), "train.seed": 2})
    before, temporary = state(project), tmp_path / "temporary"
    # What runs in the background is born deaf to Ctrl-C, and the tests may run there.
    started = subprocess.Popen(
        ["env", "--default-signal=INT", "forestall", "explain-change", "main"],
        cwd=project,
        env=environment(TMPDIR=str(temporary)),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    until = time.monotonic() + 120
    while not (busy := stages_below(temporary)) and time.monotonic() < until:
        time.sleep(0.1)
    assert busy, "no stage ran"
    started.send_signal(number)
    said, _ = started.communicate(timeout=30)
    assert started.returncode == 128 + number, said
    assert "Traceback" not in said
    assert list(temporary.iterdir()) == []
    assert stages_below(temporary) == []
    assert state(project) == before


def stages_below(folder: Path) -> list[str]:
    """Processes of stages that run in folders below one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
            here = (process / "cwd").readlink()
        except OSError:
            continue  # it has ended
        if here.is_relative_to(folder) and any(word.startswith("src/") for word in words):
            found.append(" ".join(words))
    return found


@pytest.mark.slow
def test_code_with_a_param_of_its_own_is_told_from_a_changed_param(project: Path, tmp_path: Path) -> None:
    assert command(project, "git", "checkout", "-qb", "work").returncode == 0
    params = project / "src/forestall/pipeline/params.py"
    text = params.read_text(encoding="utf-8")
    with_key = text.replace("    carry_forward: int", "    fresh: Count\n    carry_forward: int")
    params.write_text(with_key, encoding="utf-8")
    file = project / "params.yaml"
    with_value = file.read_text(encoding="utf-8").replace("\nprepare:\n", "\nprepare:\n  fresh: 3\n")
    file.write_text(with_value, encoding="utf-8")
    set_values(project, "params.yaml", {"train.extra_trees.min_leaf": 40})
    commit(project)
    found, said = explain(project, tmp_path, "main", "work")
    assert [run["name"] for run in found["runs"]] == ["base", "base + code", "base + params", "head"]
    assert all(run["figures"] for run in found["runs"]), said
    assert found["moved"][COST]["code"] == 0
    assert found["moved"][COST]["together"] == 0
    assert f"## What moved {COST}: params\n" in said
    assert "params.yaml: `prepare.fresh`: only one side's code knows this; it is counted as code" in said


@pytest.mark.slow
def test_two_factors_and_what_they_do_together_add_up(project: Path, tmp_path: Path) -> None:
    set_values(project, "params.yaml", {"simulate.seed": 7, "train.extra_trees.min_leaf": 40})
    found, _ = explain(project, tmp_path, "main")
    assert [run["factor"] for run in found["runs"]] == [None, "params", "data", None]
    moved, figures = found["moved"][COST], [run["figures"][COST] for run in found["runs"]]
    assert set(moved) == {"params", "data", "together"}
    assert moved["data"] == pytest.approx(figures[2] - figures[0], abs=0.1)
    assert sum(moved.values()) == pytest.approx(figures[3] - figures[0], abs=0.1)


@pytest.mark.slow
def test_a_factor_that_cannot_run_says_why_and_the_others_run(project: Path, tmp_path: Path) -> None:
    lock = project / "requirements/pipeline.txt"
    text = lock.read_text(encoding="utf-8")
    name = next(line for line in text.splitlines() if line.startswith("pandas=="))
    lock.write_text(text.replace(name.split(" ")[0], "pandas==99.0"), encoding="utf-8")
    set_values(project, "params.yaml", {"train.extra_trees.min_leaf": 40})
    found, said = explain(project, tmp_path, "main")
    assert run_of(found, "base + environment")["why"].startswith("its environment could not be made: ")
    assert run_of(found, "base + params")["figures"]
    assert run_of(found, "head")["figures"] is None
    assert found["moved"][COST].keys() == {"params"}
    assert "- base + environment could not be run: its environment could not be made: " in said


@pytest.mark.slow
def test_another_environment_is_made_for_its_run(project: Path, tmp_path: Path) -> None:
    lock = project / "requirements/pipeline.txt"
    older = f"tqdm==4.67.1 \\\n    --hash=sha256:{TQDM}\n"
    text = re.sub(r"^tqdm==.*\n(    .*\n)+", lambda _: older, lock.read_text("utf-8"), flags=re.MULTILINE)
    lock.write_text(text, encoding="utf-8")
    found, _ = explain(project, tmp_path, "main")
    assert [run["factor"] for run in found["runs"]] == [None, "environment", None]
    # Each stage checks the packages that it finds against the lock: only the other environment can have run them.
    assert {"simulate", "train"} < set(run_of(found, "base + environment")["reran"])
    assert found["moved"][COST] == {"environment": 0, "together": 0}


@pytest.mark.slow
def test_a_stage_that_refuses_is_quoted(project: Path, tmp_path: Path) -> None:
    set_values(project, "params.yaml", {"train.family": "oracle"})
    found, _ = explain(project, tmp_path, "main")
    why = run_of(found, "base + params")["why"]
    assert why.startswith("train: params.yaml: train.family: ") and "Traceback" not in why


@pytest.mark.slow
def test_a_plants_own_tables_are_the_cause(project: Path, tmp_path: Path) -> None:
    assert command(project, "git", "checkout", "-qb", "plant").returncode == 0
    shutil.copy(project / "data/raw/simulated.yaml", project / "data/raw/plant.yaml")
    done = command(project, "forestall", "dataset", "add", "plant", "data/raw/simulated")
    assert done.returncode == 0, done.stdout
    set_values(project, "params.yaml", {"data.dataset": "plant"})
    commit(project)
    # A fifth of the failures were never written down.
    failures = project / "data/raw/plant/failures.csv"
    lines = failures.read_text(encoding="utf-8").splitlines(keepends=True)
    failures.unlink()
    failures.write_text("".join(line for at, line in enumerate(lines) if at % 5 != 4), encoding="utf-8")
    assert command(project, "dvc", "add", "data/raw/plant").returncode == 0
    found, said = explain(project, tmp_path, "plant")
    assert [run["factor"] for run in found["runs"]] == [None, "data", None]
    assert found["moved"][COST]["data"] != 0
    assert f"## What moved {COST}: data\n" in said
    assert run_of(found, "base + data")["figures"]["failures"] < run_of(found, "base")["figures"]["failures"]
