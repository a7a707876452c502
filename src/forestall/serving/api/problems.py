"""Errors as RFC 9457 problem+json, every one of them: the service's own, FastAPI's and those of the server."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from forestall.serving.api.logs import say
from forestall.serving.store.errors import StoreBusyError, StoreError, StoreFullError

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS, MOST_NAMES = 20, 30
# What pydantic finds, in the words of the other problems.
WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "greater_than": "must be more than {gt}",
    "less_than": "must be less than {lt}",
    "too_short": "must hold at least {min_length}",
    "too_long": "must hold at most {max_length} items",
    "string_too_long": "must have at most {max_length} characters",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# As RFC 9110 has them: some of http's are another with another Python.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class Problem(Exception):  # noqa: N818
    """An answer that is an error.

    Args:
        status: HTTP status.
        detail: what is wrong and what to do about it, one or two sentences.
        errors: pairs of the field, such as `readings[3].vibration`, and what is wrong with it.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = (
            status,
            detail,
            list(errors),
            dict(headers or {}),
        )


def unfit(errors: Sequence[tuple[str, str]]) -> Problem:
    """422 for fields that were read and cannot be used; the first of them stand in the answer."""
    field, what = errors[0]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem(422, sentence(f"{field}: {what}{more}"), errors)


def misfit(error: ValidationError, known: Mapping[str, Collection[str]] | None = None) -> Problem:
    """422 for what pydantic found.

    Args:
        known: by the body's field, the names that may stand in it.
    """
    errors = []
    for one in error.errors(include_url=False, include_input=False):
        names = (known or {}).get(str(one["loc"][0])) if len(one["loc"]) > 1 else None
        extra = one["type"] == "extra_forbidden" and names is not None
        problem = f"is not known here; known are {named(names or ())}" if extra else in_words(one)
        errors.append((field_name(one["loc"]), problem))
    return unfit(errors)


def in_words(found: Mapping[str, Any]) -> str:
    """What pydantic found, without its name for a field: an input."""
    context = {
        name: f"{value:g}" if type(value) is float else value for name, value in found.get("ctx", {}).items()
    }
    words = WORDS.get(found["type"])
    return str(found["msg"]) if words is None else words.format_map(context)


def sentence(text: str) -> str:
    """With a full stop, if it does not end like a sentence."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def named(names: Collection[str]) -> str:
    """Names as an error lists them: not a thousand."""
    some = list(names)[:MOST_NAMES]
    return ", ".join(some) + (f" and {len(names) - len(some)} more" if len(names) > len(some) else "")


def answer(problem: Problem, scope: Scope) -> Response:
    """The problem as the response to a request."""
    if is_inference(scope["path"]):
        # The protocol knows no 422.
        status = 400 if problem.status == 422 else problem.status
        return Response(orjson.dumps({"error": problem.detail}), status, problem.headers, "application/json")
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(problem.status) or HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id_of(scope),
    }
    if problem.errors:
        shown = problem.errors[:MOST_ERRORS]
        content["errors"] = [{"field": field, "problem": what} for field, what in shown]
    return Response(orjson.dumps(content), problem.status, problem.headers, MEDIA_TYPE)


def is_inference(path: str) -> bool:
    """Whether it is one of the Open Inference Protocol, which has errors of its own form."""
    return path == "/v2" or path.startswith("/v2/")


def install(app: FastAPI) -> None:
    """Turn every error that leaves a handler into a problem."""
    app.add_exception_handler(Problem, _own)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(StoreError, _of_store)
    app.add_exception_handler(Exception, _unexpected)


def request_id_of(scope: Scope) -> str:
    """The id under which the request stands in the log."""
    return str(scope.get("request_id", ""))


def _own(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error, request.scope)


def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    details = {
        404: f"There is nothing at {request.url.path}; /openapi.json lists what there is.",
        405: f"{request.method} is not possible at {request.url.path}.",
    }
    detail = details.get(error.status_code, str(error.detail))
    headers = {"Allow": _methods(request)} if error.status_code == 405 else error.headers
    return answer(Problem(error.status_code, detail, (), headers), request.scope)


def _methods(request: Request) -> str:
    """Those of all routes of this path; the framework names those of the first."""
    routes, scope = request.app.routes, request.scope
    tried = {
        method: [route.matches({**scope, "method": method})[0] for route in routes] for method in METHODS
    }
    return ", ".join(method for method, found in tried.items() if Match.FULL in found)


def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = []
    for one in error.errors():
        known = _parameters(request) if one["type"] == "extra_forbidden" else ()
        errors.append((_field(one["loc"]), f"{in_words(one)}{'; known are ' if known else ''}{named(known)}"))
    return answer(unfit(errors), request.scope)


def _parameters(request: Request) -> list[str]:
    """Those of the query that the route has."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    models = [] if dependant is None else [one.field_info.annotation for one in dependant.query_params]
    return [name for model in models for name in getattr(model, "model_fields", {})]


def _of_store(request: Request, error: Exception) -> Response:
    """The database's state is no fault of the request: it is worth sending again, but for a full disk."""
    headers = {"Retry-After": "1" if isinstance(error, StoreBusyError) else "5"}
    full = isinstance(error, StoreFullError)
    # What the driver says may name a path or an address: it stands in the log.
    say("store", logging.ERROR, request_id=request_id_of(request.scope), problem=str(error))
    problem = Problem(507 if full else 503, str(error).partition(" (")[0], (), headers)
    return answer(problem, request.scope)


def unexpected(scope: Scope) -> Response:
    """500. What is wrong stands in the log, and is nobody else's business."""
    detail = f"The service failed. Its log says more, under request {request_id_of(scope)}."
    return answer(Problem(500, detail), scope)


def _unexpected(request: Request, _: Exception) -> Response:
    return unexpected(request.scope)


def _field(location: Sequence[int | str]) -> str:
    """`("query", "state", 0)` as `state`."""
    return ".".join(part for part in location[1:] if isinstance(part, str)) or str(location[0])


def field_name(location: Sequence[int | str]) -> str:
    """`("readings", 3, "vibration")` as `readings[3].vibration`."""
    name = ""
    for part in location:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name[:200] or "body"
