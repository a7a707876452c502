"""What is known of failures and replacements, as the plant's own tables have it, for retraining."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Path, Request, Response

from forestall.data.clock import is_counter
from forestall.data.tables import TimedTable
from forestall.serving.api.access import Reader
from forestall.serving.api.openapi import ASKING, problem_answers
from forestall.serving.api.service import Serving, service_of
from forestall.serving.bundle import Bundle
from forestall.serving.store.events import EventRecord, event_records

Table = Annotated[Literal["failures", "maintenance"], Path(examples=["failures"])]
ROUTER = APIRouter(prefix="/v1/export", tags=["data"])
EXAMPLE = "machine,time,component,source\nM00001,2024-07-10 11:51:00,bearing,feedback\n"
OK: dict[int | str, dict[str, Any]] = {
    200: {"description": "OK", "content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}}}
}


@ROUTER.get("/{table}", responses={**OK, **problem_answers(*ASKING, 422)}, response_class=Response)
async def export(request: Request, table: Table, _: Reader) -> Response:
    """A table as CSV in UTF-8, with the dataset file's columns; `source` tells the plant's rows from feedback."""
    text = await asyncio.to_thread(_csv, service_of(request).serving, table)
    return Response(text, media_type="text/csv; charset=utf-8")


def _csv(serving: Serving, kind: Literal["failures", "maintenance"]) -> str:
    said = getattr(serving.bundle.plant.dataset.tables, kind)
    # A plant may have none, or failures that are the last rows of histories.
    table = said if isinstance(said, TimedTable) else None
    out = io.StringIO()
    writer = csv.writer(out, delimiter=table.separator if table else ",", lineterminator="\n")
    columns = [getattr(table, name, None) or name for name in ("machine", "time", "component")]
    writer.writerow([*columns, "source"])
    with serving.store.reading() as connection:
        writer.writerows(_row(one, table, serving.bundle) for one in event_records(connection, kind))
    return out.getvalue()


def _row(one: EventRecord, table: TimedTable | None, bundle: Bundle) -> list[str | int]:
    if is_counter(bundle.reference.unit):
        return [one.machine, one.time, one.component, one.source]
    pattern = table.time_format if table else None
    moment = pd.Timestamp(one.time, unit="s").strftime(pattern or "%Y-%m-%d %H:%M:%S")
    return [one.machine, moment, one.component, one.source]
