"""Query parameters and path parameters: an unknown or repeated one is an error, not ignored."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from forestall.serving.api.schemas import State, Status
from forestall.serving.api.schemas.shared import TIME_SCHEMA
from forestall.serving.store.opinions import By

PLAIN = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[
    str,
    BeforeValidator(unquote),  # what `paths` left
    Path(min_length=1, max_length=200, description="the machine's name", examples=["M00001"]),
]
AlarmId = Annotated[int, Path(alias="id", ge=1, lt=2**31, description="the alarm's `id`", examples=[17])]
QueryTime = Annotated[str | None, WithJsonSchema(TIME_SCHEMA)]


class Query(BaseModel):
    """Closed, so that a typing error is not taken for nothing."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Query):
    """A page of a list: `next` of one page is the `cursor` of the next."""

    limit: int = Field(50, ge=1, le=500, description="how many of the list in one page at most")
    cursor: str | None = Field(
        None, max_length=2000, description="`next` of the page before", examples=["WyJhbGFybSIsMTdd"]
    )


class MachinesQuery(PageQuery):
    """Which opinions are listed, and in which order."""

    search: str = Field(
        "", max_length=200, pattern=PLAIN, description="a part of the machine's name", examples=["M0001"]
    )
    status: Status | None = None
    component: str | None = Field(None, max_length=200, pattern=PLAIN, examples=["bearing"])
    min_risk: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    order: By = Field(
        "risk",
        description="the highest risk over the longest horizon first (`risk`), over the shortest (`soon`: what waiting "
        "costs soonest), or by name (`machine`)",
    )


class ReadingsQuery(PageQuery):
    """Which readings of a machine."""

    after: QueryTime = Field(None, max_length=40, description="later than this; without it, from the first")
    until: QueryTime = Field(None, max_length=40, description="not later than this")
    limit: int = Field(500, ge=1, le=5000, description="how many of the list in one page at most")


class AlarmsQuery(PageQuery):
    """Which alarms; the newest first."""

    state: list[State] = Field(default=[], max_length=4, description="any of these; without, all")
    machine: str | None = Field(None, max_length=200, pattern=PLAIN, examples=["M00001"])
    component: str | None = Field(None, max_length=200, pattern=PLAIN, examples=["bearing"])
    ended: bool | None = Field(None, description="whether the rules have ended them")
