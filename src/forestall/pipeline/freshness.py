"""Whether a revision's outputs are what the pipeline makes of its files."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forestall.pipeline import staleness
from forestall.pipeline.pipelines import facts, paths_of, pipeline
from forestall.pipeline.process import GIT_VARIABLES, without
from forestall.pipeline.revisions import Revision
from forestall.pipeline.stages import value_at
from forestall.pipeline.workspace_hashes import hashes

if TYPE_CHECKING:
    from forestall.pipeline.side import Side


def stale(one: Revision, root: Path) -> list[str]:
    """The stages whose outputs are not what the pipeline makes of a revision's files, by what its dvc.lock says.

    Raises:
        ForestallError: that cannot be known.
    """
    asked = pipeline(one)
    paths = paths_of([asked])
    there = hashes(root, paths) if one.commit is None else _hashes(root, one.commit, paths)
    return staleness.stale(asked, facts(one, [asked], there))


def changed_params(side: Side, stage: Mapping[str, Any]) -> Iterator[str]:
    """Those that are not what a stage of dvc.lock ran with, as `file: key`."""
    for file, values in stage.get("params", {}).items():
        content = side.mapping(file)
        for key, value in values.items():
            if value_at(content, key.split(".")) != (True, value):
                yield f"{file}: {key}"


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
        kind, size = line.split(b" ")[1], int(line.rsplit(b" ", 1)[1])
        if kind == b"blob":  # of a folder DVC's hash is another; none that a stage reads is in Git
            found[path] = hashlib.md5(rest[:size], usedforsecurity=False).hexdigest()
        rest = rest[size + 1 :]
    return found
