"""One machine: what is thought of its parts and why, what to do, and all that happened, on one time line."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from forestall.data.clock import is_counter
from forestall.serving.api.machines import find_machine
from forestall.serving.api.queries import Name
from forestall.serving.api.service import Serving, service_of
from forestall.serving.api.typed_columns import ticks
from forestall.serving.page.charts import Weeks
from forestall.serving.page.machine_charts import risk_chart, sensor_charts, time_line
from forestall.serving.page.machine_view import Part, view_of, weeks_of
from forestall.serving.page.record import how_sure
from forestall.serving.page.render import PageRoute, html
from forestall.serving.page.visitor import Looking
from forestall.serving.patterns import SimilarFailure
from forestall.serving.sensor_history import SensorHistory, sensor_history
from forestall.serving.similar import similar_failures

ROUTER = APIRouter(prefix="/machines/{machine}", include_in_schema=False, route_class=PageRoute)
POINTS = 320  # of each sensor's plot
Visit = Annotated[str, Query(max_length=40)]
Component = Annotated[str, Query(max_length=200)]


@ROUTER.get("")
async def show_machine(request: Request, machine: Name, visitor: Looking, visit: Visit = "") -> Response:
    """The whole page but for what takes longer, which it asks for itself."""
    about = await _judged(request, machine, visit)
    plots: dict[str, Any] = {
        "risks": risk_chart(about["view"]),
        "line": time_line(about["view"], visitor.language),
    }
    return html(request, visitor, "machine.html", **about, **plots)


@ROUTER.get("/advice")
async def show_advice(request: Request, machine: Name, visitor: Looking, visit: Visit = "") -> Response:
    """The parts alone, with advice for another day of the next visit."""
    return html(request, visitor, "machine_parts.html", **await _judged(request, machine, visit))


@ROUTER.get("/sensors")
async def show_sensors(request: Request, machine: Name, visitor: Looking) -> Response:
    """The sensors' last weeks beside what is normal."""
    serving = service_of(request).serving
    weeks, history = await asyncio.to_thread(_sensors, serving, machine)
    charts = [] if history is None else sensor_charts(weeks, history, serving.bundle, visitor.language)
    return html(request, visitor, "machine_sensors.html", charts=charts, history=history)


@ROUTER.get("/similar")
async def show_similar(request: Request, machine: Name, visitor: Looking, component: Component) -> Response:
    """Past failures of a part before which the model saw the most similar things."""
    serving = service_of(request).serving
    found = await asyncio.to_thread(_similar, serving, machine, component)
    return html(request, visitor, "machine_similar.html", found=found)


@ROUTER.get("/card")
async def show_card(request: Request, machine: Name, visitor: Looking, component: Component = "") -> Response:
    """A work card to print: of one part, or of all that are in alarm."""
    serving = service_of(request).serving
    view = await asyncio.to_thread(view_of, serving, machine, None)
    parts = [part for part in view.parts if component in ("", part.opinion.component)]
    reference = serving.bundle.reference
    wanted: list[Part] = [part for part in parts if component or part.opinion.alarm]
    return html(
        request, visitor, "card.html", view=view, parts=wanted, spans=reference.spans, reference=reference
    )


async def _judged(request: Request, name: str, visit: str) -> dict[str, Any]:
    """What the machine's parts are shown with."""
    service = service_of(request)
    serving, reference = service.serving, service.serving.bundle.reference
    view = await asyncio.to_thread(view_of, serving, name, _visit(visit, serving))
    sure = await asyncio.to_thread(how_sure, service)
    return {"view": view, "spans": reference.spans, "sure": sure, "reference": reference}


def _visit(text: str, serving: Serving) -> int | None:
    """The day of the next visit, at noon; or a count."""
    unit = serving.bundle.reference.unit
    if not text:
        return None
    return ticks("visit", text if is_counter(unit) else f"{text}T12:00:00Z", unit)


def _sensors(serving: Serving, name: str) -> tuple[Weeks, SensorHistory | None]:
    with serving.store.reading() as connection:
        machine = find_machine(connection, name)
        weeks = weeks_of(connection, serving, machine)
        if weeks.now is None or machine.first is None:
            return weeks, None
        length = weeks.now - weeks.since
        return weeks, sensor_history(connection, serving.live, machine, weeks.now, length, POINTS)


def _similar(serving: Serving, name: str, component: str) -> list[SimilarFailure]:
    with serving.store.reading() as connection:
        find_machine(connection, name)
        return similar_failures(connection, serving.live, serving.past, name).get(component, [])
