"""The plant's repository for bench/year.py: made by the real commands, and what they say, take and store."""

from __future__ import annotations

import json
import re
import resource
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _year_plant import Plan, own_tables
from tests.pipeline.clones import clone, command, repro, set_values
from tests.pipeline.repository import commit, git

NAME = "mill"
DATASET = f"data/raw/{NAME}.yaml"


@dataclass(frozen=True)
class Made:
    """How its models are made, and when. gate, policy: changes of params.yaml's `gate` and `retraining`."""

    trees: int
    negatives: int
    test: str
    validation: str
    gate: dict[str, Any]
    policy: dict[str, Any] = field(default_factory=dict)

    @property
    def params(self) -> dict[str, Any]:
        """Changes of params.yaml. The default fleet is not needed, and made small."""
        own = {"train.extra_trees.trees": self.trees, "train.negatives": self.negatives}
        own |= {"simulate.machines": 2, "simulate.days": 60}
        sections = {"gate": self.gate, "retraining": self.policy}
        return own | {f"{of}.{name}": value for of, some in sections.items() for name, value in some.items()}

    @property
    def split(self) -> dict[str, Any]:
        """Changes of the dataset file."""
        return {"split.test": self.test, "split.validation": self.validation, "split.unseen_machines": 0.0}


@dataclass(frozen=True)
class Retrained:
    """What a `forestall retrain --if-due --promote` did.

    branch: empty where it was not due, and then `said` says why. failed: the gate's rules that it did not pass.
    seconds: by the clock. work: seconds of the processor.
    """

    branch: str
    passed: bool
    promoted: bool
    revision: str
    failed: list[str]
    seconds: float
    said: str
    work: float = 0.0


def made_repository(folder: Path, whole: Path, plan: Plan, how: Made) -> Path:
    """A clone with the plant's own tables, on which the pipeline has run, all of it committed."""
    clone(folder, {"params.yaml": how.params})
    shutil.copyfile(folder / "data/raw/simulated.yaml", folder / DATASET)
    set_values(folder, DATASET, how.split)
    set_values(folder, "params.yaml", {"data.dataset": NAME})
    export = folder.parent / "export"
    own_tables(whole, export, plan.history)
    run(folder, "dataset", "add", NAME, str(export))
    shutil.rmtree(export)
    for key, value in (("name", "Plant"), ("email", "plant@example.org")):
        git(folder, "config", f"user.{key}", value)
    repro(folder)
    commit(folder, "the plant")
    return folder


def run(folder: Path, *words: str, fails: bool = False) -> str:
    """What `forestall …` says.

    Raises:
        RuntimeError: it fails.
    """
    done = command(folder, "forestall", *words)
    if done.returncode and not fails:
        raise RuntimeError(f"forestall {' '.join(words)}: {done.stdout}")
    return done.stdout


def first_release(folder: Path) -> str:
    """Serve the main branch: by the gate, or for a reason where a young model does not reach its floors."""
    said = run(folder, "promote", "main", fails=True)
    if "Served:" not in said:
        said = run(folder, "promote", "main", "--force", "the first one; there is none to compare it with")
    return "forced" if "(forced)" in said else "passed"


def retrain(folder: Path, database: str) -> Retrained:
    """Retrain and promote, if it is due; where the gate agrees the branch is merged, as a pull request is."""
    begun, before = time.perf_counter(), worked()
    said = run(folder, "retrain", "--if-due", "--promote", "--database", database)
    seconds, work = time.perf_counter() - begun, worked() - before
    found = re.search(r"Branch (\S+):", said)
    branch = found.group(1) if found else ""
    promoted = "Served: " in said
    if promoted:
        git(folder, "merge", "--quiet", "--ff-only", branch)
        command(folder, "dvc", "checkout", "--quiet", "--force")
    revision = git(folder, "rev-parse", branch or "HEAD")
    return Retrained(
        branch, "Gate: passed" in said, promoted, revision, failed_rules(said), seconds, said, work
    )


def worked() -> float:
    """Seconds of the processor that commands have taken so far; services that still run are not among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def failed_rules(said: str) -> list[str]:
    """The rules of the gate that it did not pass, from the first report that was printed."""
    report = said.partition("### Gate:")[2].partition("### Gate:")[0]
    rows = (line.strip("|").split("|") for line in report.splitlines() if line.startswith("|"))
    return [row[0].strip() for row in rows if len(row) > 1 and "failed" in row[1].lower()]


def cache_bytes(folder: Path) -> int:
    """All that DVC keeps."""
    return sum(file.stat().st_size for file in (folder / ".dvc/cache/files").rglob("*") if file.is_file())


def dataset_objects(folder: Path, revision: str) -> dict[str, int]:
    """The plant's files in the cache at a revision: bytes by hash."""
    pointer = git(folder, "show", f"{revision}:data/raw/{NAME}.dvc")
    found = re.search(r"md5: (\w+)\.dir", pointer)
    assert found is not None
    cache = folder / ".dvc/cache/files/md5"
    whole = found.group(1)
    listed = json.loads((cache / whole[:2] / f"{whole[2:]}.dir").read_text(encoding="utf-8"))
    return {one["md5"]: (cache / one["md5"][:2] / one["md5"][2:]).stat().st_size for one in listed}


def from_scratch(folder: Path, revision: str, place: Path) -> float:
    """Seconds of the processor that `dvc repro` takes for a revision with an empty cache, but for the tables."""
    git(folder, "clone", "--quiet", "--no-checkout", str(folder), str(place))
    git(place, "checkout", "--quiet", revision)
    done = command(place, "dvc", "remote", "add", "--local", "--default", "plant", str(folder / ".dvc/cache"))
    fetched = command(place, "dvc", "pull", "--quiet", f"data/raw/{NAME}.dvc")
    if done.returncode or fetched.returncode:
        raise RuntimeError(done.stdout + fetched.stdout)
    before = worked()
    assert "train" in repro(place)
    return worked() - before
