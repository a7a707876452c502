"""The stages of a dvc.yaml, as DVC resolves them: `${…}` filled in, paths from the repository's top folder."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forestall.errors import ForestallError

PARAMS = "params.yaml"
REFERENCE = re.compile(r"(?<!\\)\$\{(.*?)\}")
OUTS = ("outs", "metrics", "plots")
# What decides when a stage runs and is not read here; a verdict without it could be wrong.
UNREAD = ("foreach", "matrix", "vars")
# What DVC takes, and nothing else: it runs nothing of a dvc.yaml that has other keys or values.
TOP = {"stages", "vars", "params", "metrics", "plots", "datasets", "artifacts"}
LISTS, SWITCHES = ("deps", "params", *OUTS), ("frozen", "always_changed")
KEYS = {"cmd", "wdir", "meta", "desc", *LISTS, *SWITCHES}

Read = Callable[[str], "Mapping[str, Any] | None"]


@dataclass(frozen=True)
class Stage:
    """One stage.

    params: keys by file; no keys, all of the file. outs: path -> whether DVC caches it; what it does not is in Git.
    frozen: DVC never runs it for its deps. always: DVC runs it every time.
    """

    name: str
    cmd: Any
    deps: tuple[str, ...]
    params: Mapping[str, tuple[str, ...]]
    outs: Mapping[str, bool]
    frozen: bool
    always: bool
    folder: str

    def path(self, written: str) -> str:
        """A path as dvc.yaml and dvc.lock write it, from the top folder."""
        return _below(self.folder, written)


def read_stages(file: str, read: Read) -> dict[str, Stage]:
    """The stages of a dvc.yaml by name.

    Args:
        file: its path from the top folder. read: the content of a YAML file there; None where there is none.

    Raises:
        ForestallError: it asks for what this does not read, or DVC refuses it, or a `${…}` names nothing.
    """
    content, folder = read(file) or {}, posixpath.dirname(file)
    _check_keys(content, TOP, file)
    stages = content.get("stages") or {}
    if not isinstance(stages, dict):
        raise ForestallError(f"{file}: `stages` is no mapping of names to stages.")
    names = _variables(file, content.get("vars") or [], read)
    return {name: _stage(file, folder, name, written, names) for name, written in stages.items()}


def _variables(file: str, listed: list[Any], read: Read) -> dict[str, Any]:
    """What `${…}` may name: params.yaml beside the file, and what its `vars` list."""
    folder = posixpath.dirname(file)
    found: dict[str, Any] = dict(read(_below(folder, PARAMS)) or {})
    for one in listed:
        if isinstance(one, dict):
            found |= one
            continue
        name, _, keys = str(one).partition(":")
        content = read(_below(folder, name))
        if content is None:
            raise ForestallError(f"{file}: `vars` names {name}, and there is no such file.")
        found |= {key: value for key, value in content.items() if not keys or key in keys.split(",")}
    return found


def _stage(file: str, folder: str, name: str, written: Any, names: Mapping[str, Any]) -> Stage:
    place = f"{file}: {name}"
    if not isinstance(written, dict) or "cmd" not in written or any(key in written for key in UNREAD):
        unread = ", ".join(f"`{key}`" for key in UNREAD)
        raise ForestallError(
            f"{place}: only stages with a `cmd`, without {unread}, are read; ask `dvc status`."
        )
    _check_keys(written, KEYS, place)
    _check_values(written, place)
    whole = _resolved(written, names, place)
    folder = _below(folder, whole.get("wdir", "."))
    deps = [_below(folder, _one(dep, place)[0]) for dep in whole.get("deps", [])]
    outs = [_one(out, place) for kind in OUTS for out in whole.get(kind, [])]
    return Stage(
        name,
        whole["cmd"],
        tuple(deps),
        _params(whole.get("params", []), folder, place),
        {_below(folder, path): flags.get("cache", True) is not False for path, flags in outs},
        frozen=bool(whole.get("frozen")),
        always=bool(whole.get("always_changed")) or not (deps or outs or whole.get("params")),
        folder=folder,
    )


def _check_keys(written: Mapping[str, Any], known: set[str], place: str) -> None:
    if other := [str(key) for key in written if key not in known]:
        raise ForestallError(f"{place}: DVC knows no key {', '.join(other)}, and runs nothing.")


def _check_values(written: Mapping[str, Any], place: str) -> None:
    for keys, kind, said in ((LISTS, list, "a list"), (SWITCHES, bool, "true or false")):
        for key in keys:
            if key in written and not isinstance(written[key], kind):
                raise ForestallError(f"{place}: `{key}` is not {said}, and DVC runs nothing.")


def _one(entry: Any, place: str) -> tuple[str, dict[str, Any]]:
    """The path of a dep or an out, and its flags."""
    path, flags = next(iter(entry.items())) if isinstance(entry, dict) and entry else (entry, {})
    if not isinstance(path, str) or "://" in path or path.startswith("/"):
        raise ForestallError(f"{place}: {path!r} is no file of this repository; ask `dvc status`.")
    if not isinstance(flags or {}, dict):
        raise ForestallError(f"{place}: what follows {path} is no mapping of keys to values.")
    return path, flags or {}


def _params(entries: list[Any], folder: str, place: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for file, keys in _named(entries):
        path = _below(folder, file)
        if not path.endswith((".yaml", ".yml", ".json")):
            raise ForestallError(f"{place}: params in {path} are not read; ask `dvc status`.")
        every = not keys or found.get(path) == ()  # all of a file stays all of it, whatever else is named
        found[path] = () if every else (*found.get(path, ()), *map(str, keys))
    return found


def _named(entries: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    """File and keys; a key without a file is of the params.yaml in the folder in which the command runs."""
    for entry in entries:
        if isinstance(entry, dict):
            yield from ((file, keys or []) for file, keys in entry.items())
        else:
            yield PARAMS, [entry]


def _below(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _resolved(written: Any, names: Mapping[str, Any], place: str) -> Any:
    """The same with every `${…}` filled in, in keys too."""
    if isinstance(written, dict):
        return {_resolved(key, names, place): _resolved(one, names, place) for key, one in written.items()}
    if isinstance(written, list):
        return [_resolved(one, names, place) for one in written]
    if not isinstance(written, str):
        return written
    filled = REFERENCE.sub(lambda found: _text(found.group(1), names, place), written)
    return filled.replace(r"\${", "${")


def _text(reference: str, names: Mapping[str, Any], place: str) -> str:
    parts = reference.strip().replace("[", ".").replace("]", "").split(".")
    found, value = value_at(names, parts)
    if not found:
        raise ForestallError(f"{place}: ${{{reference}}} names nothing in params.yaml or `vars`.")
    if isinstance(value, dict | list):
        raise ForestallError(f"{place}: ${{{reference}}} is not one value; ask `dvc status`.")
    return str(value).lower() if isinstance(value, bool) else str(value)


def above(path: str) -> list[str]:
    """The folders around a path, the nearest first, without the top folder."""
    folders = []
    while (path := posixpath.dirname(path)) not in ("", ".", "/"):
        folders.append(path)
    return folders


def value_at(content: Any, parts: list[str]) -> tuple[bool, Any]:
    """Whether there is a value below these keys (of a list, numbers), and which."""
    for part in parts:
        if isinstance(content, Mapping) and part in content:
            content = content[part]
        elif isinstance(content, list) and part.isdigit() and int(part) < len(content):
            content = content[int(part)]
        else:
            return False, None
    return True, content
