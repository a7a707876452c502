"""A revision's pipelines, and what is there of what they name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from forestall.pipeline.imports import MAIN, is_code
from forestall.pipeline.locked import locked_stage
from forestall.pipeline.revisions import LOCK_FILE, Revision, lock, yaml_of
from forestall.pipeline.stages import above, read_stages
from forestall.pipeline.staleness import Facts, Pipeline


def pipeline(one: Revision, file: str = MAIN) -> Pipeline:
    """A dvc.yaml of a revision, and the dvc.lock beside it.

    Raises:
        ForestallError: one of them is not readable.
    """
    stages = read_stages(file, lambda path: yaml_of(one, path))
    beside = posixpath.join(posixpath.dirname(file), LOCK_FILE)
    entries = lock(one, beside)
    locked = {
        name: locked_stage(entries[name], stage.path, f"{beside}: {name}")
        for name, stage in stages.items()
        if name in entries
    }
    return Pipeline(file, stages, locked, tuple(name for name in entries if name not in stages))


def paths_of(pipelines: Iterable[Pipeline]) -> list[str]:
    """Every file and folder that a stage reads or makes."""
    stages = [stage for one in pipelines for stage in one.stages.values()]
    return sorted({path for stage in stages for path in (*stage.deps, *stage.outs)})


def facts(one: Revision, pipelines: Iterable[Pipeline], hashes: Mapping[str, str]) -> Facts:
    """What is there for these pipelines, with the hashes of what `paths_of` says.

    Raises:
        ForestallError: a file of params or a .dvc file is not readable.
    """
    pipelines = list(pipelines)
    stages = [stage for pipeline in pipelines for stage in pipeline.stages.values()]
    made = {path: md5 for pipeline in pipelines for path, md5 in pipeline.made.items()}
    files = sorted({file for stage in stages for file in stage.params})
    settings = {file: content for file in files if (content := yaml_of(one, file)) is not None}
    data = sorted({path for stage in stages for path in stage.deps} - made.keys())
    return Facts(hashes, made, pointers(one, data), settings)


def pointers(one: Revision, paths: Iterable[str]) -> dict[str, str]:
    """The md5 that .dvc files name for these paths or for folders around them, where there are such files."""
    around = {path for whole in paths if not is_code(whole) for path in (whole, *above(whole))}
    found = {path: yaml_of(one, f"{path}.dvc") for path in sorted(around)}
    return {path: md5 for path, content in found.items() if (md5 := _pointed(content)) is not None}


def _pointed(content: Mapping[str, Any] | None) -> str | None:
    outs = (content or {}).get("outs")
    first = outs[0] if isinstance(outs, list) and outs else None
    return first.get("md5") if isinstance(first, dict) else None
