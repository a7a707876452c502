"""Stages in folders that hold what they declare and nothing else, traced; and what of that they must not do."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from forestall.data.settings import read_yaml
from forestall.pipeline.stages import PARAMS, Stage, read_stages
from tests.pipeline.clones import environment
from tests.pipeline.traces import CALLS, STRACE, Deed, Kind, deeds

# What of the computer a stage may look at, and why that cannot make other bytes, or what shows that it does not.
OUTSIDE = {
    "/lib": "system libraries",
    "/lib64": "system libraries",
    "/usr/lib": "system libraries",
    "/etc/ld.so.cache": "where they are",
}


@dataclass(frozen=True)
class Place:
    """Where one stage runs: its folder, a home and a temporary folder, which are empty before."""

    folder: Path
    home: Path
    temporary: Path
    settings: tuple[str, ...]


@dataclass(frozen=True)
class Ran:
    """A traced run: exit code, what it printed, and what it did."""

    code: int
    said: str
    deeds: list[Deed]


def stages_of(project: Path) -> dict[str, Stage]:
    """The stages of the project's dvc.yaml, in its order, in which each comes after those that it needs."""
    return read_stages(
        "dvc.yaml", lambda name: read_yaml(project / name) if (project / name).is_file() else None
    )


def isolated(stage: Stage, project: Path, scratch: Path) -> Place:
    """A place with copies of the stage's deps and the two files of settings, and the folders of its outs.

    Every stage checks both files as wholes, and is handed the sections that it declares.
    """
    dataset = read_yaml(project / PARAMS)["data"]["dataset"]
    settings = (PARAMS, f"data/raw/{dataset}.yaml")
    place = Place(scratch / "project", scratch / "home", scratch / "temporary", settings)
    for folder in (place.folder, place.home, place.temporary):
        folder.mkdir(parents=True)
    for path in (*stage.deps, *settings):
        copy(project / path, place.folder / path)
    for path in stage.outs:
        (place.folder / path).parent.mkdir(parents=True, exist_ok=True)
    return place


def copy(source: Path, target: Path) -> None:
    """A file or a folder, by itself."""
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


def traced(stage: Stage, place: Place) -> Ran:
    """Run the stage's command there under strace."""
    trace = place.folder.with_name("trace")
    done = subprocess.run(
        [*STRACE, "-e", f"trace={CALLS}", "-o", str(trace), *shlex.split(stage.cmd)],
        cwd=place.folder,
        env={
            "PATH": environment()["PATH"],
            "HOME": str(place.home),
            "TMPDIR": str(place.temporary),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    with trace.open(encoding="ascii") as lines:
        _, *rest = deeds(lines, place.folder)  # the first is the command's own start
    return Ran(done.returncode, done.stdout, rest)


def offences(stage: Stage, place: Place, ran: Ran) -> list[str]:
    """A sentence for each thing that the stage did and must not do."""
    rules = _Rules(stage, place)
    found = [
        f"{stage.name} {deed.kind} {rules.short(deed.of)}, {reason}."
        for deed in dict.fromkeys(ran.deeds)
        if (reason := rules.against(deed))
    ]
    left = sorted(path.name for path in place.temporary.rglob("*"))
    return found + [f"{stage.name} leaves {name} in the temporary folder." for name in left]


def never_read(stage: Stage, place: Place, ran: Ran) -> list[str]:
    """The deps and params files that the stage declares and did not open, nor any file below them."""
    opened = {deed.of for deed in ran.deeds if deed.kind is Kind.READS}
    return [
        path
        for path in (*stage.deps, *stage.params)
        if not any(_below(one, [str(place.folder / path)]) for one in opened)
    ]


class _Rules:
    """What one stage may do in its place."""

    def __init__(self, stage: Stage, place: Place) -> None:
        self.place = place
        self.inputs = [*stage.deps, *place.settings]
        self.outs = list(stage.outs)
        self.outside = [*OUTSIDE, *_python(), str(place.temporary)]

    def short(self, of: str) -> str:
        """A path as a person would name it."""
        for folder, name in ((self.place.folder, ""), (self.place.home, "~/")):
            if _below(of, [str(folder)]):
                return name + (of[len(str(folder)) + 1 :] or ".")
        return of

    def against(self, deed: Deed) -> str:
        """Why the stage must not do that; empty if it may."""
        if deed.kind is Kind.TALKS:
            return "and no stage needs anybody"
        if deed.kind is Kind.EVADES:
            return "and what it reaches then cannot be told"
        if deed.kind is Kind.STARTS:
            return "and a stage is one program"
        if _below(deed.of, [str(self.place.folder)]):
            return self._inside(deed.kind, self.short(deed.of))
        return self._outside(deed.kind, deed.of)

    def _inside(self, kind: Kind, path: str) -> str:
        changes = kind in (Kind.WRITES, Kind.MAKES)
        if _below(path, self.outs) or (kind in (Kind.ASKS, Kind.MAKES) and _above(path, self.outs)):
            return ""
        if changes:
            return "which is no output of it"
        code = [dep for dep in self.inputs if dep.endswith(".py")]
        allowed = (
            _below(path, self.inputs)
            or (kind is Kind.ASKS and _above(path, self.inputs))
            or (kind is Kind.LISTS and _above(path, code))
            or _import_of(path) in code
        )
        return "" if allowed else "which dvc.yaml does not give it"

    def _outside(self, kind: Kind, path: str) -> str:
        if kind in (Kind.WRITES, Kind.MAKES):
            allowed = path == "/dev/null" or _below(path, [str(self.place.temporary)])
        else:
            way = [str(self.place.folder), *self.outside]
            allowed = _below(path, self.outside) or (kind is Kind.ASKS and _above(path, way))
        return "" if allowed else "which is not in the project"


def _python() -> list[str]:
    """Where the interpreter and its packages are."""
    return [str(Path(prefix)) for prefix in {sys.prefix, sys.base_prefix}]


def _below(path: str, tops: list[str]) -> bool:
    """Whether a path is one of these or in one of them."""
    return any(path == top or path.startswith(f"{top}/") for top in tops)


def _above(path: str, files: list[str]) -> bool:
    """Whether one of these is in that folder."""
    return path in (".", "/") or any(file.startswith(f"{path}/") for file in files)


def _import_of(path: str) -> str:
    """The module that Python looks for where it looks for another form of it; empty if it is none."""
    if "/__pycache__/" in path and path.endswith(".pyc"):
        return importlib.util.source_from_cache(path)
    suffixes = [suffix for suffix in importlib.machinery.all_suffixes() if path.endswith(suffix)]
    return f"{path.removesuffix(max(suffixes, key=len))}.py" if suffixes else ""
