"""`forestall check --rerun`: everything made again in a temporary clone, and a certificate of what came of it.

A dvc.lock that was forged together with its outputs is consistent; only making them again tells.
"""

from __future__ import annotations

from forestall.pipeline.interpreter import pins

import os
import platform
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forestall.comparison.factors import ENVIRONMENT_LOCK
from forestall.pipeline import process
from forestall.pipeline.imports import MAIN
from forestall.pipeline.pipelines import pipeline, pointers
from forestall.pipeline.process import FailedError
from forestall.pipeline.revisions import Workspace, git
from forestall.pipeline.scratch import RerunError, Scratch, remotes, scratch
from forestall.pipeline.stages import Stage
from forestall.pipeline.staleness import Pipeline
from forestall.pipeline.workspace_hashes import hashes

# Of the packages, what the bytes hang on most.
SHOWN = ("dvc", "numpy", "onnxruntime", "pandas", "scikit-learn")
Outs = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Rerun:
    """What was made again.

    revision: the commit, and how many files are not as it has them. python, packages: of the stages. stages: that
    ran. compared: how many outputs. differing: those that came out otherwise, as `stage: path`. seconds: it took.
    """

    revision: str
    python: str
    packages: Mapping[str, str]
    stages: Sequence[str]
    compared: int
    differing: Sequence[str]
    seconds: float

    @property
    def equal(self) -> bool:
        """Whether every byte was made again."""
        return not self.differing


def rerun(root: Path, files: Sequence[str]) -> Rerun:
    """Run every stage of these dvc.yaml files on the workspace's files, where nothing is restored.

    The workspace, its dvc.lock and DVC's cache stay as they are.

    Raises:
        RevisionError: it cannot be run.
    """
    begun = time.monotonic()
    recorded = [pipeline(Workspace(root), file) for file in files]
    stages = {_name(one.file, name): stage for one in recorded for name, stage in one.stages.items()}
    if frozen := [name for name, stage in stages.items() if stage.frozen]:
        raise RerunError(
            f"{', '.join(frozen)}: frozen, so that DVC does not run it. Take its `frozen: true` out first."
        )
    with scratch(root) as place:
        tree = place.tree(Workspace(root))
        folder = place.checkout(tree, "again")
        programs = place.environment(tree)
        ran = _run(place, folder, programs, files, stages)
        python = process.run(["python", "--version"], folder, programs, place.folder).split()[-1]
        made = _outs(pipeline(Workspace(folder), file) for file in files)
        packages = dict(pins(folder / ENVIRONMENT_LOCK))
    return Rerun(
        revision=_revision(root),
        python=python,
        packages={name: packages[name] for name in SHOWN if name in packages},
        stages=ran,
        compared=sum(len(outs) for outs in made.values()),
        differing=list(_differing(_outs(recorded), made)),
        seconds=time.monotonic() - begun,
    )


def certificate(one: Rerun) -> list[str]:
    """What to print of it."""
    versions = ", ".join(f"{name} {version}" for name, version in one.packages.items())
    told = f"{len(one.differing)} of {one.compared} differ" if one.differing else f"all {one.compared} equal"
    return [
        "Made again, with nothing restored:",
        f"  revision  {one.revision}",
        f"  platform  {platform.platform()}, {_processor()}, {os.cpu_count()} cores",
        f"  versions  Python {one.python}, {versions}",
        f"  stages    {len(one.stages)}, in {one.seconds:.0f} s",
        f"  outputs   {told}",
        *(f"    {line}" for line in one.differing),
    ]


def _run(
    place: Scratch, folder: Path, programs: Path, files: Sequence[str], stages: Mapping[str, Stage]
) -> list[str]:
    """The stages that ran there, all of them, by their source; a plant's own tables are brought first."""
    _bring(place, folder, programs, stages)
    for compiled in list(folder.rglob("__pycache__")):  # in Git, it may be other code
        shutil.rmtree(compiled)
    try:
        # --no-commit: outputs that are wrong must not come into the user's cache.
        said = process.run(["dvc", "repro", "--force", "--no-commit", *files], folder, programs, place.folder)
    except FailedError as error:
        raise RerunError(f"It could not be made again: {process.reason(error.said)}") from error
    ran = process.stages(said)
    if idle := [name for name in stages if name not in ran]:
        raise RerunError(f"{', '.join(idle)} did not run, so that nothing is known of what it makes.")
    return ran


def _bring(place: Scratch, folder: Path, programs: Path, stages: Mapping[str, Stage]) -> None:
    """What no stage makes and DVC tracks, as a plant's own tables are; DVC does not look whether it is the same."""
    deps = {path for stage in stages.values() for path in stage.deps}
    wanted = pointers(Workspace(folder), deps)
    if not wanted:
        return
    words = ["dvc", "pull" if remotes(folder) else "checkout", "--allow-missing"]
    process.run([*words, *(f"{path}.dvc" for path in wanted)], folder, programs, place.folder, check=False)
    found = hashes(folder, wanted)
    if missing := [path for path in wanted if path not in found]:
        raise RerunError(
            f"{', '.join(missing)}: neither in DVC's cache nor in a remote that this clone knows, so nothing can be "
            "made again from it. `dvc pull` where there is a remote, or `dvc add` it where it lies."
        )
    if other := [path for path, md5 in found.items() if md5 != wanted[path]]:
        raise RerunError(
            f"{', '.join(other)}: what DVC's cache or remote has is not what its .dvc file names: torn, or forged. "
            "`dvc doctor` says where the cache is; delete it there, and pull or add it again."
        )


def _name(file: str, stage: str) -> str:
    """A stage as DVC names it in the top folder."""
    return stage if file == MAIN else f"{file}:{stage}"


def _outs(pipelines: Iterable[Pipeline]) -> Outs:
    """The hashes of what each stage made, by dvc.lock; of stages without an entry, none."""
    return {
        _name(one.file, name): dict(one.locked[name].outs) if name in one.locked else {}
        for one in pipelines
        for name in one.stages
    }


def _differing(recorded: Outs, made: Outs) -> Iterator[str]:
    for name, outs in made.items():
        before = recorded.get(name, {})
        for path in sorted(outs.keys() | before.keys()):
            if before.get(path) != outs.get(path):
                yield f"{name}: {path}" + ("" if path in before else ", which dvc.lock does not have")


def _revision(root: Path) -> str:
    commit = git(root, "rev-parse", "HEAD").stdout.strip()
    changed = len(git(root, "status", "--porcelain", "--untracked-files=all").stdout.splitlines())
    return f"{commit}, and {changed} files that are not as it has them" if changed else commit


def _processor() -> str:
    """The processor's name where the system tells it, else its kind."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
