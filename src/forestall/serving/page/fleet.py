"""The first page: the fleet at a glance, and its machines by what they need."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from forestall.data.clock import is_counter
from forestall.serving.api.cursors import cursor_of, place_of
from forestall.serving.api.queries import PLAIN
from forestall.serving.api.service import Serving, service_of
from forestall.serving.opinions import Opinion, Status
from forestall.serving.page.advice import waiting_cost
from forestall.serving.page.charts import WEEK, alarm_load
from forestall.serving.page.render import HEADERS, PageRoute, html
from forestall.serving.page.visitor import Looking, Watching
from forestall.serving.reasons import Reason
from forestall.serving.store.alarms import Alarm, standing_alarms
from forestall.serving.store.events import Happened, happened_since
from forestall.serving.store.machines import Machine, known_machines
from forestall.serving.store.opinions import OpinionFilter, ranked
from forestall.serving.store.summary import Summary, newest, summary_of

ROUTER = APIRouter(include_in_schema=False, route_class=PageRoute)
ROWS = 40
TELLING = 0.2  # a smaller share of a low risk is not worth a line


class FleetQuery(BaseModel):
    """Which opinions are shown, and in which order; what is not understood is not asked for."""

    search: str = Field("", max_length=200, pattern=PLAIN)
    status: Status | Literal[""] = ""
    component: str = Field("", max_length=200, pattern=PLAIN)
    order: Literal["risk", "soon", "machine"] = "risk"
    cursor: str | None = Field(None, max_length=2000)

    @property
    def asks(self) -> bool:
        """Whether it is for a part of the fleet only."""
        return bool(self.search or self.status or self.component)


@dataclass(frozen=True)
class Row:
    """A part of a machine as the list shows it.

    waiting: what waiting over the shortest horizon is expected to cost; None without a risk, and for a part that is
    another one by now. age: of the machine's data, in ticks; None if that is not known.
    """

    opinion: Opinion
    alarm: Alarm | None
    happened: Happened | None
    waiting: float | None
    age: int | None

    @property
    def reason(self) -> Reason | None:
        """The main one, if there is an alarm or it makes a good part of the risk."""
        main = next(iter(self.opinion.reasons), None)
        return main if main and (self.opinion.alarm or main.share > TELLING) else None


@dataclass(frozen=True)
class Rows:
    """A page of the list, and where the next one begins."""

    rows: list[Row]
    next: str | None


@ROUTER.get("/")
async def show_fleet(request: Request, query: Annotated[FleetQuery, Query()], visitor: Looking) -> Response:
    """The whole page."""
    serving = service_of(request).serving
    rows, summary, now, seen = await asyncio.to_thread(_whole, serving, query)
    about = _about(serving, query, rows)
    by_week = now is not None and not is_counter(serving.bundle.reference.unit)
    load = alarm_load(summary.raised, now or 0, visitor.language) if by_week else None
    return html(request, visitor, "fleet.html", summary=summary, now=now, load=load, seen=seen, **about)


@ROUTER.get("/fleet/rows")
async def show_rows(request: Request, query: Annotated[FleetQuery, Query()], visitor: Looking) -> Response:
    """The list alone, or its next rows."""
    serving = service_of(request).serving
    rows = await asyncio.to_thread(_listed, serving, query)
    template = "fleet_more.html" if query.cursor else "fleet_rows.html"
    response = html(request, visitor, template, **_about(serving, query, rows))
    if not query.cursor:
        response.headers["HX-Replace-Url"] = f"/?{request.url.query}"  # so that a reload shows the same
    return response


@ROUTER.get("/fleet/news")
async def show_news(
    request: Request, visitor: Watching, seen: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """A word if the list has changed since it was seen; else nothing."""
    serving = service_of(request).serving

    def read() -> str:
        with serving.store.reading() as connection:
            return newest(connection)

    if await asyncio.to_thread(read) == seen:
        return Response(status_code=204, headers=HEADERS)
    return html(request, visitor, "fleet_news.html")


def _about(serving: Serving, query: FleetQuery, rows: Rows) -> dict[str, Any]:
    return {
        "query": query,
        "rows": rows,
        "components": serving.bundle.components,
        "spans": serving.bundle.reference.spans,
    }


def _whole(serving: Serving, query: FleetQuery) -> tuple[Rows, Summary, int | None, str]:
    with serving.store.reading() as connection:
        now = serving.live.time(connection)
        summary = summary_of(connection, WEEK, now or 0)
        return _rows(connection, serving, query, now), summary, now, newest(connection)


def _listed(serving: Serving, query: FleetQuery) -> Rows:
    with serving.store.reading() as connection:
        return _rows(connection, serving, query, serving.live.time(connection))


def _rows(connection: Connection, serving: Serving, query: FleetQuery, now: int | None) -> Rows:
    wanted = OpinionFilter(query.status or None, query.component or None, None, query.search)
    place = place_of(query.order, query.cursor)
    page = ranked(connection, wanted, query.order, ROWS, place)
    machines = known_machines(connection, sorted({one.machine for one in page.opinions}))
    standing = standing_alarms(connection, [machine.number for machine in machines.values()])
    happened = happened_since(connection, page.opinions, serving.live.known_until(connection))
    rows = [
        _row(one, machines[one.machine], standing, happened.get((one.machine, one.component)), serving, now)
        for one in page.opinions
    ]
    return Rows(rows, cursor_of(query.order, page.next))


def _row(
    opinion: Opinion,
    machine: Machine,
    standing: dict[tuple[int, str], Alarm],
    happened: Happened | None,
    serving: Serving,
    now: int | None,
) -> Row:
    reference, costs = serving.bundle.reference, serving.bundle.plant.dataset.costs
    waiting = None
    if opinion.curve and happened is None:
        waiting = waiting_cost(opinion, reference.spans.horizons[0], reference.spans, costs)
    clock = machine.last if reference.own_clocks else now
    age = None if machine.last is None or clock is None else max(0, clock - machine.last)
    return Row(opinion, standing.get((machine.number, opinion.component)), happened, waiting, age)
