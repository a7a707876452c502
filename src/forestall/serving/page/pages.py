"""All routes of the pages, and the page of an address where there is none."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from forestall.serving.api.problems import Problem
from forestall.serving.page import alarms, fleet, in_service, machine, record, sign_in, static_files
from forestall.serving.page.render import error_page

ROUTERS = tuple(part.ROUTER for part in (fleet, machine, alarms, record, in_service, sign_in, static_files))
PROGRAMS = ("/v1/", "/v2/", "/health/", "/predict", "/static/")  # what is below answers programs only


def install(app: FastAPI) -> None:
    """Add the routes; who browses to an address where there is nothing gets a page, all others what they got."""
    for router in ROUTERS:
        app.include_router(router)
    answer = app.exception_handlers[HTTPException]

    async def of_http(request: Request, error: Exception) -> Response:
        browses = "text/html" in request.headers.get("accept", "")
        nowhere = isinstance(error, HTTPException) and error.status_code == 404
        if nowhere and browses and not request.url.path.startswith(PROGRAMS):
            return error_page(request, Problem(404, f"There is nothing at {request.url.path[:200]}."))
        response: Response = answer(request, error)  # type: ignore[assignment]
        return response

    app.add_exception_handler(HTTPException, of_http)
