"""What differs between two revisions besides their scores: params, data, code, environment, stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Flat = dict[str, Any]
Pairs = dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Changes:
    """params, data, packages: name -> value of base and of head. code: files. stages: what of each differs."""

    params: Pairs
    data: Pairs
    code: list[str]
    packages: Pairs
    stages: dict[str, list[str]]

    def __bool__(self) -> bool:
        return any((self.params, self.data, self.code, self.packages, self.stages))

    @property
    def values(self) -> dict[str, Pairs]:
        """What has a value on both sides, by its kind."""
        return {"params": self.params, "data": self.data, "packages": self.packages}


def flat(content: Any, beginning: str = "") -> Flat:
    """Nested mappings as one, keys joined by dots; a list is one value."""
    if not isinstance(content, Mapping):
        return {beginning: content}
    return {
        key: value
        for name, part in content.items()
        for key, value in flat(part, f"{beginning}.{name}" if beginning else str(name)).items()
    }


def differing(base: Mapping[str, Any], head: Mapping[str, Any]) -> Pairs:
    """Keys whose values differ, in head's order and then base's; None stands for no such key."""
    every = [*head, *(name for name in base if name not in head)]
    return {name: (base.get(name), head.get(name)) for name in every if base.get(name) != head.get(name)}


def packages(lock: str) -> Flat:
    """Names and versions in a requirements file."""
    return dict(_pinned(lock))


def stage_changes(base: Mapping[str, Any], head: Mapping[str, Any]) -> dict[str, list[str]]:
    """By stage of two dvc.lock files what differs: added, removed, its command, code, inputs, params or outputs."""
    found = {}
    for name in [*head, *(one for one in base if one not in head)]:
        if name not in base or name not in head:
            found[name] = ["added" if name in head else "removed"]
        elif what := list(_of_stage(base[name], head[name])):
            found[name] = what
    return found


def output_hash(lock: Mapping[str, Any], path: str) -> str | None:
    """The hash of an output that a stage of dvc.lock made, or of an input that none makes."""
    for kind in ("outs", "deps"):
        for stage in lock.values():
            for one in stage.get(kind, []):
                if one["path"] == path:
                    return str(one.get("md5"))
    return None


def _pinned(lock: str) -> Iterator[tuple[str, str]]:
    for line in lock.splitlines():
        name, found, rest = line.partition("==")
        if found and not line.startswith((" ", "#", "-")):
            yield name, rest.split()[0]


def _of_stage(base: Mapping[str, Any], head: Mapping[str, Any]) -> Iterator[str]:
    if base.get("cmd") != head.get("cmd"):
        yield "command"
    before, after = (_hashes(one.get("deps", [])) for one in (base, head))
    changed = differing(before, after)
    if any(_is_code(path) for path in changed):
        yield "code"
    if any(not _is_code(path) for path in changed):
        yield "inputs"
    if base.get("params") != head.get("params"):
        yield "params"
    if _hashes(base.get("outs", [])) != _hashes(head.get("outs", [])):
        yield "outputs"


def _hashes(parts: list[Mapping[str, Any]]) -> Flat:
    return {one["path"]: one.get("md5") for one in parts}


def _is_code(path: str) -> bool:
    return path.startswith(("src/", "requirements/"))
