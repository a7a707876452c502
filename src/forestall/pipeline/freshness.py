"""Whether a revision's outputs are what the pipeline makes of its files."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from forestall.errors import ForestallError
from forestall.pipeline.process import GIT_VARIABLES, without
from forestall.pipeline.side import Side

PIPELINE = "dvc.yaml"
CODE, FIGURES = ("src/", "requirements/"), "metrics/"


def stale(side: Side, root: Path) -> list[str]:
    """What of its files its outputs were not made of, by stage; a commit's by what its dvc.lock says.

    Raises:
        ForestallError: that cannot be known.
    """
    commit = side.revision.commit
    return stages_to_run(root) if commit is None else list(_of_commit(side, root, commit))


def stages_to_run(root: Path) -> list[str]:
    """The stages of the workspace that `dvc repro` would run.

    Raises:
        ForestallError: that cannot be known.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            return sorted(repo.status(targets=[str(root / PIPELINE)]))
    except DvcException as error:
        raise ForestallError(f"`dvc status` fails: {error}") from error


def _of_commit(side: Side, root: Path, commit: str) -> Iterator[str]:
    parts = [one for stage in side.lock.values() for kind in ("deps", "outs") for one in stage.get(kind, [])]
    made = {one["path"]: one.get("md5") for stage in side.lock.values() for one in stage.get("outs", [])}
    now = made | _hashes(root, commit, sorted({one["path"] for one in parts if _in_git(one)}))
    for name, stage in side.lock.items():
        files = [*stage.get("deps", []), *stage.get("outs", [])]
        if any(_is_other(one, now) for one in files) or any(changed_params(side, stage)):
            yield name


def _in_git(one: Mapping[str, Any]) -> bool:
    """Whether it is a file that Git has: code, or figures that a stage wrote."""
    return one["path"].startswith((*CODE, FIGURES)) and one.get("hash") == "md5"


def _is_other(one: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a stage read or wrote other bytes than there are, or than the stage that makes them wrote last."""
    path = one["path"]
    gone = path not in now and one.get("hash") == "md5" and path.startswith(CODE)
    return gone or (path in now and now[path] != one.get("md5"))


def changed_params(side: Side, stage: Mapping[str, Any]) -> Iterator[str]:
    """Those that are not what a stage of dvc.lock ran with, as `file: key`."""
    for file, values in stage.get("params", {}).items():
        content = side.mapping(file)
        yield from (f"{file}: {key}" for key, value in values.items() if _at(content, key) != value)


def _at(content: Any, key: str) -> Any:
    for part in key.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    return content


def _hashes(root: Path, commit: str, paths: list[str]) -> dict[str, str]:
    """The md5 of files of a commit, without those that it does not have: one git for all of them."""
    asked = "".join(f"{commit}:./{path}\n" for path in paths)
    done = subprocess.run(
        ["git", "-C", str(root), "cat-file", "--batch"],
        env=without(GIT_VARIABLES),
        input=asked.encode(),
        capture_output=True,
        check=True,
    )
    found, rest = {}, done.stdout
    for path in paths:
        line, _, rest = rest.partition(b"\n")
        if line.endswith(b" missing"):
            continue
        size = int(line.rsplit(b" ", 1)[1])
        found[path] = hashlib.md5(rest[:size], usedforsecurity=False).hexdigest()
        rest = rest[size + 1 :]
    return found
