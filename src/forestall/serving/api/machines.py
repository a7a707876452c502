"""The machines: the ranking, and all that is known of one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
import pandas as pd
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from forestall.data.clock import hour_of
from forestall.serving.api import schemas
from forestall.serving.api.access import Admin, Reader
from forestall.serving.api.attributes import attributes_of
from forestall.serving.api.body import read_body
from forestall.serving.api.cursors import cursor_of, place_of
from forestall.serving.api.json_response import as_json
from forestall.serving.api.logs import say
from forestall.serving.api.openapi import ASKING, SENDING, answers, body
from forestall.serving.api.opinion_json import opinion_json
from forestall.serving.api.problems import named, request_id_of, unfit
from forestall.serving.api.queries import MachinesQuery, Name, ReadingsQuery, unknown_machine
from forestall.serving.api.service import Serving, service_of
from forestall.serving.api.strict_json import loads
from forestall.serving.api.typed_columns import name_problem, ticks
from forestall.serving.opinions import Opinion
from forestall.serving.store.errors import StoreError
from forestall.serving.store.events import Happened, events_of, happened_since
from forestall.serving.store.machines import Machine, add_machines, latest_reading, machine_named
from forestall.serving.store.opinions import OpinionFilter, Point, opinions_about, ranked, trend
from forestall.serving.store.readings import recent
from forestall.serving.times import time_of

ROUTER = APIRouter(prefix="/v1/machines", tags=["machines"])
TREND = 4  # longest horizons
LAST = 2**62  # ticks


@ROUTER.get("", responses=answers(schemas.Ranking, *ASKING, 422))
async def list_machines(request: Request, query: Annotated[MachinesQuery, Query()], _: Reader) -> Response:
    """Machines and components, the highest risk first; what has no opinion comes last."""
    return as_json(await asyncio.to_thread(_ranking, service_of(request).serving, query))


@ROUTER.get("/{machine}", responses=answers(schemas.MachineBody, *ASKING, 404, 422))
async def get_machine(request: Request, machine: Name, _: Reader) -> Response:
    """All that is known of a machine; what is new of it is scored first."""
    return as_json(await asyncio.to_thread(_about, service_of(request).serving, machine))


@ROUTER.put(
    "/{machine}",
    status_code=200,
    responses=answers(schemas.MachineKnown, *ASKING, *SENDING, 507)
    | {201: {"model": schemas.MachineKnown, "description": "It is new."}},
    openapi_extra=body(schemas.MachineAttributes),
)
async def put_machine(request: Request, machine: Name, who: Admin) -> Response:
    """Make a new machine known, or replace what is said of a known one; what is left out is unknown."""
    sent, _ = await read_body(request)
    serving = service_of(request).serving
    attributes = attributes_of(loads(sent), serving.bundle)
    if (problem := name_problem(machine)) is not None:
        raise unfit([("machine", problem)])
    before = await asyncio.to_thread(_made_known, serving, machine, attributes)
    if before != attributes:
        what = "machine added" if before is None else "machine changed"
        say(what, machine=machine, by=who, request_id=request_id_of(request.scope))
    return as_json({"machine": machine, "attributes": attributes}, 201 if before is None else 200)


@ROUTER.get("/{machine}/readings", responses=answers(schemas.ReadingsPage, *ASKING, 404, 422))
async def get_readings(
    request: Request, machine: Name, query: Annotated[ReadingsQuery, Query()], _: Reader
) -> Response:
    """A machine's readings as they were sent, the earliest first."""
    return as_json(await asyncio.to_thread(_readings, service_of(request).serving, machine, query))


def _made_known(serving: Serving, name: str, attributes: dict[str, Any]) -> dict[str, Any] | None:
    """What was said of it before; None if it is new."""
    with serving.store.writing() as connection:
        before = machine_named(connection, name)
        add_machines(connection, {name: attributes})
    return None if before is None else before.attributes


def _ranking(serving: Serving, query: MachinesQuery) -> dict[str, Any]:
    place = place_of(query.order, query.cursor)
    wanted = OpinionFilter(query.status, query.component, query.min_risk, query.search)
    with serving.store.reading() as connection:
        if query.component is not None and query.component not in serving.bundle.components:
            raise unfit([("component", f"is none of {named(serving.bundle.components)}")])
        page = ranked(connection, wanted, query.order, query.limit, place)
        happened = happened_since(connection, _decided(page.opinions), _known_until(connection, serving))
    reference = serving.bundle.reference
    rows = [
        {"machine": one.machine, **opinion_json(one, happened.get((one.machine, one.component)), reference)}
        for one in page.opinions
    ]
    return {"machines": rows, "next": cursor_of(query.order, page.next)}


def _decided(opinions: Iterable[Opinion]) -> dict[tuple[str, str], int]:
    """By machine and component the time of the decision that an opinion is of."""
    return {(one.machine, one.component): one.time for one in opinions}


def _known_until(connection: Connection, serving: Serving) -> int:
    """Up to when events are known, in ticks. A recording's tables may go on after its readings: that is its future.

    The readings of the newest events may come a little later than these.
    """
    reference = serving.bundle.reference
    newest = latest_reading(connection)
    if serving.live.now is not None or reference.own_clocks or newest is None:
        return LAST
    return newest + reference.spans.stale


def _about(serving: Serving, name: str) -> dict[str, Any]:
    problem = _score(serving, name) if name.isprintable() else None
    reference = serving.bundle.reference
    with serving.store.reading() as connection:
        machine = machine_named(connection, name) if name.isprintable() else None
        if machine is None:
            raise unknown_machine(name)
        now = machine.last if serving.live.now is None or reference.own_clocks else serving.live.now()
        if serving.live.now is None and not reference.own_clocks:
            now = latest_reading(connection)
        opinions = opinions_about(connection, name)
        until = _known_until(connection, serving)
        events = events_of(connection, [name], serving.bundle, errors_after=LAST)
        happened = happened_since(connection, _decided(opinions), until)
        after = max((one.time for one in opinions), default=0) - TREND * reference.spans.horizon
        trends = {one.component: trend(connection, name, one.component, after) for one in opinions}
    replaced = events.maintenance[events.maintenance["time"] <= until]
    return {
        "machine": name,
        "attributes": machine.attributes,
        **_data(machine, now, serving),
        "scoring_problem": problem,
        "components": [
            _component(one, happened.get((name, one.component)), replaced, trends[one.component], serving)
            for one in opinions
        ],
        "model": serving.version,
    }


def _score(serving: Serving, name: str) -> str | None:
    """Bring a machine up to date; if the database cannot keep that, what was thought before is still an answer."""
    try:
        serving.live.score([name])
    except StoreError as error:
        say("not scored", logging.ERROR, machine=name, problem=str(error))
        return "The database did not take what is newly thought of it: these are earlier opinions."
    return None


def _data(machine: Machine, now: int | None, serving: Serving) -> dict[str, Any]:
    reference = serving.bundle.reference
    hour, unit = hour_of(reference.unit)
    times = [None if at is None else time_of(at, reference) for at in (machine.first, machine.last)]
    age = None if machine.last is None or now is None else max(0, now - machine.last) / hour
    return {
        "first_reading": times[0],
        "last_reading": times[1],
        "data_age": age if age is None else round(age, 2),
        "time_unit": unit,
    }


def _component(
    opinion: Opinion, happened: Happened | None, replaced: pd.DataFrame, points: list[Point], serving: Serving
) -> dict[str, Any]:
    reference = serving.bundle.reference
    times = replaced.loc[replaced["component"] == opinion.component, "time"]
    return {
        **opinion_json(opinion, happened, reference),
        "last_replacement": time_of(int(times.max()), reference) if len(times) else None,
        "trend": [
            {
                "time": time_of(point.time, reference),
                "risk": np.float32(point.curve[-1]) if point.curve else None,
            }
            for point in points
        ],
    }


def _readings(serving: Serving, name: str, query: ReadingsQuery) -> dict[str, Any]:
    reference = serving.bundle.reference
    (place,) = place_of("reading", query.cursor) or (-LAST,)
    after = place if query.after is None else max(place, ticks("after", query.after, reference.unit))
    until = LAST if query.until is None else ticks("until", query.until, reference.unit)
    with serving.store.reading() as connection:
        if not name.isprintable() or machine_named(connection, name) is None:
            raise unknown_machine(name)
        sensors, most = reference.sensors, query.limit + 1
        found = recent(connection, serving.store, [name], after, until, sensors, most)
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
