"""`dvc repro` with nothing to do, against an empty DVC project of as many stages.

The other project's stages have one dependency and one output each, and nothing else. Both are run in turn, so that
other work on the computer meets both alike; the figures are medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PAIRS = 9
GOAL = 1.3
DVC = [sys.executable, "-m", "dvc"]
# DVC starts a stage with the `python` that is first on PATH.
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def run(folder: Path, *words: str) -> str:
    """Run a command there; what it prints."""
    done = subprocess.run(words, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    return done.stdout


def empty_project(folder: Path, stages: int) -> Path:
    """A DVC project in which each stage copies its one dependency to its one output."""
    copy = 'python -c "import sys, shutil; shutil.copyfile(*sys.argv[1:])"'
    content = {
        f"stage{n}": {"cmd": f"{copy} {n} {n + 1}", "deps": [f"{n}"], "outs": [f"{n + 1}"]}
        for n in range(stages)
    }
    (folder / "0").write_text("nothing\n", encoding="utf-8")
    with (folder / "dvc.yaml").open("w", encoding="utf-8") as file:
        YAML().dump({"stages": content}, file)
    run(folder, "git", "init", "-q")
    run(folder, *DVC, "init", "-q")
    (folder / ".dvc/config").write_bytes((ROOT / ".dvc/config").read_bytes())
    run(folder, *DVC, "repro")
    return folder


def seconds(folder: Path) -> float:
    """How long a `dvc repro` takes that finds nothing to do."""
    start = time.perf_counter()
    said = run(folder, *DVC, "repro")
    taken = time.perf_counter() - start
    if "Running stage" in said:
        raise RuntimeError(f"There was something to do in {folder}: run `dvc repro` first.")
    return taken


def main() -> None:
    """Print the medians and the median of the pairs' ratios."""
    stages = len(YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"])
    run(ROOT, *DVC, "repro")
    with tempfile.TemporaryDirectory() as scratch:
        other = empty_project(Path(scratch), stages)
        pairs = [(seconds(ROOT), seconds(other)) for _ in range(PAIRS)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(one / two for one, two in pairs)
    print(f"dvc repro with nothing to do, {stages} stages, median of {PAIRS} in turn")
    print(f"  forestall {ours:.2f} s, empty project {theirs:.2f} s, ratio {ratio:.2f} (goal: at most {GOAL})")


if __name__ == "__main__":
    main()
