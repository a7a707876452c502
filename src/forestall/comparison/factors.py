"""What may have moved a metric, taken apart: which factor a file belongs to, and settings mixed of two revisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Literal

Factor = Literal["code", "params", "data", "environment"]
Settings = Mapping[str, Any]
FACTORS: tuple[Factor, ...] = ("code", "params", "data", "environment")
CODE_FILES = ("dvc.yaml", ".dvcignore")
PARAMS, ENVIRONMENT_LOCK, DATASETS = "params.yaml", "requirements/pipeline.txt", "data/raw"
# Of params.yaml: which tables, and how the simulated ones are made. They are the data, not the model.
DATA_SECTIONS = ("data", "simulate")
# Of a dataset file: mappings whose keys are the plant's names, not words of the code.
PLANT_SECTIONS = ("tables", "components")


def factor_of(path: str) -> Factor | None:
    """The factor of a file in Git; None for settings, whose keys belong to several, and for what no run reads."""
    if path == ENVIRONMENT_LOCK:
        return "environment"
    if path.startswith("src/") or path in CODE_FILES:
        return "code"
    if is_settings(path) or PurePosixPath(path).name == ".gitignore":
        return None
    return "data" if path.startswith("data/") or path.endswith(".dvc") else None


def is_settings(path: str) -> bool:
    """Whether it is params.yaml or a dataset file."""
    file = PurePosixPath(path)
    return path == PARAMS or (file.parent == PurePosixPath(DATASETS) and file.suffix == ".yaml")


def mixed(
    file: str, base: Settings, head: Settings, chosen: set[Factor], code_differs: bool
) -> dict[str, Any]:
    """The file's content with the chosen factors' part of it from head.

    If the code differs, it decides which keys there are, as a key that only one side knows would be refused by the
    other side's code; else all belongs to the values' own factor.
    """
    params, data = (head if factor in chosen else base for factor in ("params", "data"))
    values = dict(params)
    for section in DATA_SECTIONS if file == PARAMS else ():
        values.pop(section, None)
        values |= {section: data[section]} if section in data else {}
    if not code_differs:
        return values
    return _shaped(head if "code" in chosen else base, values, () if file == PARAMS else PLANT_SECTIONS)


def one_sided(file: str, base: Settings, head: Settings) -> list[str]:
    """Keys, joined by dots, that only one of both has: where the code differs they go with the code."""
    whole = () if file == PARAMS else PLANT_SECTIONS
    return sorted(_missing(base, head, whole)) + sorted(_missing(head, base, whole))


def _shaped(shape: Settings, values: Settings, whole: tuple[str, ...]) -> dict[str, Any]:
    """The keys of `shape`, with values from `values` where it has them; sections in `whole` keep their own keys."""
    found = {}
    for name, part in shape.items():
        other = values.get(name, part)
        both = isinstance(part, Mapping) and isinstance(other, Mapping)
        found[name] = _shaped(part, other, ()) if both and name not in whole else other
    return found


def _missing(of: Settings, other: Settings, whole: tuple[str, ...]) -> Iterator[str]:
    for name, part in of.items():
        if name not in other:
            yield name
        elif isinstance(part, Mapping) and isinstance(other[name], Mapping) and name not in whole:
            yield from (f"{name}.{key}" for key in _missing(part, other[name], ()))
