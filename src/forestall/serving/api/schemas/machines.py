"""What is thought of machines and their components."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from forestall.serving.api.schemas.shared import TIME, Status, Time, about

REASON = {
    "source": "vibration",
    "share": 0.82,
    "text": "vibration 2.4 sd above this machine's normal for 31 h",
    "feature": "vibration.own.24h",
    "value": 4.1,
    "healthy": 2.8,
    "unit": "mm/s",
}


OPINION = {
    "component": "bearing",
    "status": "alarm",
    "status_reason": None,
    "time": TIME,
    "risk": {"24h": 0.213, "72h": 0.38, "168h": 0.461},
    "threshold": 0.289,
    "reasons": [REASON],
    "remaining_life": {"p10": 11.3, "p50": None, "p90": None},
    "since_decision": None,
    "recommended_action": "Inspect the bearing by 2024-12-30 23:00 and be ready to replace it: "
    "it fails within 168 h of the decision with a chance of 46%.",
}


class Reason(BaseModel):
    """What was seen of a source of features: a sensor, an error code, the age of a part, which may be another part."""

    source: str
    share: float = Field(
        description="how much of the risk goes, as a share of it, when this source alone is set to `healthy`; each "
        "source is tried alone, and they work together: shares of one risk may come to more than 1, or to less"
    )
    text: str
    feature: str
    value: float = Field(description="what was seen, to six digits")
    healthy: float = Field(
        description="what is put in its place: of a sensor this machine's own normal, of errors 0, of the time since a "
        "replacement the training fold's median, which is no normal of this machine"
    )
    unit: str | None = Field(description="of both values; null for counts and shares")


class Life(BaseModel):
    """By when the part has failed with a chance of 10, 50 and 90 %, in hours or the counter's unit; null: later than
    the longest horizon.
    """

    p10: float | None
    p50: float | None
    p90: float | None


class SinceDecision(BaseModel):
    """What became of the part after the decision, which therefore does not know of it."""

    what: Literal["failed", "replaced"]
    time: Time


class OpinionBody(BaseModel):
    """What is thought of one component at its last decision."""

    model_config = about(OPINION)
    component: str
    status: Status
    status_reason: str | None = Field(description="why there is no opinion")
    time: Time
    risk: dict[str, float] | None = Field(description="the chance that it fails within each horizon")
    threshold: float
    reasons: list[Reason]
    remaining_life: Life | None
    since_decision: SinceDecision | None = Field(description="null: nothing")
    recommended_action: str | None = Field(description="what to do about it, in words")


class RankedBody(OpinionBody):
    """An opinion in the ranking."""

    model_config = about({"machine": "M00001", **OPINION})
    machine: str


class Ranking(BaseModel):
    """A page of the ranking; `next` is the `cursor` of the next one."""

    model_config = about({"machines": [{"machine": "M00001", **OPINION}], "next": None})
    machines: list[RankedBody]
    next: str | None


class MachineAttributes(BaseModel):
    """What the plant's machines table says of a machine; null, or left out, is unknown."""

    model_config = about({"attributes": {"model": "MD-32", "age": 12.5}})
    attributes: dict[str, str | float | None]


class MachineKnown(MachineAttributes):
    """A machine that is known."""

    model_config = about({"machine": "M00001", "attributes": {"model": "MD-32", "age": 12.5}})
    machine: str


class PointBody(BaseModel):
    """The risk over the longest horizon at an earlier decision; null without an opinion."""

    time: Time
    risk: float | None


class ComponentBody(OpinionBody):
    """A component of a machine: what is thought of it, when it was replaced, and how its risk went."""

    model_config = about(
        {**OPINION, "last_replacement": "2024-10-23T22:12:00Z", "trend": [{"time": TIME, "risk": 0.461}]}
    )
    last_replacement: Time | None
    trend: list[PointBody]


class MachineBody(BaseModel):
    """All that is known of a machine. `data_age`: of its last reading, in `time_unit`. `scoring_problem`: why opinions
    may be old.
    """

    model_config = about(
        {
            "machine": "M00001",
            "attributes": {"model": "MD-32", "age": 12.5},
            "first_reading": "2024-01-01T01:00:00Z",
            "last_reading": TIME,
            "data_age": 0.4,
            "time_unit": "h",
            "scoring_problem": None,
            "components": [{**OPINION, "last_replacement": None, "trend": [{"time": TIME, "risk": 0.461}]}],
            "model": "d4daa407cd16",
        }
    )
    machine: str
    attributes: dict[str, str | float | None]
    first_reading: Time | None
    last_reading: Time | None
    data_age: float | None
    time_unit: str
    scoring_problem: str | None
    components: list[ComponentBody]
    model: str
