"""Every error that leaves a route is answered as a problem: the service's own, the framework's, the database's."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from forestall.serving.api.logs import say
from forestall.serving.api.problem_json import answer, request_id_of
from forestall.serving.api.problems import Problem, in_words, named, unfit
from forestall.serving.store.errors import StoreBusyError, StoreError, StoreFullError

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def install(app: FastAPI) -> None:
    """Turn every error that leaves a handler into a problem."""
    app.add_exception_handler(Problem, _own)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(StoreError, _of_store)
    app.add_exception_handler(Exception, _unexpected)


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
    assert isinstance(error, StoreError)
    return answer(store_problem(error, request.scope), request.scope)


def store_problem(error: StoreError, scope: Scope) -> Problem:
    """The database's state is no fault of the request: it is worth sending again, but for a full disk."""
    headers = {"Retry-After": "1" if isinstance(error, StoreBusyError) else "5"}
    full = isinstance(error, StoreFullError)
    # What the driver says may name a path or an address: it stands in the log.
    say("store", logging.ERROR, request_id=request_id_of(scope), problem=str(error))
    return Problem(507 if full else 503, str(error).partition(" (")[0], (), headers)


def unexpected(scope: Scope) -> Response:
    """500. What is wrong stands in the log, and is nobody else's business."""
    detail = f"The service failed. Its log says more, under request {request_id_of(scope)}."
    return answer(Problem(500, detail), scope)


def _unexpected(request: Request, _: Exception) -> Response:
    return unexpected(request.scope)


def _field(location: Sequence[int | str]) -> str:
    """`("query", "state", 0)` as `state`."""
    return ".".join(part for part in location[1:] if isinstance(part, str)) or str(location[0])
