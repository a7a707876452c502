"""Is the process alive, and can it be asked? Neither needs a key, and neither says anything of the inside."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from forestall.data.clock import is_counter
from forestall.serving.api import schemas
from forestall.serving.api.json_response import as_json
from forestall.serving.api.openapi import answers
from forestall.serving.api.problems import Problem
from forestall.serving.api.service import Service, Serving, service_of
from forestall.serving.store.errors import StoreError
from forestall.serving.store.machines import latest_reading
from forestall.serving.times import time_of

ROUTER = APIRouter(prefix="/health", tags=["health"])


@ROUTER.get("/live", responses=answers(schemas.Alive))
async def live() -> Response:
    """The process answers."""
    return as_json({"status": "alive"})


@ROUTER.get("/ready", responses=answers(schemas.Ready, 503))
async def ready(request: Request) -> Response:
    """There is a model, the database answers, and the readings are not stale."""
    return as_json(await asyncio.to_thread(_ready, service_of(request)))


def _ready(service: Service) -> dict[str, object]:
    serving = service.champion.serving
    if serving is None:
        raise _not_ready("model", "there is none, or it was refused; the log says why")
    try:
        with serving.store.reading() as connection:
            last = latest_reading(connection)
    except StoreError:
        raise _not_ready("store", "the database does not answer") from None
    if (problem := _stale(last, serving)) is not None:
        raise _not_ready("readings", problem)
    reference = serving.bundle.reference
    return {
        "status": "ready",
        "model": serving.version,
        "refused": bool(service.champion.refused),
        "full": serving.store.condition.full,
        "latest": None if last is None else time_of(last, reference),
    }


def _stale(last: int | None, serving: Serving) -> str | None:
    """A fleet without any reading is new, not stale; machines with clocks of their own have no common now."""
    reference = serving.bundle.reference
    if last is None or serving.live.now is None or is_counter(reference.unit):
        return None
    stale = serving.live.now() - last > reference.spans.stale
    return f"the latest is of {time_of(last, reference)}: stale" if stale else None


def _not_ready(field: str, problem: str) -> Problem:
    return Problem(503, f"Not ready: {field}: {problem}.", [(field, problem)], {"Retry-After": "5"})
