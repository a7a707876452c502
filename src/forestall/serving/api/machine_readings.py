"""The readings of one machine, as they were sent."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from forestall.serving.api import schemas
from forestall.serving.api.access import Reader
from forestall.serving.api.cursors import cursor_of, place_of
from forestall.serving.api.json_response import as_json
from forestall.serving.api.machines import find_machine
from forestall.serving.api.openapi import ASKING, answers
from forestall.serving.api.queries import Name, ReadingsQuery
from forestall.serving.api.service import Serving, service_of
from forestall.serving.api.typed_columns import ticks
from forestall.serving.store.readings import recent
from forestall.serving.times import time_of

ROUTER = APIRouter(tags=["machines"])


@ROUTER.get("/v1/machines/{machine}/readings", responses=answers(schemas.ReadingsPage, *ASKING, 404, 422))
async def get_readings(
    request: Request, machine: Name, query: Annotated[ReadingsQuery, Query()], _: Reader
) -> Response:
    """A machine's readings as they were sent, the earliest first."""
    return as_json(await asyncio.to_thread(_readings, service_of(request).serving, machine, query))


def _readings(serving: Serving, name: str, query: ReadingsQuery) -> dict[str, Any]:
    reference = serving.bundle.reference
    (place,) = place_of("reading", query.cursor) or (-(2**62),)
    after = place if query.after is None else max(place, ticks("after", query.after, reference.unit))
    until = 2**62 if query.until is None else ticks("until", query.until, reference.unit)
    with serving.store.reading() as connection:
        find_machine(connection, name)
        sensors, most = reference.sensors, query.limit + 1
        found = recent(connection, serving.store, [name], (after, until), sensors, most)
    frame = found.head(query.limit)
    moments = frame["time"].tolist()
    times = [time_of(at, reference) for at in moments]
    columns = {name: frame[name].to_numpy() for name in reference.sensors}
    return {
        "readings": [
            {
                "machine": name,
                "time": times[row],
                "running": bool(running),
                **{
                    sensor: None if np.isnan(values[row]) else float(values[row])
                    for sensor, values in columns.items()
                },
            }
            for row, running in enumerate(frame["running"].tolist())
        ],
        "next": cursor_of("reading", (moments[-1],) if len(found) > len(frame) else None),
    }
