"""What OpenAPI says of a route beside its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from forestall.serving.api.access import WITHOUT_KEY
from forestall.serving.api.body import JSON
from forestall.serving.api.problem_json import MEDIA_TYPE

WHY = {
    400: "The body, or a header, is not in the form that it must have.",
    401: "No valid key.",
    403: "The key's role is too low.",
    404: "There is no such thing.",
    408: "The body did not come in time.",
    409: "It contradicts what is stored.",
    412: "It was changed since it was read: If-Match names another version.",
    413: "The body is too large.",
    415: "The body is of a type that is not understood here.",
    422: "A field cannot be used; `errors` names it.",
    428: "If-Match is missing.",
    429: "Too many requests; Retry-After says when to come back.",
    503: "No model, no database, or too many requests at once; Retry-After says when to come back.",
    507: "The database has no room left to write.",
}
ASKING, SENDING = (401, 403, 429, 503), (400, 408, 413, 415, 422)
KEYED: list[dict[str, list[str]]] = [{"bearer": []}, {"key": []}, {}]
SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`fst_<id>_<secret>`, from `forestall keys add`",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "the same, as a header of its own",
    },
}


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Errors of a route."""
    return _failures(statuses, MEDIA_TYPE, "ProblemBody")


def answers(ok: type[BaseModel] | Any, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answer of a route that went well, and its errors."""
    return {200: {"model": ok, "description": "OK"}} | problem_answers(*statuses)


def protocol_answers(ok: type[BaseModel] | Any, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same in the Open Inference Protocol, whose errors have another form, and no 422."""
    failures = _failures({*statuses} - {422}, "application/json", "InferenceError")
    return {200: {"model": ok, "description": "OK"}} | failures


def _failures(statuses: Iterable[int], kind: str, schema: str) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {status: {"description": WHY[status], "content": content} for status in sorted(statuses)}


def body(
    *models: type[BaseModel], lines: str = "", table: str = "", kinds: Sequence[str] = JSON
) -> dict[str, Any]:
    """The body of a route: one of the models as JSON, of any of the media types; the same as NDJSON and CSV where there
    are examples of them.
    """
    schemas = [schema_of(model) for model in models]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    content: dict[str, Any] = {kind: {"schema": schema} for kind in kinds}
    if lines:
        content["application/x-ndjson"] = {"schema": {"type": "string"}, "example": lines}
    if table:
        content["text/csv"] = {"schema": {"type": "string"}, "example": table}
    return {"requestBody": {"required": True, "content": content}}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """A reference to the model's schema among the components."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def completed(document: dict[str, Any], models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """FastAPI's document with the models' schemas as they are, and the ways to show a key."""
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    _, schemas = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    document["components"] = {"schemas": dict(sorted(schemas["$defs"].items())), "securitySchemes": SCHEMES}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None) if _is_fastapis(operation) else None
            if not path.startswith(WITHOUT_KEY):
                operation["security"] = KEYED
    return document


def _is_fastapis(operation: dict[str, Any]) -> bool:
    return "HTTPValidationError" in str(operation["responses"].get("422", ""))
