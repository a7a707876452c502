"""Alarms, their changes, and who made them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from forestall.serving.api.schemas.shared import TIME, Finding, State, Time, about

ALARM = {
    "id": 17,
    "machine": "M00001",
    "component": "bearing",
    "opened": TIME,
    "ended": None,
    "end_reason": None,
    "risk": 0.461,
    "threshold": 0.289,
    "raised_at": "2024-12-30T12:00:04Z",
    "state": "open",
    "finding": None,
    "assignee": "",
    "note": "",
    "version": 1,
}


class AlarmBody(BaseModel):
    """An alarm. `opened`, `ended` and `end_reason` are by the rules; `state` and what follows it is people's."""

    model_config = about(ALARM)
    id: int
    machine: str
    component: str
    opened: Time
    ended: Time | None
    end_reason: Literal["replaced", "failed", "quiet", "horizon over", "withdrawn"] | None
    risk: float
    threshold: float
    raised_at: str
    state: State
    finding: Finding | None
    assignee: str
    note: str
    version: int


class Alarms(BaseModel):
    """A page of alarms; `next` goes into `after` of the next one."""

    model_config = about({"alarms": [ALARM], "next": None})
    alarms: list[AlarmBody]
    next: int | None


class ChangeBody(BaseModel):
    """What is to be different. Closing needs a finding; `confirmed` and `replaced unseen` need when (`found`)."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"state": "acknowledged", "assignee": "Jo"},
                {
                    "state": "closed",
                    "finding": "confirmed",
                    "found": "2024-12-31T08:00:00Z",
                    "replaced": True,
                },
            ]
        },
    )
    state: State | None = None
    finding: Finding | None = None
    found: Time | None = None
    replaced: bool = False
    assignee: str | None = Field(None, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
    note: str | None = Field(None, max_length=4000, pattern=r"^[^\x00]*$")


class EntryBody(BaseModel):
    """One change: when, by which key, and what it was before and after."""

    at: str
    who: str
    before: dict[str, Any]
    after: dict[str, Any]
    note: str


class Audit(BaseModel):
    """All changes of an alarm, the first one first."""

    model_config = about(
        {
            "changes": [
                {
                    "at": TIME,
                    "who": "Jo's tablet",
                    "before": {"state": "open"},
                    "after": {"state": "acknowledged"},
                    "note": "",
                }
            ]
        }
    )
    changes: list[EntryBody]
