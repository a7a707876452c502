"""What may be asked of the simulator."""

from typing import Annotated

from pydantic import Field

from forestall.data.settings import Section


class SimulateParams(Section):
    """A fleet to simulate: the same settings give the same bytes.

    A machine's history depends on `seed`, `days` and its own number, never on how many machines there are.
    """

    seed: Annotated[int, Field(ge=0)] = 20240101
    machines: Annotated[int, Field(ge=1, le=100_000)] = 120
    days: Annotated[int, Field(ge=30, le=3650)] = 365
