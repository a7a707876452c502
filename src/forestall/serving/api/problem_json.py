"""A problem as the API says it: RFC 9457's problem+json, or as the Open Inference Protocol has it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Response
from starlette.types import Scope

from forestall.serving.api.problems import Problem

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
# As RFC 9110 has them: some of http's are another with another Python.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


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


def request_id_of(scope: Scope) -> str:
    """The id under which the request stands in the log."""
    return str(scope.get("request_id", ""))
