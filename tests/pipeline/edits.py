"""Random edits of a project that has run."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

PARAMS, DATASET, DVC, LOCK = "params.yaml", "data/raw/simulated.yaml", "dvc.yaml", "dvc.lock"
DATA = (
    "data/raw/simulated",
    "data/truth",
    "data/prepared",
    "data/features",
    "models/bundle",
    "reports/plots",
)
Edit = Callable[[Path, random.Random], str]


def leaf_of_settings(file: str) -> Edit:
    """Another value for one key."""

    def edit(folder: Path, draw: random.Random) -> str:
        content = load(folder / file)
        *way, last = draw.choice(sorted(leaves(content), key=str))
        section = content
        for part in way:
            section = section[part]
        section[last] = another(section[last])
        dump(content, folder / file)
        return f"{file}: {'.'.join(map(str, (*way, last)))} = {section[last]!r}"

    return edit


def removed_setting(folder: Path, draw: random.Random) -> str:
    content = load(folder / PARAMS)
    section = draw.choice([name for name in content if name != "data"])
    key = draw.choice(list(content[section]))
    del content[section][key]
    dump(content, folder / PARAMS)
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
    content = load(folder / DVC)
    name = draw.choice(list(content["stages"]))
    stage, what = content["stages"][name], draw.choice(sorted(DECLARATIONS))
    DECLARATIONS[what](stage, draw)
    dump(content, folder / DVC)
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
    content = load(folder / DVC)
    del content["stages"]["card"]
    dump(content, folder / DVC)
    return f"{DVC}: no card"


def locked(folder: Path, draw: random.Random) -> str:
    """One change of one entry of dvc.lock."""
    content = load(folder / LOCK)
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
    dump(content, folder / LOCK)
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


def _figures(folder: Path) -> list[Path]:
    return [one for one in sorted((folder / "metrics").rglob("*")) if one.is_file()]


def leaves(content: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(content, dict):
        return [leaf for key, one in content.items() for leaf in leaves(one, (*way, key))]
    return [way] if way != ("data", "dataset") else []


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else [*value, "x"]


def load(file: Path) -> Any:
    return YAML().load(file.read_text(encoding="utf-8"))


def dump(content: Any, file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        YAML().dump(content, out)


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write(text)
