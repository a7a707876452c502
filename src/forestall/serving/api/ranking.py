"""The ranking: every machine and component, the worst first."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from forestall.serving.api import schemas
from forestall.serving.api.access import Reader
from forestall.serving.api.cursors import cursor_of, place_of
from forestall.serving.api.json_response import as_json
from forestall.serving.api.openapi import ASKING, answers
from forestall.serving.api.opinion_json import opinion_json
from forestall.serving.api.problems import named, unfit
from forestall.serving.api.queries import MachinesQuery
from forestall.serving.api.service import Serving, service_of
from forestall.serving.store.events import happened_since
from forestall.serving.store.opinions import OpinionFilter, ranked

ROUTER = APIRouter(tags=["machines"])


@ROUTER.get("/v1/machines", responses=answers(schemas.Ranking, *ASKING, 422))
async def list_machines(request: Request, query: Annotated[MachinesQuery, Query()], _: Reader) -> Response:
    """Machines and components, the highest risk first; what has no opinion comes last."""
    return as_json(await asyncio.to_thread(_ranking, service_of(request).serving, query))


def _ranking(serving: Serving, query: MachinesQuery) -> dict[str, Any]:
    place = place_of(query.order, query.cursor)
    wanted = OpinionFilter(query.status, query.component, query.min_risk, query.search)
    if query.component is not None and query.component not in serving.bundle.components:
        raise unfit([("component", f"is none of {named(serving.bundle.components)}")])
    with serving.store.reading() as connection:
        page = ranked(connection, wanted, query.order, query.limit, place)
        happened = happened_since(connection, page.opinions, serving.live.known_until(connection))
    reference = serving.bundle.reference
    rows = [
        {"machine": one.machine, **opinion_json(one, happened.get((one.machine, one.component)), reference)}
        for one in page.opinions
    ]
    return {"machines": rows, "next": cursor_of(query.order, page.next)}
