"""Alarms: what people make of them, and who changed what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import ValidationError

from forestall.features.reference import Reference
from forestall.serving.api import schemas
from forestall.serving.api.access import Reader, Writer
from forestall.serving.api.alarm_json import alarm_json, entry_json
from forestall.serving.api.body import read_body
from forestall.serving.api.cursors import cursor_of, place_of
from forestall.serving.api.etags import etag_of, versions_of
from forestall.serving.api.json_response import as_json
from forestall.serving.api.openapi import ASKING, SENDING, answers, body
from forestall.serving.api.problems import Problem, misfit, named, unfit
from forestall.serving.api.queries import AlarmId, AlarmsQuery, PageQuery
from forestall.serving.api.service import Serving, service_of
from forestall.serving.api.strict_json import loads
from forestall.serving.api.typed_columns import ticks
from forestall.serving.store.alarm_changes import (
    Change,
    ContradictionError,
    RefusedChangeError,
    StaleAlarmError,
    change_alarm,
)
from forestall.serving.store.alarms import (
    STATES,
    Alarm,
    AlarmFilter,
    UnknownAlarmError,
    audit_of,
    get_alarm,
    list_alarms,
)
from forestall.serving.store.machines import machine_named
from forestall.serving.times import latest, time_of

T = TypeVar("T")
ROUTER = APIRouter(prefix="/v1/alarms", tags=["alarms"])
EMPTIED = ("assignee", "note")  # by null
TYPES = ("application/json", "application/merge-patch+json")


@ROUTER.get("", responses=answers(schemas.Alarms, *ASKING, 422))
async def get_alarms(request: Request, query: Annotated[AlarmsQuery, Query()], _: Reader) -> Response:
    """Alarms, the newest first."""
    return as_json(await asyncio.to_thread(_listed, service_of(request).serving, query))


@ROUTER.get("/{id}", responses=answers(schemas.AlarmBody, *ASKING, 404, 422))
async def get_one(request: Request, number: AlarmId, _: Reader) -> Response:
    """One alarm; its ETag is what a change sends as If-Match."""
    serving = service_of(request).serving

    def read() -> Alarm:
        with serving.store.reading() as connection:
            return get_alarm(connection, number)

    return _answer(await asyncio.to_thread(_known, read, serving), serving.bundle.reference)


@ROUTER.patch(
    "/{id}",
    responses=answers(schemas.AlarmBody, *ASKING, *SENDING, 404, 409, 412, 428, 507),
    openapi_extra=body(schemas.ChangeBody, kinds=TYPES),
)
async def patch_one(
    request: Request,
    number: AlarmId,
    who: Writer,
    _: Annotated[
        str | None,
        Header(alias="If-Match", description="the ETag of the alarm as it was read, or *", examples=['"1"']),
    ] = None,
) -> Response:
    """Acknowledge an alarm, take it on, close it with what was found. A finding becomes rows for retraining."""
    sent, _kind = await read_body(request, TYPES)
    versions = versions_of(request.headers.getlist("if-match"))
    serving = service_of(request).serving
    reference = serving.bundle.reference
    change = _change(loads(sent), who, reference)

    def write() -> Alarm:
        with serving.store.writing() as connection:
            return change_alarm(connection, serving.store, number, versions, change, reference)

    return _answer(await asyncio.to_thread(_known, write, serving), reference)


@ROUTER.get("/{id}/audit", responses=answers(schemas.Audit, *ASKING, 404, 422))
async def get_audit(
    request: Request, number: AlarmId, query: Annotated[PageQuery, Query()], _: Reader
) -> Response:
    """Every change of an alarm, the first one first."""
    serving = service_of(request).serving
    return as_json(await asyncio.to_thread(_known, lambda: _audit(serving, number, query), serving))


def _listed(serving: Serving, query: AlarmsQuery) -> dict[str, Any]:
    reference, bundle = serving.bundle.reference, serving.bundle
    (after,) = place_of("alarm", query.cursor) or (None,)
    wanted = AlarmFilter(query.state or STATES, query.machine, query.component, query.ended)
    with serving.store.reading() as connection:
        if query.machine is not None and machine_named(connection, query.machine) is None:
            raise unfit([("machine", f"{query.machine!r} is not known")])
        page = list_alarms(connection, wanted, query.limit, after)
    # An alarm may be of a component that an earlier bundle knew.
    if query.component is not None and query.component not in bundle.components and not page.alarms:
        raise unfit([("component", f"is none of {named(bundle.components)}")])
    place = None if page.next is None else (page.next,)
    rows = [alarm_json(alarm, reference) for alarm in page.alarms]
    return {"alarms": rows, "next": cursor_of("alarm", place)}


def _audit(serving: Serving, number: int, query: PageQuery) -> dict[str, Any]:
    (after,) = place_of("change", query.cursor) or (None,)
    with serving.store.reading() as connection:
        found = audit_of(connection, number, query.limit + 1, after)
    entries, more = found[: query.limit], len(found) > query.limit
    rows = [entry_json(entry, serving.bundle.reference) for entry in entries]
    return {"changes": rows, "next": cursor_of("change", (entries[-1].id,) if more else None)}


def _known(ask: Callable[[], T], serving: Serving) -> T:
    """What the store says, its refusals as problems.

    Raises:
        Problem: 404, 409, 412 or 422.
    """
    try:
        return ask()
    except UnknownAlarmError as error:
        raise Problem(404, str(error)) from None
    except StaleAlarmError as error:
        raise Problem(412, str(error), headers={"ETag": etag_of(error.now)}) from None
    except ContradictionError as error:
        raise _contradiction(time_of(error.failed, serving.bundle.reference)) from None
    except RefusedChangeError as error:
        raise unfit([(error.field, str(error))]) from None


def _contradiction(failed: str | int) -> Problem:
    problem = (
        f"The part failed during this alarm, at {failed}. If that is the fault, close the alarm as 'confirmed' with "
        f"`found` {failed}; if not, say in `note` how that can be."
    )
    return Problem(409, problem, [("finding", problem)])


def _change(content: Any, who: str, reference: Reference) -> Change:
    try:
        asked = schemas.ChangeBody.model_validate(content)
    except ValidationError as error:
        raise misfit(error) from None
    found_at = None if asked.found is None else ticks("found", asked.found, reference.unit, latest(reference))
    assignee, note = ("" if content.get(name, "") is None else getattr(asked, name) for name in EMPTIED)
    at, replaced = int(time.time()), bool(asked.replaced)
    return Change(who, at, asked.state, asked.finding, found_at, replaced, assignee, note)


def _answer(alarm: Alarm, reference: Reference) -> Response:
    return as_json(alarm_json(alarm, reference), headers={"ETag": etag_of(alarm.version)})
