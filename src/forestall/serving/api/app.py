"""The application: routes, errors, and what runs beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from forestall.serving.api import problems
from forestall.serving.api.gate import Gate
from forestall.serving.api.predict import predict
from forestall.serving.api.service import Service


def create_app(service: Service) -> ASGIApp:
    """The service as an ASGI application."""
    app = FastAPI(
        title="Forestall", docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=_beside(service)
    )
    app.state.service = service
    problems.install(app)
    app.add_route("/predict", predict, methods=["POST"])
    app.add_api_route("/predict2", predict, methods=["POST"])
    return Gate(app, service.places)


def _beside(service: Service):
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(service.champion.watch())
        yield
        watching.cancel()

    return lifespan
