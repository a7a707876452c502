"""The pipeline really run by `dvc repro`, in clones of this repository, on a small fleet."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("repro")]
SMALL: dict[str, dict[str, Any]] = {
    "params.yaml": {
        "simulate.machines": 30,
        "simulate.days": 240,
        "train.negatives": 1500,
        "train.random_forest.trees": 8,
    },
    "data/raw/simulated.yaml": {"split.test": "60d", "split.validation": "60d", "split.unseen_machines": 0.0},
}


def set_values(folder: Path, file: str, values: dict[str, Any]) -> None:
    """Change values by dotted key, as a person with an editor would: nothing else changes."""
    yaml = YAML()
    content = yaml.load((folder / file).read_text(encoding="utf-8"))
    for key, value in values.items():
        *way, last = key.split(".")
        section = content
        for part in way:
            section = section[part]
        section[last] = value
    with (folder / file).open("w", encoding="utf-8") as out:
        yaml.dump(content, out)


def environment(**changes: str) -> dict[str, str]:
    """This environment with the interpreter of the tests first on PATH."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"} | changes


def command(folder: Path, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command there and collect what it prints."""
    return subprocess.run(
        words,
        cwd=folder,
        env=environment(**changes),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def repro(folder: Path, *prefix: str, **changes: str) -> list[str]:
    """Run `dvc repro` and return the stages that ran."""
    done = command(folder, *prefix, "dvc", "repro", **changes)
    assert done.returncode == 0, done.stdout
    return re.findall(r"^Running stage '(\w+)'", done.stdout, re.MULTILINE)


def clone(folder: Path) -> Path:
    """The repository's files as they are in the working tree, committed in a folder of their own."""
    tracked = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    ).splitlines()
    for name in tracked:
        if (ROOT / name).is_file() and not name.startswith("metrics/") and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for file, values in SMALL.items():
        set_values(folder, file, values)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "small"]):
        subprocess.run([*git, *words], cwd=folder, check=True, env=environment())
    return folder


def lock(folder: Path) -> str:
    return (folder / "dvc.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the pipeline has run once."""
    folder = clone(tmp_path_factory.mktemp("project"))
    assert repro(folder) == ["simulate", "prepare", "featurize", "train", "export", "evaluate", "predict"]
    return folder


def test_nothing_changed_runs_nothing(project: Path) -> None:
    before = lock(project)
    assert repro(project) == []
    assert lock(project) == before


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        ("params.yaml", {"predict.reasons": 2}, {"predict"}),
        ("params.yaml", {"alarm.quiet": 3}, {"train", "export", "evaluate", "predict"}),
        ("data/raw/simulated.yaml", {"costs.failure": 50000}, {"train", "export", "evaluate", "predict"}),
        ("data/raw/simulated.yaml", {"about": "other words"}, set()),
    ],
)
def test_only_what_depends_on_a_change_runs(
    file: str, change: dict[str, Any], expected: set[str], project: Path
) -> None:
    kept = (project / file).read_bytes()
    before = lock(project)
    set_values(project, file, change)
    assert set(repro(project)) <= expected
    assert (lock(project) != before) == bool(expected)
    (project / file).write_bytes(kept)
    assert repro(project) == []  # from the run-cache
    assert lock(project) == before


def test_the_same_bytes_in_another_folder_time_zone_core_count_and_hash_seed(
    project: Path, tmp_path: Path
) -> None:
    other = clone(tmp_path / "a folder with blanks")
    elsewhere = {
        "PYTHONHASHSEED": "7",
        "TZ": "Pacific/Auckland",
        "LC_ALL": "C",
        "OPENBLAS_CORETYPE": "Nehalem",
    }
    cores = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    assert len(repro(other, *cores, **elsewhere)) == 7
    assert lock(other) == lock(project)
    for file in sorted((project / "metrics").rglob("*.*")):
        assert file.read_bytes() == (other / file.relative_to(project)).read_bytes()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"train.random_forest.trees": "abc"}, r"params\.yaml: train\.random_forest\.trees: .*'abc'"),
        ({"train.famly": "mlp"}, r"params\.yaml: train\.famly: unknown key; did you mean 'family'\?"),
        ({"data.dataset": "nowhere"}, r"data/raw/nowhere"),
    ],
)
def test_a_wrong_param_is_refused_and_nothing_is_lost(
    setting: dict[str, Any], said: str, project: Path
) -> None:
    kept, before = (project / "params.yaml").read_bytes(), lock(project)
    try:
        set_values(project, "params.yaml", {"predict.reasons": 4, **setting})
        done = command(project, "dvc", "repro")
    finally:
        (project / "params.yaml").write_bytes(kept)
    assert done.returncode != 0
    assert re.search(said, done.stdout), done.stdout
    assert repro(project) == []
    assert lock(project) == before


@pytest.mark.parametrize("seconds", [4.0, 9.0])
def test_a_killed_run_ends_with_the_right_bytes_the_next_time(seconds: float, project: Path) -> None:
    before = lock(project)
    started = subprocess.Popen(
        ["dvc", "repro", "--force"], cwd=project, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(seconds)
    assert started.poll() is None, "the run was over before it was killed"
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    repro(project)
    assert lock(project) == before
    assert command(project, "dvc", "status").stdout.strip().endswith("Data and pipelines are up to date.")
