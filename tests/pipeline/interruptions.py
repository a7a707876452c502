"""Runs that are killed at random moments, and what a person does then."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

from tests.pipeline.clones import command, killed_after, lock

# In the order in which they are killed: those that run longest first.
STAGES = ("train", "evaluate", "featurize", "export", "prepare", "predict", "simulate", "card")
AFTER = 1.5  # seconds after a stage has ended, in which DVC hashes, stores and writes dvc.lock
WRITTEN = ("dvc.lock", ".dvc/tmp/rwlock")  # by DVC in place: killed meanwhile, they are torn


@dataclass(frozen=True)
class Interruption:
    """What came of one.

    when: which stage was killed how long after it began. torn: what a person had to delete. same: whether the next run
    ended with the same dvc.lock. complaint: what `forestall check` said if it was not content.
    """

    when: str
    torn: list[str]
    same: bool
    complaint: str


def interrupted(folder: Path, number: int) -> Interruption:
    """Kill one stage of a project that has run, as it runs again, and run the project once more.

    Args:
        number: seeds the moment; stages take turns.
    """
    stage, before = STAGES[number % len(STAGES)], lock(folder)
    seconds = random.Random(number).uniform(0.0, _duration(folder, stage) + AFTER)
    words = ("dvc", "repro", "--force", "--single-item", stage)
    killed_after(folder, seconds, *words, said="> python src/")
    torn = go_on(folder)
    said = command(folder, "forestall", "check")
    return Interruption(
        f"{stage}, after {seconds:.1f} s",
        torn,
        lock(folder) == before,
        said.stdout if said.returncode else "",
    )


def go_on(folder: Path) -> list[str]:
    """What a person does after a killed run: again; and without the files that DVC was killed while it wrote."""
    torn: list[str] = []
    for _ in range(len(WRITTEN) + 1):
        done = command(folder, "dvc", "repro")
        if not done.returncode:
            return torn
        broken = [file for file in WRITTEN if file in done.stdout and (folder / file).exists()]
        assert broken, done.stdout
        (folder / broken[0]).unlink()
        torn.append(broken[0])
    raise AssertionError(done.stdout)


def _duration(folder: Path, stage: str) -> float:
    """How long a stage takes here, measured once and noted beside the project."""
    noted = folder.parent / f"{folder.name}-{stage}.seconds"
    if not noted.exists():
        begun = time.monotonic()
        done = command(folder, "python", f"src/{stage}.py")
        assert not done.returncode, done.stdout
        noted.write_text(str(time.monotonic() - begun), encoding="utf-8")
    return float(noted.read_text(encoding="utf-8"))
