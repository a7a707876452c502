"""Clones of this repository in temporary folders, on a small fleet, and real commands run in them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
RAW = {"data/raw/simulated.yaml", "data/raw/.gitignore"}
SHARED = "FORESTALL_TESTS_SHARED"  # the folder that all workers of one run of tests share: tests/conftest.py
STAGES = {"simulate", "prepare", "featurize", "train", "export", "evaluate", "predict", "card"}
SMALL: dict[str, dict[str, Any]] = {
    "params.yaml": {
        "data.dataset": "simulated",
        "simulate.machines": 30,
        "simulate.days": 240,
        "train.negatives": 1500,
        "train.extra_trees.trees": 8,
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


def killed_after(folder: Path, seconds: float, *words: str, said: str = "") -> bool:
    """Begin a command there, and kill all of its processes so long after; whether it was not over before.

    Args:
        said: the time counts from a line that begins so.
    """
    begun = subprocess.Popen(
        words, cwd=folder, env=environment(), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert begun.stdout is not None
    if said:
        any(line.startswith(said) for line in begun.stdout)
    time.sleep(seconds)
    running = begun.poll() is None
    if running:
        os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()
    begun.stdout.close()
    return running


def repro(folder: Path, *prefix: str, **changes: str) -> list[str]:
    """Run `dvc repro` and return the stages that ran."""
    done = command(folder, *prefix, "dvc", "repro", **changes)
    assert done.returncode == 0, done.stdout
    return re.findall(r"^Running stage '(\w+)'", done.stdout, re.MULTILINE)


def clone(folder: Path, changes: Mapping[str, dict[str, Any]] = SMALL) -> Path:
    """The files of the working tree, with changed values by file, committed in a folder of their own.

    Datasets that someone has brought stay behind: their tables are not there, and their names may be the tests'.
    """
    tracked = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    ).splitlines()
    for name in tracked:
        made = name.startswith("metrics/") or name == "dvc.lock"
        brought = name.startswith("data/raw/") and name not in RAW
        if (ROOT / name).is_file() and not made and not brought:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for file, values in changes.items():
        set_values(folder, file, values)
    who = (["config", "user.name", "test"], ["config", "user.email", "test@example.org"])
    for words in (["init", "-q", "-b", "main"], *who, ["add", "-A"], ["commit", "-qm", "small"]):
        subprocess.run(["git", *words], cwd=folder, check=True, env=environment())
    subprocess.run([folder / ".ci/merge"], check=True)  # as `make setup` does
    return folder


def lock(folder: Path) -> str:
    return (folder / "dvc.lock").read_text(encoding="utf-8")
