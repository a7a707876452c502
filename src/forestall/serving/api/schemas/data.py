"""Readings and events as they are sent, and what becomes of them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from forestall.serving.api.schemas.shared import TIME, Time, about

READING = {
    "machine": "M00001",
    "time": TIME,
    "running": True,
    "vibration": 2.31,
    "temperature": 61.5,
    "load": 80.0,
}


ERROR = {"kind": "errors", "machine": "M00001", "time": TIME, "code": "E05"}


REPLACEMENT = {"kind": "maintenance", "machine": "M00001", "time": TIME, "component": "bearing"}


class Reading(BaseModel):
    """What a machine's sensors said at one time: beside these, a number or null for each sensor of the plant."""

    model_config = about(READING, closed=False)
    machine: str = Field(min_length=1, max_length=200)
    time: Time
    running: bool | None = None
    __pydantic_extra__: dict[str, float | None] = Field(init=False)


class Readings(BaseModel):
    """A batch of readings."""

    model_config = about({"readings": [READING]})
    readings: list[Reading]


class ReadingsPage(Readings):
    """A page of a machine's readings; `next` is the `cursor` of the next one."""

    model_config = about({"readings": [READING], "next": None})
    next: str | None


class Event(BaseModel):
    """A row of one of the small tables: errors (time, code), maintenance and failures (time, component), or downtime
    (start, end; without an end it goes on).
    """

    model_config = about(ERROR)
    kind: Literal["errors", "maintenance", "failures", "downtime"]
    machine: str = Field(min_length=1, max_length=200)
    time: Time | None = None
    code: str | None = None
    component: str | None = None
    start: Time | None = None
    end: Time | None = None


class Events(BaseModel):
    """A batch of events."""

    model_config = about({"events": [ERROR, REPLACEMENT]})
    events: list[Event]


class Accepted(BaseModel):
    """What became of a batch: `known` rows were stored before, or stood twice in it."""

    model_config = about({"received": 2, "new": 1, "known": 1})
    received: int
    new: int
    known: int
