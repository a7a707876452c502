"""The application: routes, errors, and what runs beside them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from forestall.serving.api import (
    alarms,
    exception_handlers,
    export,
    health,
    inference,
    ingest,
    machine_readings,
    machines,
    metrics,
    predict,
    ranking,
    schemas,
)
from forestall.serving.api.middleware import RequestMiddleware
from forestall.serving.api.openapi import completed
from forestall.serving.api.scoring import score_again
from forestall.serving.api.service import Service
from forestall.serving.page import pages

ABOUT = """\
Readings in, risk out. Errors are RFC 9457 problems that name the field. Times are RFC 3339 in UTC; a plant whose
tables are in its own wall clock sends and reads that, marked Z. The names of machines, sensors, components and codes
are the plant's, here those of the simulated fleet.
"""
PARTS = (predict, ingest, ranking, machines, machine_readings, alarms, export, health, metrics, inference)


def create_app(service: Service) -> RequestMiddleware:
    """The service as an ASGI application."""
    app = application()
    app.state.service = service
    metrics.install(app, service)
    app.router.lifespan_context = _beside(service)
    return RequestMiddleware(predict.Shortcut(app), service.concurrency, service.counters)


def application() -> FastAPI:
    """The routes and what OpenAPI says of them; it answers once it has a service."""
    app = FastAPI(
        title="Forestall",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    exception_handlers.install(app)
    for part in PARTS:
        app.include_router(part.ROUTER)
    pages.install(app)
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            made = get_openapi(
                title="Forestall", version=version("forestall"), description=ABOUT, routes=app.routes
            )
            document.update(completed(made, _models()))
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's manual has it
    return app


def _models() -> list[type[BaseModel]]:
    """All that the schemas describe."""
    named = [getattr(schemas, name) for name in schemas.__all__]
    return [one for one in named if isinstance(one, type) and issubclass(one, BaseModel)]


def openapi_text() -> str:
    """The document as its file in docs/reference holds it."""
    return json.dumps(application().openapi(), indent=1, ensure_ascii=False) + "\n"


def _beside(service: Service) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        work = (service.champion.watch(), service.shadow.challenger.watch(), score_again(service))
        tasks = [asyncio.create_task(one) for one in work]
        service.shadow.begin()
        yield
        service.shadow.end()
        for task in tasks:
            task.cancel()

    return lifespan
