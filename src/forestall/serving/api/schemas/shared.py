"""What several of the schemas share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from forestall.serving.opinions import Status
from forestall.serving.store.alarms import Finding, State

__all__ = ["TIME", "FieldProblem", "Finding", "Moment", "ProblemBody", "State", "Status", "Time", "about"]

TIME = "2024-12-30T12:00:00Z"


TIME_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}],
    "description": "RFC 3339 in UTC, or a whole count where the plant has a counter",
    "examples": [TIME],
}
Time = Annotated[str | int, WithJsonSchema(TIME_SCHEMA)]
Moment = Annotated[
    str, Field(json_schema_extra={"format": "date-time", "examples": [TIME]}, description="RFC 3339 in UTC")
]


def about(example: dict[str, Any], closed: bool = True) -> ConfigDict:
    """A model's settings: an example, and whether other keys are refused."""
    return ConfigDict(extra="forbid" if closed else "allow", json_schema_extra={"examples": [example]})


class FieldProblem(BaseModel):
    """One field that cannot be used."""

    field: str
    problem: str


class ProblemBody(BaseModel):
    """An error as RFC 9457 has it."""

    model_config = about(
        {
            "type": "about:blank",
            "title": "Unprocessable Content",
            "status": 422,
            "detail": "readings[3].vibration: 900.0 must be between 0 and 50; is its unit right?",
            "request_id": "3f9c1b2a77d0e514",
            "errors": [
                {
                    "field": "readings[3].vibration",
                    "problem": "900.0 must be between 0 and 50; is its unit right?",
                }
            ],
        }
    )
    type: str
    title: str
    status: int
    detail: str
    request_id: str = Field(description="under which the request stands in the service's log")
    errors: list[FieldProblem] = []
