"""Alarms, their changes, and who made them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from forestall.serving.api.schemas.shared import TIME, Finding, Moment, State, Time, about

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
    """An alarm; its ETag is its `version` in quotes. `opened`, `ended` and `end_reason` are by the rules; `state` and
    what follows it is people's.
    """

    model_config = about(ALARM)
    id: int
    machine: str
    component: str
    opened: Time
    ended: Time | None
    end_reason: Literal["replaced", "failed", "quiet", "horizon over", "withdrawn"] | None
    risk: float
    threshold: float
    raised_at: Moment
    state: State
    finding: Finding | None
    assignee: str
    note: str
    version: int


class Alarms(BaseModel):
    """A page of alarms; `next` is the `cursor` of the next one."""

    model_config = about({"alarms": [ALARM], "next": "WyJhbGFybSIsMTdd"})
    alarms: list[AlarmBody]
    next: str | None


class ChangeBody(BaseModel):
    """What is to be different. Closing needs a finding; `confirmed` and `replaced unseen` need when (`found`).

    `no fault found` of a part that failed during the alarm needs a `note` that says how that can be. null empties
    `assignee` and `note`, and leaves all else as it is.
    """

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
    replaced: bool | None = None
    assignee: str | None = Field(None, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
    note: str | None = Field(None, max_length=4000, pattern=r"^[^\x00]*$")


class EntryBody(BaseModel):
    """One change: when, by which key, and what it was before and after. `after` has also what a finding says of the
    part: when it was `found`, whether it was `replaced`, and when it `failed` if no fault was found all the same.
    """

    at: Moment
    who: str
    before: dict[str, Any]
    after: dict[str, Any]
    note: str


class Audit(BaseModel):
    """A page of an alarm's changes, the first one first; `next` is the `cursor` of the next page."""

    model_config = about(
        {
            "changes": [
                {
                    "at": TIME,
                    "who": "Jo's tablet",
                    "before": {"state": "open"},
                    "after": {"state": "acknowledged"},
                    "note": "",
                },
                {
                    "at": "2024-12-31T08:20:00Z",
                    "who": "Jo's tablet",
                    "before": {"state": "acknowledged", "finding": None, "found": None, "replaced": None},
                    "after": {
                        "state": "closed",
                        "finding": "confirmed",
                        "found": "2024-12-31T08:00:00Z",
                        "replaced": True,
                    },
                    "note": "",
                },
            ],
            "next": None,
        }
    )
    changes: list[EntryBody]
    next: str | None
