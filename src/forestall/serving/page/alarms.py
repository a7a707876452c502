"""Alarms: those that want somebody, and one of them with all that people made of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from forestall.serving.api.cursors import cursor_of, place_of
from forestall.serving.api.problems import Problem
from forestall.serving.api.queries import PLAIN, AlarmId
from forestall.serving.api.service import Serving, service_of
from forestall.serving.opinions import Opinion
from forestall.serving.page.alarm_form import Form, Refusal, change_of, refusal_of
from forestall.serving.page.forms import form_of
from forestall.serving.page.record import how_sure
from forestall.serving.page.render import HEADERS, PageRoute, html, is_fragment, path_of
from forestall.serving.page.visitor import Acting, Looking, Visitor, check_form
from forestall.serving.store.alarm_changes import (
    ContradictionError,
    RefusedChangeError,
    StaleAlarmError,
    change_alarm,
)
from forestall.serving.store.alarms import (
    STATES,
    Alarm,
    AlarmFilter,
    Entry,
    State,
    UnknownAlarmError,
    audit_of,
    get_alarm,
    list_alarms,
)
from forestall.serving.store.opinions import opinions_about

T = TypeVar("T")
ROUTER = APIRouter(prefix="/alarms", include_in_schema=False, route_class=PageRoute)
ROWS = 40
Shown = Literal["todo", "over", "closed", "all"]
# What people made of the alarms of each list, and whether the rules have ended them.
LISTS: dict[Shown, tuple[tuple[State, ...], bool | None]] = {
    "todo": (STATES[:-1], False),
    "over": (STATES[:-1], True),
    "closed": (STATES[-1:], None),
    "all": (STATES, None),
}


class AlarmsQuery(BaseModel):
    """Which alarms are listed."""

    show: Shown = "todo"
    machine: str = Field("", max_length=200, pattern=PLAIN)
    cursor: str | None = Field(None, max_length=2000)


@dataclass(frozen=True)
class AlarmView:
    """An alarm as its page shows it: what is thought of the part now, and who changed what, the first first."""

    alarm: Alarm
    opinion: Opinion | None
    trail: list[Entry]


@ROUTER.get("")
async def show_alarms(request: Request, query: Annotated[AlarmsQuery, Query()], visitor: Looking) -> Response:
    """The list, the newest first; or its next rows."""
    serving = service_of(request).serving
    (after,) = place_of("alarm", query.cursor) or (None,)
    states, ended = LISTS[query.show]
    wanted = AlarmFilter(states, query.machine or None, ended=ended)

    def read() -> tuple[list[Alarm], str | None]:
        with serving.store.reading() as connection:
            page = list_alarms(connection, wanted, ROWS, after)
        return page.alarms, cursor_of("alarm", None if page.next is None else (page.next,))

    rows, following = await asyncio.to_thread(read)
    template = "alarms_more.html" if is_fragment(request) and query.cursor else "alarms.html"
    return html(request, visitor, template, query=query, rows=rows, next=following, shown=list(LISTS))


@ROUTER.get("/{id}")
async def show_alarm(request: Request, number: AlarmId, visitor: Looking) -> Response:
    """One alarm."""
    serving = service_of(request).serving
    return await _shown(request, serving, number, visitor)


@ROUTER.post("/{id}")
async def change(request: Request, number: AlarmId, visitor: Acting) -> Response:
    """Acknowledge it, take it on, close it. The form says which version was read: a later one is not overwritten."""
    service = service_of(request)
    serving, form = service.serving, await form_of(request)
    reference = serving.bundle.reference
    try:
        check_form(form, visitor)
        wanted, version = change_of(form, visitor.person, int(time.time()), reference)

        def write() -> Alarm:
            with serving.store.writing() as connection:
                return change_alarm(connection, serving.store, number, (version,), wanted, reference)

        await asyncio.to_thread(_known, write)
    except (StaleAlarmError, RefusedChangeError, ContradictionError, Problem) as error:
        refused = refusal_of(error, form)
        return await _shown(request, serving, number, visitor, refused)
    if is_fragment(request):
        return await _shown(request, serving, number, visitor, kept=_unsent(form))
    return RedirectResponse(path_of("alarms", number), 303, HEADERS)


async def _shown(
    request: Request,
    serving: Serving,
    number: int,
    visitor: Visitor,
    refused: Refusal | None = None,
    kept: Form | None = None,
) -> Response:
    view = await asyncio.to_thread(_known, lambda: _view(serving, number))
    template = "alarm_body.html" if is_fragment(request) else "alarm.html"
    status = refused.status if refused else 200
    sure = (await asyncio.to_thread(how_sure, service_of(request))).get(view.alarm.component)
    about = {"refused": refused, "done": kept is not None, "sent": refused.sent if refused else kept or {}}
    return html(request, visitor, template, status, view=view, sure=sure, **about)


def _unsent(form: Form) -> Form:
    """What was filled in for another act than the one that was done: to close, while the note was saved."""
    return {name: form[name] for name in ("finding", "found", "replaced") if name in form}


def _view(serving: Serving, number: int) -> AlarmView:
    with serving.store.reading() as connection:
        alarm = get_alarm(connection, number)
        opinions = opinions_about(connection, alarm.machine)
        trail = audit_of(connection, number)
    opinion = next((one for one in opinions if one.component == alarm.component), None)
    return AlarmView(alarm, opinion, trail)


def _known(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except UnknownAlarmError as error:
        raise Problem(404, str(error)) from None
