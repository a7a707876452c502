"""The bodies and answers that OpenAPI describes, with examples. What comes in is checked elsewhere, by the plant."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

TIME = "2024-12-30T12:00:00Z"
Time = Annotated[
    str | int,
    Field(description="RFC 3339 in UTC, or a whole count where the plant has a counter", examples=[TIME]),
]
Standing = Literal["alarm", "normal", "no opinion", "not applicable"]
State = Literal["open", "acknowledged", "in work", "closed"]
Finding = Literal["confirmed", "no fault found", "replaced unseen"]
Role = Literal["read", "write", "admin"]


def _about(example: dict[str, Any], closed: bool = True) -> ConfigDict:
    return ConfigDict(extra="forbid" if closed else "allow", json_schema_extra={"examples": [example]})


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
    "standing": "alarm",
    "because": None,
    "time": TIME,
    "risk": {"24h": 0.213, "72h": 0.38, "168h": 0.461},
    "threshold": 0.289,
    "reasons": [REASON],
    "life": {"p10": 11.3, "p50": None, "p90": None},
    "act": "Inspect the bearing within 11 h and be ready to replace it: it fails within 168 h with a chance of 46%.",
}


class FieldProblem(BaseModel):
    """One field that cannot be used."""

    field: str
    problem: str


class ProblemBody(BaseModel):
    """An error as RFC 9457 has it."""

    model_config = _about(
        {
            "type": "about:blank",
            "title": "Unprocessable Content",
            "status": 422,
            "detail": "readings[3].vibration: 900.0 must be between 0 and 50; is its unit right?.",
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


class Reading(BaseModel):
    """What a machine's sensors said at one time: beside these, a number or null for each sensor of the plant."""

    model_config = _about(READING, closed=False)
    machine: str = Field(min_length=1, max_length=200)
    time: Time
    running: bool | None = None
    __pydantic_extra__: dict[str, float | None] = Field(init=False)


class Readings(BaseModel):
    """A batch of readings."""

    model_config = _about({"readings": [READING]})
    readings: list[Reading]


class Event(BaseModel):
    """A row of one of the small tables: errors (time, code), maintenance and failures (time, component), or downtime
    (start, end; without an end it goes on).
    """

    model_config = _about(ERROR)
    kind: Literal["errors", "maintenance", "failures", "downtime"]
    machine: str = Field(min_length=1, max_length=200)
    time: Time | None = None
    code: str | None = None
    component: str | None = None
    start: Time | None = None
    end: Time | None = None


class Events(BaseModel):
    """A batch of events."""

    model_config = _about({"events": [ERROR, REPLACEMENT]})
    events: list[Event]


class Accepted(BaseModel):
    """What became of a batch: `known` rows were stored before, or stood twice in it."""

    model_config = _about({"received": 2, "new": 1, "known": 1})
    received: int
    new: int
    known: int


class Vectors(BaseModel):
    """A vector of features in the model's order, or a list of them; GET /v2/models/forestall says how many."""

    model_config = _about({"features": [0.0, 1.5, 0.25]})
    features: Annotated[list[float], Field(min_length=1)] | Annotated[list[list[float]], Field(min_length=1)]


class HistoryReading(BaseModel):
    """What a machine's sensors said at one time: beside these, a number or null for each sensor of the plant."""

    model_config = _about({"time": TIME, "vibration": 2.31}, closed=False)
    time: Time
    running: bool = True
    __pydantic_extra__: dict[str, float | None] = Field(init=False)


class Code(BaseModel):
    """An error code."""

    model_config = _about({"time": TIME, "code": "E05"})
    time: Time
    code: str = Field(min_length=1, max_length=200)


class Part(BaseModel):
    """A replacement or a failure of a component."""

    model_config = _about({"time": TIME, "component": "bearing"})
    time: Time
    component: str


class Stop(BaseModel):
    """A machine stood still; without an end it still does."""

    model_config = _about({"start": TIME, "end": None})
    start: Time
    end: Time | None = None


class History(BaseModel):
    """One machine's recent history; those readings that lie in the model's lookback are enough."""

    model_config = _about({"machine": "M00001", "readings": [{"time": TIME, "vibration": 2.31}]})
    machine: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="one that the model was made with has its own baseline",
    )
    attributes: dict[str, str | float] = Field(default={}, description="what the machines table says of it")
    readings: list[HistoryReading] = Field(min_length=1)
    errors: list[Code] = []
    maintenance: list[Part] = Field(
        default=[], description="replacements: the last one of each component is enough"
    )
    failures: list[Part] = []
    downtime: list[Stop] = []
    at: Time | None = Field(None, description="when it is asked; without it, at the last reading")


class Predictions(BaseModel):
    """For each vector 1 if any component's risk is at its threshold or above, else 0; and the risks."""

    model_config = _about({"prediction": [0], "risk": [[0.012, 0.004]], "components": ["bearing", "seal"]})
    prediction: list[Literal[0, 1]]
    risk: list[list[float]] = Field(
        description="a row a vector, a column a component, over the longest horizon"
    )
    components: list[str]


class Reason(BaseModel):
    """What was seen, and how much of the risk goes when it is set to healthy; the value seen and the healthy one."""

    source: str
    share: float
    text: str
    feature: str
    value: float
    healthy: float
    unit: str | None = Field(description="of both values; null for counts and shares")


class Life(BaseModel):
    """By when the part has failed with a chance of 10, 50 and 90 %, in hours or the counter's unit; null: later than
    the longest horizon.
    """

    p10: float | None
    p50: float | None
    p90: float | None


class OpinionBody(BaseModel):
    """What is thought of one component at its last decision."""

    model_config = _about(OPINION)
    component: str
    standing: Standing
    because: str | None = Field(description="why there is no opinion")
    time: Time
    risk: dict[str, float] | None = Field(description="the chance that it fails within each horizon")
    threshold: float
    reasons: list[Reason]
    life: Life | None
    act: str = Field(description="what to do about it, in words")


class HistoryAnswer(BaseModel):
    """What is thought of a machine whose history was sent."""

    model_config = _about(
        {"machine": "M00001", "prediction": [1], "components": [OPINION], "model": "d4daa407cd16"}
    )
    machine: str | None
    prediction: list[Literal[0, 1]]
    components: list[OpinionBody]
    model: str


class Alive(BaseModel):
    """The process answers."""

    model_config = _about({"status": "alive"})
    status: Literal["alive"]


class Ready(BaseModel):
    """The service can be asked. `refused`: the bundle that was offered last is not used; the log says why."""

    model_config = _about({"status": "ready", "model": "d4daa407cd16", "refused": False, "latest": TIME})
    status: Literal["ready"]
    model: str
    refused: bool
    latest: Time | None = Field(description="the fleet's latest reading")


class RankedBody(OpinionBody):
    """An opinion in the ranking."""

    model_config = _about({"machine": "M00001", **OPINION})
    machine: str


class Ranking(BaseModel):
    """A page of the ranking; `next` asks for the next one."""

    model_config = _about({"machines": [{"machine": "M00001", **OPINION}], "next": None})
    machines: list[RankedBody]
    next: str | None


class PointBody(BaseModel):
    """The risk over the longest horizon at an earlier decision; null without an opinion."""

    time: Time
    risk: float | None


class ComponentBody(OpinionBody):
    """A component of a machine: what is thought of it, when it was replaced, and how its risk went."""

    model_config = _about(
        {**OPINION, "replaced": "2024-10-23T22:12:00Z", "trend": [{"time": TIME, "risk": 0.461}]}
    )
    replaced: Time | None
    trend: list[PointBody]


class MachineBody(BaseModel):
    """All that is known of a machine. `age`: of its last reading, in `unit`. `behind`: why opinions may be old."""

    machine: str
    attributes: dict[str, str | float | None]
    first: Time | None
    last: Time | None
    age: float | None
    unit: str
    behind: str | None
    components: list[ComponentBody]
    model: str


ALARM = {
    "id": 17,
    "machine": "M00001",
    "component": "bearing",
    "opened": TIME,
    "ended": None,
    "why": None,
    "risk": 0.461,
    "threshold": 0.289,
    "raised": "2024-12-30T12:00:04Z",
    "state": "open",
    "finding": None,
    "assignee": "",
    "note": "",
    "version": 1,
}


class AlarmBody(BaseModel):
    """An alarm. `opened`, `ended` and `why` are by the rules; `state` and what follows it is people's."""

    model_config = _about(ALARM)
    id: int
    machine: str
    component: str
    opened: Time
    ended: Time | None
    why: Literal["replaced", "failed", "quiet", "horizon over", "withdrawn"] | None
    risk: float
    threshold: float
    raised: str
    state: State
    finding: Finding | None
    assignee: str
    note: str
    version: int


class Alarms(BaseModel):
    """A page of alarms; `next` goes into `after` of the next one."""

    model_config = _about({"alarms": [ALARM], "next": None})
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

    model_config = _about(
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


class ServerMetadata(BaseModel):
    """Open Inference Protocol: the server."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(BaseModel):
    """Open Inference Protocol: the server answers."""

    live: bool


class ServerReady(BaseModel):
    """Open Inference Protocol: there is a model."""

    ready: bool


class ModelReady(BaseModel):
    """Open Inference Protocol: the model can be asked."""

    name: str
    ready: bool


class TensorMetadata(BaseModel):
    """A tensor; -1 is any number of rows."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """Open Inference Protocol: the model. `parameters`: features and their fills, components, horizons."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: dict[str, list[str] | list[float]]


class Tensor(BaseModel):
    """The features, by row or flat."""

    name: Literal["features"]
    datatype: Literal["FP32", "FP64"]
    shape: list[int] = Field(min_length=2, max_length=2)
    data: Annotated[list[float], Field(min_length=1)] | Annotated[list[list[float]], Field(min_length=1)]


class InferBody(BaseModel):
    """Open Inference Protocol: what is asked."""

    model_config = _about(
        {
            "id": "1",
            "inputs": [{"name": "features", "datatype": "FP32", "shape": [1, 3], "data": [0.0, 1.5, 0.25]}],
        },
        closed=False,
    )
    id: str = ""
    inputs: list[Tensor] = Field(min_length=1, max_length=1)


class TensorOut(BaseModel):
    """The risks, flat: by row, component and horizon."""

    name: str
    datatype: str
    shape: list[int]
    data: list[float]


class InferAnswer(BaseModel):
    """Open Inference Protocol: the answer."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[TensorOut]
