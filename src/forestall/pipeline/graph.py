"""Whether stages fit together: DVC runs none if two make the same file, or some wait for each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from forestall.errors import ForestallError
from forestall.pipeline.stages import Stage, above
from forestall.pipeline.staleness import Pipeline


def check_graph(pipelines: Iterable[Pipeline]) -> None:
    """Look at all of them as one graph.

    Raises:
        ForestallError: outputs overlap, or stages wait for each other.
    """
    stages = {(one.file, name): stage for one in pipelines for name, stage in one.stages.items()}
    makers: dict[str, tuple[str, str]] = {}
    for key, stage in stages.items():
        for path in stage.outs:
            if makers.setdefault(path, key) != key:
                raise ForestallError(
                    f"{path} is made by {makers[path][1]} and by {key[1]}: DVC runs neither."
                )
    for path, key in makers.items():
        if around := next((folder for folder in above(path) if folder in makers), None):
            raise ForestallError(
                f"{path}, which {key[1]} makes, lies in {around}, which {makers[around][1]} makes: DVC runs neither."
            )
    try:
        TopologicalSorter({key: _needed(stage, makers) for key, stage in stages.items()}).prepare()
    except CycleError as error:
        names = " <- ".join(name for _, name in error.args[1])
        raise ForestallError(f"Stages wait for each other, so that DVC runs none: {names}") from error


def _needed(stage: Stage, makers: Mapping[str, tuple[str, str]]) -> set[tuple[str, str]]:
    """The stages that make what a stage reads, what lies around it, or in it."""
    read = {*stage.deps, *stage.params}
    around = {folder for path in read for folder in (path, *above(path)) if folder in makers}
    within = {path for path in makers if not read.isdisjoint(above(path))}
    return {makers[path] for path in around | within}
