"""Random edits of a project that has run, what `forestall check` says of each, and what DVC itself does."""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from forestall.pipeline.pipelines import pipeline
from forestall.pipeline.revisions import Workspace
from tests.pipeline.clones import command

PARAMS, DATASET, DVC, LOCK = "params.yaml", "data/raw/simulated.yaml", "dvc.yaml", "dvc.lock"
DATA = (
    "data/raw/simulated",
    "data/truth",
    "data/prepared",
    "data/features",
    "models/bundle",
    "reports/plots",
)
RAN = re.compile(r"^(?:Running stage '(\w+)'|Stage '(\w+)' is cached - skipping run)", re.MULTILINE)
TOLD = re.compile(r"^stale: ([\w, ]+): ", re.MULTILINE)
Edit = Callable[[Path, random.Random], str]


def leaf_of_settings(file: str) -> Edit:
    """Another value for one key."""

    def edit(folder: Path, draw: random.Random) -> str:
        content = _load(folder / file)
        *way, last = draw.choice(sorted(_leaves(content), key=str))
        section = content
        for part in way:
            section = section[part]
        section[last] = _other(section[last])
        _dump(content, folder / file)
        return f"{file}: {'.'.join(map(str, (*way, last)))} = {section[last]!r}"

    return edit


def removed_setting(folder: Path, draw: random.Random) -> str:
    content = _load(folder / PARAMS)
    section = draw.choice([name for name in content if name != "data"])
    key = draw.choice(list(content[section]))
    del content[section][key]
    _dump(content, folder / PARAMS)
    return f"{PARAMS}: no {section}.{key}"


def comment_in_settings(folder: Path, draw: random.Random) -> str:
    file = draw.choice([PARAMS, DATASET])
    _append(folder / file, "# Nothing.\n")
    return f"{file}: a comment"


def code(folder: Path, draw: random.Random) -> str:
    file = draw.choice(sorted((folder / "src").rglob("*.py")))
    _append(file, "# Nothing.\n")
    return f"{file.relative_to(folder)}: a comment"


def code_gone(folder: Path, draw: random.Random) -> str:
    file = draw.choice(sorted((folder / "src/forestall/evaluation").glob("*.py")))
    file.unlink()
    return f"{file.relative_to(folder)}: gone"


def data_changed(folder: Path, draw: random.Random) -> str:
    file = draw.choice([one for top in DATA for one in sorted((folder / top).rglob("*")) if one.is_file()])
    content = file.read_bytes()
    file.unlink()  # a link into the cache stays as it is
    file.write_bytes(content + b"\n")
    return f"{file.relative_to(folder)}: a byte more"


def data_added(folder: Path, draw: random.Random) -> str:
    top = draw.choice(DATA)
    (folder / top / "more").write_text("more\n", encoding="utf-8")
    return f"{top}: a file more"


def data_away(folder: Path, draw: random.Random) -> str:
    """Nothing is stale: a pull brings it."""
    tops = draw.sample(DATA, 3)
    for top in tops:
        shutil.rmtree(folder / top)
    return f"not pulled: {', '.join(tops)}"


def figure_changed(folder: Path, draw: random.Random) -> str:
    file = draw.choice(_figures(folder))
    _append(file, "\n")
    return f"{file.relative_to(folder)}: a line more"


def figure_gone(folder: Path, draw: random.Random) -> str:
    file = draw.choice(_figures(folder))
    file.unlink()
    return f"{file.relative_to(folder)}: gone"


def declaration(folder: Path, draw: random.Random) -> str:
    """One change of one stage of dvc.yaml."""
    content = _load(folder / DVC)
    name = draw.choice(list(content["stages"]))
    stage, what = content["stages"][name], draw.choice(sorted(DECLARATIONS))
    DECLARATIONS[what](stage, draw)
    _dump(content, folder / DVC)
    return f"{DVC}: {name}: {what}"


def _without_dep(stage: Any, draw: random.Random) -> None:
    del stage["deps"][draw.randrange(len(stage["deps"]))]


def _without_param(stage: Any, draw: random.Random) -> None:
    del stage["params"][draw.randrange(len(stage["params"]))]


DECLARATIONS: dict[str, Callable[[Any, random.Random], Any]] = {
    "another cmd": lambda stage, _: stage.update(cmd=f"{stage['cmd']} # again"),
    "another desc": lambda stage, _: stage.update(desc="Other words"),
    "a dep more": lambda stage, _: stage["deps"].append("README.md"),
    "a param more": lambda stage, _: stage["params"].append("gate"),
    "an out more": lambda stage, _: stage["outs"].append("data/more"),
    "a dep less": _without_dep,
    "a param less": _without_param,
    "frozen": lambda stage, _: stage.update(frozen=True),
    "always_changed": lambda stage, _: stage.update(always_changed=True),
}


def stage_gone(folder: Path, draw: random.Random) -> str:
    content = _load(folder / DVC)
    del content["stages"]["card"]
    _dump(content, folder / DVC)
    return f"{DVC}: no card"


def locked(folder: Path, draw: random.Random) -> str:
    """One change of one entry of dvc.lock."""
    content = _load(folder / LOCK)
    name = draw.choice(list(content["stages"]))
    what = draw.choice(["dep", "out", "cmd", "entry", "no dep", "param"])
    entry = content["stages"][name]
    if what == "entry":
        del content["stages"][name]
    elif what == "cmd":
        entry["cmd"] += " # before"
    elif what == "no dep":
        del entry["deps"][draw.randrange(len(entry["deps"]))]
    elif what == "param":
        values = entry["params"][PARAMS]
        values[draw.choice(list(values))] = "other"
    else:
        one = draw.choice(entry[f"{what}s"])
        one["md5"] = ("1" if one["md5"][0] == "0" else "0") + one["md5"][1:]
    _dump(content, folder / LOCK)
    return f"{LOCK}: {name}: {what}"


EDITS: tuple[Edit, ...] = (
    leaf_of_settings(PARAMS),
    leaf_of_settings(DATASET),
    removed_setting,
    comment_in_settings,
    code,
    code_gone,
    data_changed,
    data_added,
    data_away,
    figure_changed,
    figure_gone,
    declaration,
    declaration,
    stage_gone,
    locked,
    locked,
)


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
    stale = {stage for names in TOLD.findall(checked.stdout) for stage in names.split(", ")}
    status, dry = _others(place, seconds) if beside else (None, None)
    before = _before(place) if stale else {}
    done = _reproduced(place, seconds, edit)
    ran = _began(done)
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
    return _began(_reproduced(place, {}, ""))


def _began(done: Any) -> set[str]:
    return {one or other for one, other in RAN.findall(done.stdout)}


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


def _figures(folder: Path) -> list[Path]:
    return [one for one in sorted((folder / "metrics").rglob("*")) if one.is_file()]


def _leaves(content: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(content, dict):
        return [leaf for key, one in content.items() for leaf in _leaves(one, (*way, key))]
    return [way] if way != ("data", "dataset") else []


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else [*value, "x"]


def _load(file: Path) -> Any:
    return YAML().load(file.read_text(encoding="utf-8"))


def _dump(content: Any, file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        YAML().dump(content, out)


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write(text)
