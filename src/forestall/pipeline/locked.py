"""What dvc.lock says that stages ran with, and made."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from forestall.errors import ForestallError


@dataclass(frozen=True)
class LockedStage:
    """One run of a stage. deps, outs: md5 by path from the top folder; a folder's ends in `.dir`. params: by file."""

    cmd: Any
    deps: Mapping[str, str]
    params: Mapping[str, Mapping[str, Any]]
    outs: Mapping[str, str]


def locked_stage(entry: Mapping[str, Any], path: Callable[[str], str], place: str) -> LockedStage:
    """A stage's entry in dvc.lock.

    Args:
        path: makes a path that is written there one from the top folder. place: what an error names.

    Raises:
        ForestallError: it is cut off, or of DVC 2, whose hashes are others.
    """
    return LockedStage(
        entry.get("cmd"),
        {path(one["path"]): _digest(one, place) for one in entry.get("deps", [])},
        {path(file): values for file, values in entry.get("params", {}).items()},
        {path(one["path"]): _digest(one, place) for one in entry.get("outs", [])},
    )


def _digest(one: Mapping[str, Any], place: str) -> str:
    if posixpath.normpath(one["path"]) != one["path"]:  # DVC compares them as they are written
        raise ForestallError(f"{place}: DVC writes no path as {one['path']}. Delete it and run `dvc repro`.")
    if one.get("hash") != "md5" or not isinstance(one.get("md5"), str):
        raise ForestallError(
            f"{place}: {one['path']} has no md5 of DVC 3; torn, or older? Delete it and run `dvc repro`."
        )
    return str(one["md5"])
