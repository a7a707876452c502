"""Alarms: what people make of them, and who changed what."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import ValidationError

from forestall.features.reference import Reference
from forestall.serving.api import schemas
from forestall.serving.api.access import Reader, Writer
from forestall.serving.api.body import read_body
from forestall.serving.api.json_response import as_json
from forestall.serving.api.openapi import ASKING, SENDING, answers, body
from forestall.serving.api.problems import Problem, misfit, unfit
from forestall.serving.api.queries import AlarmsQuery, Number
from forestall.serving.api.service import Serving, service_of
from forestall.serving.api.strict_json import loads
from forestall.serving.api.typed_columns import ticks
from forestall.serving.store.alarm_changes import Change, RefusedChangeError, StaleAlarmError, change_alarm
from forestall.serving.store.alarms import STATES, Alarm, UnknownAlarmError, audit_of, get_alarm, list_alarms
from forestall.serving.times import latest, time_of

ROUTER = APIRouter(prefix="/v1/alarms", tags=["alarms"])
ETAG = re.compile(r'"(\d{1,9})"')


@ROUTER.get("", responses=answers(schemas.Alarms, *ASKING, 422))
async def get_alarms(request: Request, query: Annotated[AlarmsQuery, Query()], _: Reader) -> Response:
    """Alarms, the newest first."""
    return as_json(await asyncio.to_thread(_listed, service_of(request).serving, query))


@ROUTER.get("/{number}", responses=answers(schemas.AlarmBody, *ASKING, 404, 422))
async def get_one(request: Request, number: Number, _: Reader) -> Response:
    """One alarm; its ETag is what a change sends as If-Match."""
    serving = service_of(request).serving

    def read() -> Alarm:
        with serving.store.reading() as connection:
            return get_alarm(connection, number)

    return _answer(await asyncio.to_thread(_known, read), serving.bundle.reference)


@ROUTER.patch(
    "/{number}",
    responses=answers(schemas.AlarmBody, *ASKING, *SENDING, 404, 412, 428, 507),
    openapi_extra=body(schemas.ChangeBody),
)
async def patch_one(
    request: Request,
    number: Number,
    who: Writer,
    if_match: Annotated[str | None, Header(description="the ETag of the alarm as it was read")] = None,
) -> Response:
    """Acknowledge an alarm, take it on, close it with what was found. A finding becomes rows for retraining."""
    sent, _ = await read_body(request)
    if if_match is None:
        raise Problem(428, "Send the alarm's ETag as If-Match, so that nobody's change is lost.")
    match = ETAG.fullmatch(if_match.strip())
    serving = service_of(request).serving
    change = _change(loads(sent), serving.bundle.reference)

    def write() -> Alarm:
        version = int(match[1]) if match else -1
        with serving.store.writing() as connection:
            return change_alarm(
                connection,
                serving.store,
                number,
                version,
                change,
                who,
                int(time.time()),
                serving.bundle.reference,
            )

    return _answer(await asyncio.to_thread(_known, write), serving.bundle.reference)


@ROUTER.get("/{number}/audit", responses=answers(schemas.Audit, *ASKING, 404, 422))
async def get_audit(request: Request, number: Number, _: Reader) -> Response:
    """Every change of an alarm, the first one first."""
    serving = service_of(request).serving

    def read() -> list[dict[str, Any]]:
        with serving.store.reading() as connection:
            return [vars(entry) | {"at": _moment(entry.at)} for entry in audit_of(connection, number)]

    return as_json({"changes": await asyncio.to_thread(_known, read)})


def _listed(serving: Serving, query: AlarmsQuery) -> dict[str, Any]:
    reference = serving.bundle.reference
    with serving.store.reading() as connection:
        page = list_alarms(
            connection,
            query.limit,
            query.state or STATES,
            query.machine,
            query.component,
            query.ended,
            query.after,
        )
    return {"alarms": [_alarm_json(alarm, reference) for alarm in page.alarms], "next": page.next}


def _known(ask: Any) -> Any:
    """What the store says, its refusals as problems.

    Raises:
        Problem: 404, 412 or 422.
    """
    try:
        return ask()
    except UnknownAlarmError as error:
        raise Problem(404, str(error)) from None
    except StaleAlarmError as error:
        raise Problem(412, str(error), headers={"ETag": f'"{error.now}"'}) from None
    except RefusedChangeError as error:
        raise unfit([(error.field, str(error))]) from None


def _change(content: Any, reference: Reference) -> Change:
    try:
        asked = schemas.ChangeBody.model_validate(content)
    except ValidationError as error:
        raise misfit(error) from None
    found_at = None if asked.found is None else ticks("found", asked.found, reference.unit, latest(reference))
    return Change(asked.state, asked.finding, found_at, asked.replaced, asked.assignee, asked.note)


def _answer(alarm: Alarm, reference: Reference) -> Response:
    return as_json(_alarm_json(alarm, reference), headers={"ETag": f'"{alarm.version}"'})


def _alarm_json(alarm: Alarm, reference: Reference) -> dict[str, Any]:
    ended = None if alarm.ended is None else time_of(alarm.ended, reference)
    times = {
        "opened": time_of(alarm.opened, reference),
        "ended": ended,
        "raised_at": _moment(alarm.raised_at),
    }
    return vars(alarm) | times


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
