"""What `forestall check` says after an edit, and what DVC itself does."""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forestall.pipeline.pipelines import pipeline
from forestall.pipeline.revisions import Workspace
from tests.pipeline.clones import command
from tests.pipeline.edits import EDITS

WELL = "All is as dvc.lock has it.\n"
RAN = re.compile(r"^(?:Running stage '(\w+)'|Stage '(\w+)' is cached - skipping run)", re.MULTILINE)
TOLD = re.compile(r"^stale: ([\w, ]+): ", re.MULTILINE)


@dataclass(frozen=True)
class Verdicts:
    """Of one edit.

    code, said: of `forestall check`. stale, roots: the stages that it says are stale, and those of them before which
    no other is. ran: those that `dvc repro` began or restored, where none succeeds. other: those of them that are
    neither stale nor after what is. failed: its exit code was not 0. status, dry: whether `dvc status` and `dvc repro
    --dry --allow-missing` say that something is to be done. seconds: of each, by name.
    """

    edit: str
    code: int
    stale: set[str]
    roots: set[str]
    ran: set[str]
    other: set[str]
    failed: bool
    status: bool | None
    dry: bool | None
    seconds: dict[str, float]
    said: str

    @property
    def agree(self) -> bool:
        """Whether check names what DVC runs: all that comes first, and no other."""
        if self.failed and not self.ran:
            return self.code != 0
        return bool(self.stale) == bool(self.ran) and self.roots <= self.ran and not self.other


def judged(project: Path, place: Path, number: int, beside: bool = False) -> Verdicts:
    """Edit a copy of a project, and ask everyone.

    Args:
        number: seeds the edit, whose kinds take turns. beside: also ask the other two commands.
    """
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(project, place, symlinks=True)
    edit = EDITS[number % len(EDITS)](place, random.Random(number))
    seconds: dict[str, float] = {}
    checked = _timed(seconds, "check", place, "forestall", "check")
    stale = told_stale(checked.stdout)
    status, dry = _others(place, seconds) if beside else (None, None)
    before = _before(place) if stale else {}
    done = _reproduced(place, seconds, edit)
    ran = told_begun(done.stdout)
    return Verdicts(
        edit=edit,
        code=checked.returncode,
        said=checked.stdout,
        stale=stale,
        roots={one for one in stale if not before[one] & stale},
        ran=ran,
        other={one for one in ran - stale if not before.get(one, set()) & stale},
        failed=bool(done.returncode),
        status=status,
        dry=dry,
        seconds=seconds,
    )


def _others(place: Path, seconds: dict[str, float]) -> tuple[bool, bool]:
    status = _timed(seconds, "status", place, "dvc", "status", "--quiet", "dvc.yaml")
    dry = _timed(seconds, "dry", place, "dvc", "repro", "--dry", "--allow-missing")
    return status.returncode != 0, dry.returncode != 0 or bool(RAN.search(dry.stdout))


def _reproduced(place: Path, seconds: dict[str, float], edit: str) -> Any:
    """`dvc repro` with everything pulled, by a Python that runs no stage: DVC decides, and no stage's end hides what
    comes after another.
    """
    if edit.startswith("not pulled: "):
        for top in edit.removeprefix("not pulled: ").split(", "):
            assert command(place, "dvc", "checkout", "--quiet", top).returncode == 0
    programs = place / ".git" / "programs"
    programs.mkdir()
    (programs / "python").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (programs / "python").chmod(0o755)
    path, dvc = f"{programs}{os.pathsep}{os.environ['PATH']}", Path(sys.executable).parent / "dvc"
    return _timed(seconds, "repro", place, "env", f"PATH={path}", str(dvc), "repro", "--keep-going")


def began(place: Path) -> set[str]:
    """The stages that `dvc repro` begins or restores there, where none succeeds."""
    return told_begun(_reproduced(place, {}, "").stdout)


def told_begun(said: str) -> set[str]:
    """The stages that `dvc repro` begins or restores, by what it says."""
    return {one or other for one, other in RAN.findall(said)}


def told_stale(said: str) -> set[str]:
    """The stages that `forestall check` calls stale."""
    return {stage for names in TOLD.findall(said) for stage in names.split(", ")}


def _timed(seconds: dict[str, float], name: str, place: Path, *words: str) -> Any:
    start = time.perf_counter()
    done = command(place, *words)
    seconds[name] = time.perf_counter() - start
    return done


def _before(place: Path) -> dict[str, set[str]]:
    """All stages on which each one waits."""
    stages = pipeline(Workspace(place)).stages
    maker = {out: name for name, stage in stages.items() for out in stage.outs}

    def before(name: str) -> set[str]:
        makers = {maker[dep] for dep in stages[name].deps if dep in maker and not stages[name].frozen}
        return makers.union(*map(before, makers))

    return {name: before(name) for name in stages}
