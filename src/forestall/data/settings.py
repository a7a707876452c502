"""Reading a YAML file of settings strictly: a typing error names the file, the key and what is allowed."""

import difflib
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from forestall.errors import SettingsError

Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """A part of a settings file in which a typing error is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def read_yaml(file: Path) -> dict[str, Any]:
    """The mapping in a YAML 1.2 file, as DVC reads it.

    Raises:
        SettingsError: the file is missing, is not YAML, or is not a mapping.
    """
    if not file.is_file():
        raise SettingsError(f"{file}: no such file. Check `data.dataset` in params.yaml, or write the file.")
    try:
        content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: not readable as YAML: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"{file}: expected `key: value` lines, found {type(content).__name__}.")
    return content


def validate(model: type[Model], content: dict[str, Any], file: Path) -> Model:
    """`content` as a `model`.

    Raises:
        SettingsError: one line for each key that is unknown, missing, or has a value that is not allowed.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = [_explain(detail, model, content) for detail in error.errors()]
        raise SettingsError("\n".join(f"{file}: {line}" for line in dict.fromkeys(lines))) from error


def _explain(detail: ErrorDetails, model: type[BaseModel], content: dict[str, Any]) -> str:
    path = _path(detail, content)
    key = ".".join(path) or "the file"
    if detail["type"] == "extra_forbidden":
        allowed = _keys_at(model, path[:-1])
        close = difflib.get_close_matches(path[-1], allowed, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"allowed: {', '.join(allowed)}."
        return f"{key}: unknown key; {hint}"
    if detail["type"] == "missing":
        return f"{key}: missing; add it."
    if detail["type"] == "value_error":
        return f"{key}: {detail['ctx']['error']}."
    return f"{key}: {detail['msg']}, found {detail['input']!r}."


def _path(detail: ErrorDetails, content: Any) -> list[str]:
    """Where an error stands, without pydantic's labels of a union's branches, which no file holds."""
    path: list[str] = []
    for part in detail["loc"]:
        if isinstance(part, int) or (isinstance(content, dict) and part in content):
            path.append(str(part))
            content = content[part]
    return [*path, str(detail["loc"][-1])] if detail["type"] == "missing" else path


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """The keys allowed at `path`: those of every model that an annotation on the way may hold."""
    models: list[type[BaseModel]] = [model]
    for part in path:
        annotations = [one.model_fields[part].annotation for one in models if part in one.model_fields]
        # A part that names no field is a key of a mapping or pydantic's label of a union's branch.
        models = [found for annotation in annotations for found in _models(annotation)] or models
    return sorted({key for one in models for key in one.model_fields})


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, Union, UnionType, dict, list):
        return [found for part in get_args(annotation) for found in _models(part)]
    return []
