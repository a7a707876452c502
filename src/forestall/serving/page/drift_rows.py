"""What the page of the model in service tells of drift: what deserves a look, rates of alarms, shifts of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Machines = Sequence[tuple[str, float]]  # by name, what each contributes, the most first


@dataclass(frozen=True)
class Found:
    """Of a component: what is, and what was to be expected, or an index and its threshold. name: empty of the fleet."""

    name: str
    now: float
    usual: float


@dataclass(frozen=True)
class Finding:
    """Something that deserves a look, and of which components.

    kind: its words are the texts `page.service_found_` and `page.service_do_`. of: what it is told by, the end of the
    key `page.service_about_`.
    """

    kind: str
    of: str
    parts: Sequence[Found]


@dataclass(frozen=True)
class Weeks:
    """What the last weeks are compared with.

    length: ticks of a week. end: of the latest whole week. since, until: of the reference. None where each machine has
    a clock of its own. alarm_weeks: weeks over which alarms are counted. k, n: what is found holds if k of the last n
    looks find it.
    """

    length: int
    end: int | None
    since: int | None
    until: int | None
    alarm_weeks: int
    k: int
    n: int


@dataclass(frozen=True)
class RateRow:
    """A component's alarms against the reference; None where no machine was judged.

    state: the end of the key `page.service_state_`.
    """

    name: str
    alarms: int | None
    expected: float | None
    ratio: float | None
    p_value: float | None
    state: str
    machines: Machines


@dataclass(frozen=True)
class ShiftRow:
    """How far a quantity's values are from the reference's; None where nothing was counted.

    kind: the end of the key `page.service_kind_`. state: as of a rate.
    """

    kind: str
    name: str
    psi: float | None
    threshold: float | None
    state: str
    machines: Machines


@dataclass(frozen=True)
class DriftRows:
    """What the last weeks show."""

    weeks: Weeks
    rates: Sequence[RateRow]
    risks: list[ShiftRow]
    inputs: Sequence[ShiftRow]
    opinions: ShiftRow

    @property
    def moved(self) -> Sequence[ShiftRow]:
        """The inputs that hold to be others than usual."""
        return [one for one in self.inputs if one.state == "holds"]
