"""How does the model do in service? What became of its alarms, what has changed, and what deserves a look."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from forestall.serving.api.service import service_of
from forestall.serving.api.watch import watch_of
from forestall.serving.page.charts import share_bars
from forestall.serving.page.formats import Formats
from forestall.serving.page.record import month_chart, own_record
from forestall.serving.page.render import PageRoute, html
from forestall.serving.page.service_view import service_view
from forestall.serving.page.visitor import Looking

ROUTER = APIRouter(prefix="/in-service", include_in_schema=False, route_class=PageRoute)


@ROUTER.get("")
async def show_in_service(request: Request, visitor: Looking) -> Response:
    """The whole page: what was found last, brought up to date first if that is due and does not take long."""
    service, watch = service_of(request), watch_of(request)
    serving = service.serving
    record = await asyncio.to_thread(own_record, service)
    await watch.state.refresh()
    view = service_view(service, serving, watch, record)
    formats = Formats(visitor.language, serving.bundle.reference)
    months = view.outcomes.months if view.outcomes else []
    return html(
        request,
        visitor,
        "in_service.html",
        view=view,
        months=month_chart(months, formats) if months else None,
        shares=share_bars(view.change.shares, visitor.language) if view.change else None,
        spans=serving.bundle.reference.spans,
    )
