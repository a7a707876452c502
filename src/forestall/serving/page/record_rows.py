"""What the record's page tells of the model: months, policies, failures, components and alarm budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CLOSE = 5e-4  # to which thresholds are written


@dataclass(frozen=True)
class Month:
    """One month of the test fold under one policy: failures caught and missed, and false alarms.

    caught, missed: None where they are not known: the slices tell no shares of a few failures.
    """

    month: str
    policy: str
    caught: int | None
    missed: int | None
    false: int


@dataclass(frozen=True)
class PolicyRow:
    """A policy over the test fold; None where a figure is not defined. low, high: of its cost, with 95 %."""

    policy: str
    recall: float | None
    precision: float | None
    false_alarms: float | None
    lead_time: float | None
    cost: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Failure:
    """A failure of the test fold. cause: why it was missed, in English; empty if that is not known."""

    machine: str
    component: str
    time: str
    caught: bool
    cause: str


@dataclass(frozen=True)
class ComponentRow:
    """How the model's alarms about one component did on the test fold; None where a figure is not defined.

    precision: right alarms among those of which it is known.
    """

    alarms: int
    precision: float | None
    recall: float | None
    false_alarms: float | None
    cost: float | None


@dataclass(frozen=True)
class Budget:
    """What so many alarms a week come to. missed: failures that the thresholds in use catch and these would not:
    machine, component, time.
    """

    budget: int
    alarms_per_week: float
    recall: float | None
    precision: float | None
    cost: float
    missed: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Record:
    """The model's record on the test fold; the model is among the policies. card: Markdown, or empty.

    alarms_per_week: with the thresholds in use; None if that is not known.
    """

    policies: Sequence[PolicyRow]
    alarms_per_week: float | None
    months: Sequence[Month]
    components: Mapping[str, ComponentRow]
    rules: Mapping[str, str]
    budgets: Sequence[Budget]
    failures: Sequence[Failure]
    thresholds: Mapping[str, float]
    card: str

    def policy(self, name: str) -> PolicyRow | None:
        """One of the policies, if it was judged."""
        return next((one for one in self.policies if one.policy == name), None)

    @property
    def has_few(self) -> bool:
        """Whether there is a month of which failures caught are not known under every policy."""
        return any(one.caught is None for one in self.months)

    @property
    def nearest(self) -> int:
        """The place of the budget that is nearest to the thresholds in use."""
        if self.alarms_per_week is None:
            return 0
        far = [abs(one.alarms_per_week - self.alarms_per_week) for one in self.budgets]
        return far.index(min(far)) if far else 0

    def is_of(self, thresholds: Mapping[str, float]) -> bool:
        """Whether it was measured with a bundle's thresholds: what can be seen of whether it is that bundle's."""
        return all(
            component in thresholds and abs(thresholds[component] - value) < CLOSE
            for component, value in self.thresholds.items()
        )
