"""What POST /predict is asked, and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from forestall.serving.api.schemas.machines import OPINION, OpinionBody
from forestall.serving.api.schemas.shared import TIME, Time, about
from forestall.serving.history_request import MOST_ROWS


class Vectors(BaseModel):
    """A vector of features in the model's order, or a list of them; GET /v2/models/forestall says how many."""

    model_config = about({"features": [0.0, 1.5, 0.25]})
    features: Annotated[list[float], Field(min_length=1)] | Annotated[list[list[float]], Field(min_length=1)]


class HistoryReading(BaseModel):
    """What a machine's sensors said at one time: beside these, a number or null for each sensor of the plant."""

    model_config = about({"time": TIME, "vibration": 2.31}, closed=False)
    time: Time
    running: bool = True
    __pydantic_extra__: dict[str, float | None] = Field(init=False)


class Code(BaseModel):
    """An error code."""

    model_config = about({"time": TIME, "code": "E05"})
    time: Time
    code: str = Field(min_length=1, max_length=200)


class Part(BaseModel):
    """A replacement or a failure of a component."""

    model_config = about({"time": TIME, "component": "bearing"})
    time: Time
    component: str


class Stop(BaseModel):
    """A machine stood still; without an end it still does."""

    model_config = about({"start": TIME, "end": None})
    start: Time
    end: Time | None = None


class History(BaseModel):
    """One machine's recent history; those readings that lie in the model's lookback are enough."""

    model_config = about({"machine": "M00001", "readings": [{"time": TIME, "vibration": 2.31}]})
    machine: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="one that the model was made with has its own baseline",
    )
    attributes: dict[str, str | float] = Field(default={}, description="what the machines table says of it")
    readings: list[HistoryReading] = Field(min_length=1, max_length=MOST_ROWS)
    errors: list[Code] = Field(default=[], max_length=MOST_ROWS)
    maintenance: list[Part] = Field(
        default=[], max_length=MOST_ROWS, description="replacements: the last one of each component is enough"
    )
    failures: list[Part] = Field(default=[], max_length=MOST_ROWS)
    downtime: list[Stop] = Field(default=[], max_length=MOST_ROWS)
    at: Time | None = Field(None, description="when it is asked; without it, at the last reading")


class Predictions(BaseModel):
    """For each vector 1 if any component's risk is at its threshold or above, else 0; and the risks."""

    model_config = about({"prediction": [0], "risk": [[0.012, 0.004]], "components": ["bearing", "seal"]})
    prediction: list[Literal[0, 1]]
    risk: list[list[float]] = Field(
        description="a row a vector, a column a component, over the longest horizon"
    )
    components: list[str]


class HistoryAnswer(BaseModel):
    """What is thought of a machine whose history was sent."""

    model_config = about(
        {"machine": "M00001", "prediction": [1], "components": [OPINION], "model": "d4daa407cd16"}
    )
    machine: str | None
    prediction: list[Literal[0, 1]]
    components: list[OpinionBody]
    model: str
