"""Health."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from forestall.serving.api.schemas.shared import TIME, Time, about


class Alive(BaseModel):
    """The process answers."""

    model_config = about({"status": "alive"})
    status: Literal["alive"]


class Ready(BaseModel):
    """The service can be asked. `refused`: the bundle that was offered last is not used; the log says why. `full`: the
    last thing to be stored found no room; what is stored can be read.
    """

    model_config = about(
        {"status": "ready", "model": "d4daa407cd16", "refused": False, "full": False, "latest": TIME}
    )
    status: Literal["ready"]
    model: str
    refused: bool
    full: bool
    latest: Time | None = Field(description="the fleet's latest reading")
