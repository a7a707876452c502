"""Can the model be trusted? Its record on this plant, what an alarm budget comes to, and the model card."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from itertools import count

from fastapi import APIRouter, Request, Response
from markdown_it import MarkdownIt
from markupsafe import Markup

from forestall.serving.api.service import Service, service_of
from forestall.serving.page.charts import Spec, wide
from forestall.serving.page.formats import Formats
from forestall.serving.page.record_rows import ComponentRow, Month, Record
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
        months=month_chart(record.months, formats) if record.months else None,
        same=record.is_of(serving.bundle.thresholds),
        card=card_html(record.card),
        model=MODEL,
        rule=RULE,
    )


def record_of(service: Service) -> Record | None:
    """The record, if there is one."""
    return None if service.record is None else read_record(service.record)


def own_record(service: Service) -> Record | None:
    """The record, if it is of the model that is served."""
    record = record_of(service)
    return record if record and record.is_of(service.serving.bundle.thresholds) else None


def how_sure(service: Service) -> Mapping[str, ComponentRow]:
    """How the served model's alarms did on the test fold, by component; empty where that is not known."""
    record = own_record(service)
    return record.components if record else {}


def month_chart(months: Sequence[Month], formats: Formats) -> Spec:
    """Failures caught and missed, and false alarms, by month; where it is of several policies, these beside another."""
    policies = list(dict.fromkeys(one.policy for one in months))
    names = {one: say(f"page.{one}", {}, formats.language) for one in (*OUTCOMES, *policies)}
    values = [
        {
            "month": formats.month(one.month),
            "policy": names[one.policy],
            "outcome": names[outcome],
            "count": getattr(one, outcome),
            "order": place,
        }
        for one in months
        for place, outcome in enumerate(OUTCOMES)
        if getattr(one, outcome) is not None
    ]
    shown = list(dict.fromkeys(formats.month(one.month) for one in months))
    labels = {"title": None, "labelAngle": 0}
    x = {"field": "month", "type": "nominal", "sort": shown, "axis": labels, "scale": {"paddingInner": 0.25}}
    y = {"field": "count", "type": "quantitative", "axis": {"title": None, "tickCount": 5, "format": "d"}}
    scale = {"domain": [names[one] for one in OUTCOMES], "range": ["#009e73", "#d55e00", "#8a949a"]}
    color = {"field": "outcome", "type": "nominal", "title": None, "scale": scale}
    order = {"field": "order", "type": "quantitative"}
    encoding: Spec = {"x": x, "y": y, "color": color, "order": order}
    encoding["tooltip"] = _tooltip(len(policies) > 1, formats.language)
    if len(policies) > 1:
        encoding["xOffset"] = {
            "field": "policy",
            "type": "nominal",
            "sort": [names[one] for one in policies],
            "scale": {"paddingInner": 0.08},
        }
    return wide(220, {"data": {"values": values}, "mark": {"type": "bar"}, "encoding": encoding})


def _tooltip(several: bool, language: str) -> list[Spec]:
    names = [name for name in ("month", "policy", "outcome", "count") if several or name != "policy"]
    return [{"field": name, "title": say(f"page.{name}", {}, language)} for name in names]


def card_html(text: str) -> Markup:
    """Markdown without HTML of its own, its headings below the page's, its tables wide enough to scroll."""
    shown = MARKDOWN.render(text)
    shown = HEADING.sub(lambda found: f"<{found[1]}h{int(found[2]) + 1}>", shown)
    number = count(1)
    shown = re.sub("<table>", lambda _: f"{SCROLLS.format(next(number))}<table>", shown)
    return Markup(shown.replace("</table>", "</table></div>"))
