"""Can the model be trusted? Its record on this plant, what an alarm budget comes to, and the model card."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from itertools import count

from fastapi import APIRouter, Request, Response
from markdown_it import MarkdownIt
from markupsafe import Markup

from forestall.serving.api.service import Service, service_of
from forestall.serving.page.charts import Spec, wide
from forestall.serving.page.formats import Formats
from forestall.serving.page.record_rows import ComponentRow, Record
from forestall.serving.page.record_tables import MODEL, RULE, read_record
from forestall.serving.page.render import PageRoute, html
from forestall.serving.page.visitor import Looking
from forestall.serving.page.words import say

ROUTER = APIRouter(prefix="/record", include_in_schema=False, route_class=PageRoute)
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
SCROLLS = '<div class="scroll inner" tabindex="0" role="region" aria-label="Table {}">'
HEADING = re.compile(r"<(/?)h([1-4])>")
OUTCOMES = ("caught", "missed", "false")


@ROUTER.get("")
async def show_record(request: Request, visitor: Looking) -> Response:
    """The whole page."""
    service = service_of(request)
    serving = service.serving
    record = await asyncio.to_thread(record_of, service)
    if record is None:
        return html(request, visitor, "record.html", record=None)
    formats = Formats(visitor.language, serving.bundle.reference)
    return html(
        request,
        visitor,
        "record.html",
        record=record,
        months=month_chart(record, formats) if record.months else None,
        same=record.is_of(serving.bundle.thresholds),
        card=card_html(record.card),
        model=MODEL,
        rule=RULE,
    )


def record_of(service: Service) -> Record | None:
    """The record, if there is one."""
    return None if service.record is None else read_record(service.record)


def how_sure(service: Service) -> Mapping[str, ComponentRow]:
    """How the served model's alarms did on the test fold, by component; empty where that is not known."""
    record, serving = record_of(service), service.serving
    return record.components if record and record.is_of(serving.bundle.thresholds) else {}


def month_chart(record: Record, formats: Formats) -> Spec:
    """Failures caught and missed, and false alarms, by month: the model beside the one-line rule."""
    names = {one: say(f"page.{one}", {}, formats.language) for one in (*OUTCOMES, MODEL, RULE)}
    values = [
        {
            "month": formats.month(one.month),
            "policy": names[one.policy],
            "outcome": names[outcome],
            "count": getattr(one, outcome),
            "order": place,
        }
        for one in record.months
        for place, outcome in enumerate(OUTCOMES)
        if getattr(one, outcome) is not None
    ]
    months = list(dict.fromkeys(formats.month(one.month) for one in record.months))
    labels = {"title": None, "labelAngle": 0}
    x = {"field": "month", "type": "nominal", "sort": months, "axis": labels, "scale": {"paddingInner": 0.25}}
    offset = {
        "field": "policy",
        "type": "nominal",
        "sort": [names[MODEL], names[RULE]],
        "scale": {"paddingInner": 0.08},
    }
    y = {"field": "count", "type": "quantitative", "axis": {"title": None, "tickCount": 5, "format": "d"}}
    scale = {"domain": [names[one] for one in OUTCOMES], "range": ["#009e73", "#d55e00", "#8a949a"]}
    color = {"field": "outcome", "type": "nominal", "title": None, "scale": scale}
    tooltip = [
        {"field": name, "title": say(f"page.{name}", {}, formats.language)}
        for name in ("month", "policy", "outcome", "count")
    ]
    encoding = {
        "x": x,
        "xOffset": offset,
        "y": y,
        "color": color,
        "order": {"field": "order", "type": "quantitative"},
        "tooltip": tooltip,
    }
    return wide(220, {"data": {"values": values}, "mark": {"type": "bar"}, "encoding": encoding})


def card_html(text: str) -> Markup:
    """Markdown without HTML of its own, its headings below the page's, its tables wide enough to scroll."""
    shown = MARKDOWN.render(text)
    shown = HEADING.sub(lambda found: f"<{found[1]}h{int(found[2]) + 1}>", shown)
    number = count(1)
    shown = re.sub("<table>", lambda _: f"{SCROLLS.format(next(number))}<table>", shown)
    return Markup(shown.replace("</table>", "</table></div>"))
