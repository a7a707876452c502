"""Readings and events in: a batch is stored as a whole, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from fastapi import APIRouter, Request, Response

from forestall.data.events import absent_pairs
from forestall.serving.api import schemas
from forestall.serving.api.access import Writer
from forestall.serving.api.batches import events_of, readings_of
from forestall.serving.api.body import read_body
from forestall.serving.api.json_response import as_json
from forestall.serving.api.openapi import ASKING, SENDING, answers, body
from forestall.serving.api.problems import Problem, unfit
from forestall.serving.api.rows import TYPES, Rows, read_rows
from forestall.serving.api.service import Serving, service_of
from forestall.serving.store.events import add_events
from forestall.serving.store.machines import UnknownMachineError, latest_reading, machines_frame
from forestall.serving.store.readings import Added, OtherReadingError, Readings, add_readings
from forestall.serving.times import latest, time_of

ROUTER = APIRouter(prefix="/v1", tags=["data"])
UNKNOWN = "correct it, or make a new machine known with PUT /v1/machines/{machine}"
ERRORS = (*ASKING, *SENDING, 409, 507)
LEAP = 30  # days


@ROUTER.post(
    "/readings",
    responses=answers(schemas.Accepted, *ERRORS),
    openapi_extra=body(
        schemas.Readings,
        lines='{"machine":"M00001","time":"2024-12-30T12:00:00Z","vibration":2.31}\n',
        table="machine,time,vibration,temperature\nM00001,2024-12-30T12:00:00Z,2.31,61.5\n",
    ),
)
async def post_readings(request: Request, _: Writer) -> Response:
    """Store readings, in any order. What is stored already is counted and changes nothing."""
    return await _stored(request, "readings", _add_readings)


@ROUTER.post(
    "/events",
    responses=answers(schemas.Accepted, *(status for status in ERRORS if status != 409)),
    openapi_extra=body(
        schemas.Events,
        lines='{"kind":"errors","machine":"M00001","time":"2024-12-30T12:00:00Z","code":"E05"}\n',
        table="kind,machine,time,component\nmaintenance,M00001,2024-12-30T12:00:00Z,bearing\n",
    ),
)
async def post_events(request: Request, _: Writer) -> Response:
    """Store errors, replacements, failures and stops."""
    return await _stored(request, "events", _add_events)


async def _stored(request: Request, what: str, add: Callable[[Rows, Serving], Added]) -> Response:
    content, kind = await read_body(request, TYPES)
    serving = service_of(request).serving

    def store() -> dict[str, int]:
        rows = read_rows(content, kind, what)
        try:
            added = add(rows, serving)
        except UnknownMachineError as error:
            row = rows.column("machine").index(error.machine)
            raise unfit(
                [(rows.field(row, "machine"), f"{error.machine!r} is not known; {UNKNOWN}")]
            ) from None
        except OtherReadingError as error:
            problem = (
                "the reading of this machine and time has other values; send all values of a time in one row"
            )
            field = rows.field(error.row, "time")
            raise Problem(409, f"{field}: {problem}. Nothing was stored.", [(field, problem)]) from None
        return {"received": rows.count, "new": added.new, "known": added.known}

    return as_json(await asyncio.to_thread(store))


def _add_readings(rows: Rows, serving: Serving) -> Added:
    reference = serving.bundle.reference
    batch = readings_of(rows, serving.bundle, latest(reference))
    with serving.store.writing() as connection:
        if serving.live.now is None and not reference.own_clocks:
            _refuse_leap(rows, batch, latest_reading(connection), serving)
        return add_readings(connection, serving.store, batch, reference)


def _refuse_leap(rows: Rows, batch: Readings, newest: int | None, serving: Serving) -> None:
    """Refuse a reading that would move a recording's time by more than LEAP: one wrong clock, and the fleet is stale.

    Raises:
        Problem: 422.
    """
    later = np.unique(batch.time[batch.time > newest]) if newest is not None else batch.time[:0]
    leaps = np.flatnonzero(np.diff(later, prepend=newest or 0) > LEAP * 86400)
    if len(leaps):
        at, place = later[leaps[0]], leaps[0]
        before = time_of(int(later[place - 1]) if place else newest or 0, serving.bundle.reference)
        problem = (
            f"more than {LEAP} days after the fleet's latest reading, {before}, at which a recording stands; "
            "send what lies between first"
        )
        raise unfit([(rows.field(int(np.argmax(batch.time == at)), "time"), problem)])


def _add_events(rows: Rows, serving: Serving) -> Added:
    reference = serving.bundle.reference
    frames = events_of(rows, serving.bundle, latest(reference))
    with serving.store.writing() as connection:
        added = [
            add_events(connection, serving.store, kind, frame, reference) for kind, frame in frames.items()
        ]
        names = [name for name in dict.fromkeys(rows.column("machine")) if name is not None]
        absent = absent_pairs(machines_frame(connection, names, serving.bundle), serving.bundle.plant.dataset)
        _refuse_absent(rows, absent)
    return Added(sum(one.new for one in added), sum(one.known for one in added))


def _refuse_absent(rows: Rows, absent: set[tuple[str, str]]) -> None:
    """Refuse components that their machines do not have; what the transaction did is undone.

    Raises:
        Problem: 422.
    """
    pairs = zip(rows.column("machine"), rows.column("component"), strict=True)
    faults = [
        (rows.field(row, "component"), f"machine {machine!r} has no component {component!r}")
        for row, (machine, component) in enumerate(pairs)
        if (machine, component) in absent
    ]
    if faults:
        raise unfit(faults)
