"""One machine: made known, and all that is known of it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import numpy as np
import pandas as pd
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from forestall.data.clock import hour_of
from forestall.serving.api import schemas
from forestall.serving.api.access import Admin, Reader
from forestall.serving.api.attributes import attributes_of
from forestall.serving.api.body import read_body
from forestall.serving.api.json_response import as_json
from forestall.serving.api.logs import say
from forestall.serving.api.openapi import ASKING, SENDING, answers, body
from forestall.serving.api.opinion_json import opinion_json
from forestall.serving.api.problem_json import request_id_of
from forestall.serving.api.problems import Problem, unfit
from forestall.serving.api.queries import Name
from forestall.serving.api.service import Serving, service_of
from forestall.serving.api.strict_json import loads
from forestall.serving.api.typed_columns import name_problem
from forestall.serving.opinions import Opinion
from forestall.serving.store.errors import StoreError
from forestall.serving.store.events import Happened, events_of, happened_since
from forestall.serving.store.machines import Machine, add_machines, machine_named
from forestall.serving.store.opinions import Point, opinions_about, trends
from forestall.serving.times import time_of

ROUTER = APIRouter(prefix="/v1/machines/{machine}", tags=["machines"])
TREND = 4  # longest horizons


@ROUTER.get("", responses=answers(schemas.MachineBody, *ASKING, 404, 422))
async def get_machine(request: Request, machine: Name, _: Reader) -> Response:
    """All that is known of a machine; what is new of it is scored first."""
    return as_json(await asyncio.to_thread(_about, service_of(request).serving, machine))


@ROUTER.put(
    "",
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


def _made_known(serving: Serving, name: str, attributes: dict[str, Any]) -> dict[str, Any] | None:
    """What was said of it before; None if it is new."""
    with serving.store.writing() as connection:
        before = machine_named(connection, name)
        add_machines(connection, {name: attributes})
    return None if before is None else before.attributes


def find_machine(connection: Connection, name: str) -> Machine:
    """The machine of a name.

    Raises:
        Problem: 404.
    """
    # No database is asked for a name that none can hold.
    machine = machine_named(connection, name) if name.isprintable() else None
    if machine is None:
        raise Problem(404, f"There is no machine {name[:200]!r}.")
    return machine


def _about(serving: Serving, name: str) -> dict[str, Any]:
    problem = _score(serving, name) if name.isprintable() else None
    reference = serving.bundle.reference
    with serving.store.reading() as connection:
        machine = find_machine(connection, name)
        now = machine.last if reference.own_clocks else serving.live.time(connection)
        opinions = opinions_about(connection, name)
        until = serving.live.known_until(connection)
        events = events_of(connection, [name], serving.bundle, errors_after=2**62)
        happened = happened_since(connection, opinions, until)
        after = max((one.time for one in opinions), default=0) - TREND * reference.spans.horizon
        points = trends(connection, name, [one.component for one in opinions], after)
    replaced = events.maintenance[events.maintenance["time"] <= until]
    return {
        "machine": name,
        "attributes": machine.attributes,
        **_data(machine, now, serving),
        "scoring_problem": problem,
        "components": [
            _component(one, happened.get((name, one.component)), replaced, points[one.component], serving)
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
