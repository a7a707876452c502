"""What `POST /predict` is asked: one machine's recent history, typed for the plant of a bundle.

Every error of it names the field, such as `readings[3].vibration`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, create_model
from typing_extensions import TypedDict  # pydantic wants it on Python 3.11

from forestall.serving.bundle import Bundle
from forestall.serving.times import time_type

CLOSED = ConfigDict(extra="forbid")
Name = Annotated[str, Field(strict=True, min_length=1, max_length=200)]
Row = dict[str, Any]
MOST_ROWS = 50_000  # five years of hourly readings; a lookback of weeks is all that a risk looks at


class HistoryRequest(BaseModel):
    """One machine's recent history. Times in ticks; `request_type` narrows it to a plant's sensors and parts."""

    model_config = CLOSED

    machine: Name | None = Field(
        None, description="with a name that the model was made with, its own baseline holds"
    )
    attributes: Any = Field({}, description="what the machines table says of it; unknown where left out")
    readings: list[Any] = Field(
        min_length=1, max_length=MOST_ROWS, description="in any order; those of the lookback are enough"
    )
    errors: list[Any] = Field([], max_length=MOST_ROWS)
    maintenance: list[Any] = Field(
        [], max_length=MOST_ROWS, description="replacements: the last one of each component is enough"
    )
    failures: list[Any] = Field([], max_length=MOST_ROWS)
    downtime: list[Any] = Field(
        [], max_length=MOST_ROWS, description="stops; without an end, one that goes on"
    )
    at: int | None = Field(None, description="when it is asked; without it, the last reading's time")


def request_type(bundle: Bundle) -> type[HistoryRequest]:
    """The type of a request for the plant of a bundle."""
    time = time_type(bundle.reference.unit)
    component = Literal[tuple(bundle.components)]  # type: ignore[valid-type]
    attributes = {name: NotRequired[kind] for name, kind in attribute_types(bundle).items()}
    types = {
        "attributes": row_type("Attributes", attributes),
        "readings": list[_reading_type(bundle)],  # type: ignore[misc]
        "errors": list[row_type("Error", {"time": time, "code": Name})],  # type: ignore[misc]
        "maintenance": list[row_type("Replacement", {"time": time, "component": component})],  # type: ignore[misc]
        "failures": list[row_type("Failure", {"time": time, "component": component})],  # type: ignore[misc]
        "downtime": list[row_type("Stop", {"start": time, "end": NotRequired[time | None]})],  # type: ignore[misc]
        "at": time | None,
    }
    fields: Any = {name: (kind, HistoryRequest.model_fields[name]) for name, kind in types.items()}
    return create_model("History", __base__=HistoryRequest, __doc__="One machine's recent history.", **fields)


def attribute_types(bundle: Bundle) -> dict[str, Any]:
    """What the plant's machines table says of a machine: the type of each attribute by its name."""
    table = bundle.plant.dataset.tables.machines
    kinds = {"category": Name, "number": _number(None)}
    return {name: kinds[kind] for name, kind in (table.attributes.items() if table else ())}


def _reading_type(bundle: Bundle) -> Any:
    """The type of one reading: its time, whether the machine ran, and any of the sensors; null is missing."""
    sensors = bundle.plant.dataset.tables.telemetry.sensors
    values = {name: NotRequired[_number(sensor.range) | None] for name, sensor in sensors.items()}
    about = {
        "time": time_type(bundle.reference.unit),
        "running": NotRequired[Annotated[bool, Field(strict=True)]],
    }
    return row_type("Reading", about | values)


def _number(allowed: Sequence[float] | None) -> Any:
    low, high = allowed or (None, None)
    return Annotated[float, Field(strict=True, allow_inf_nan=False, ge=low, le=high)]


def row_type(name: str, fields: dict[str, Any]) -> Any:
    """A closed mapping: it makes plain dicts, and its keys may be any text."""
    row: Any = TypedDict(name, fields)  # type: ignore[misc]  # the names are the plant's
    row.__pydantic_config__ = CLOSED  # type: ignore[attr-defined]
    return row
