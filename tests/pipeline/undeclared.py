"""Settings of which all that a stage does not declare is other."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from forestall.data.dataset import Dataset
from forestall.pipeline.imports import MAIN
from forestall.pipeline.params import Params
from forestall.pipeline.stages import PARAMS, Stage
from tests.pipeline.edits import another, dump, leaves, load


def otherwise(stage: Stage, folder: Path) -> set[str]:
    """Change there what the stage is not handed, as far as it is allowed; returns the sections that are as before.

    Of dvc.yaml no other stage is left. In params.yaml and the dataset file each value outside the declared sections
    is another one, but for the dataset's name and what a check refuses, as of its clock's kind.
    """
    pipeline = load(folder / MAIN)
    pipeline["stages"] = {stage.name: pipeline["stages"][stage.name] | {"desc": "Other words"}}
    dump(pipeline, folder / MAIN)
    same = _change(folder / PARAMS, Params, stage.params.get(PARAMS, ()))
    for file in stage.params.keys() - {PARAMS}:
        same |= _change(folder / file, Dataset, stage.params[file])
    return same


def _change(file: Path, model: type[BaseModel], declared: tuple[str, ...]) -> set[str]:
    before = content = load(file)
    for way in leaves(content):
        tries = () if way[0] in declared else _with_others(content, way)
        content = next((one for one in tries if _allowed(one, model)), content)
    dump(content, file)
    return {name for name in before.keys() - {*declared} if content[name] == before[name]}


def _with_others(content: Any, way: tuple[Any, ...]) -> Iterator[Any]:
    """Copies of the content that have other values there."""
    *sections, last = way
    own = reduce(getitem, way, content)
    for value in (one for one in _others(own) if one != own):
        tried = copy.deepcopy(content)
        reduce(getitem, sections, tried)[last] = value
        yield tried


def _others(value: Any) -> Iterator[Any]:
    yield another(value)
    if isinstance(value, str):  # a span of time: one more, and twice as long
        yield re.sub(r"\d+", lambda number: str(int(number[0]) + 1), value)
        yield re.sub(r"\d+", lambda number: str(int(number[0]) * 2), value)


def _allowed(content: Any, model: type[BaseModel]) -> bool:
    try:
        model.model_validate(content)
    except ValidationError:
        return False
    return True
