"""What the page of the model in service tells: outcomes, estimates, the change of risk, and which model answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forestall.serving.page.drift_rows import DriftRows, Finding
from forestall.serving.page.record_rows import Month


@dataclass(frozen=True)
class Share:
    """A share; None where it is not defined.

    low, high: its 95 % interval. at_least, at_most: whatever acting on alarms hid.
    """

    value: float | None
    low: float | None
    high: float | None
    at_least: float | None
    at_most: float | None


@dataclass(frozen=True)
class KeptBack:
    """The same figures on the test fold; None where that is not known. lead: ticks."""

    recall: float | None
    precision: float | None
    false_rate: float | None
    cost: float | None
    lead: float | None = None


@dataclass(frozen=True)
class OutcomeRow:
    """What became of a component's alarms and failures. name: empty of the fleet.

    pending_failures, pending: failures and alarms too young to be judged. lead: ticks from the alarm to the failure,
    the median. false_rate, cost: per machine-month. tested: None where there is no record of this model.
    """

    name: str
    caught: int
    missed: int
    unforeseen: int
    pending_failures: int
    right: int
    false: int
    undetermined: int
    pending: int
    recall: Share
    precision: Share
    false_rate: float | None
    lead: float | None
    cost: float | None
    tested: KeptBack | None


@dataclass(frozen=True)
class Outcomes:
    """Of the outcome window.

    since, until, mature: from when to when, and up to when it is judged; None where each machine has a clock of its
    own. withdrawn: alarms that later data took back. not_judged: failures of parts that are not judged.
    """

    since: int | None
    until: int | None
    mature: int | None
    withdrawn: int
    not_judged: int
    fleet: OutcomeRow
    components: Sequence[OutcomeRow]
    months: Sequence[Month]

    @property
    def rows(self) -> Sequence[OutcomeRow]:
        """Components, and the fleet; of a single component that is the same."""
        return [*self.components, self.fleet] if len(self.components) > 1 else self.components


@dataclass(frozen=True)
class Guess:
    """An estimated figure and its standard deviation."""

    value: float
    sd: float


@dataclass(frozen=True)
class EstimateRow:
    """What is expected of a component.

    withheld, alarms_withheld: why nothing is estimated from the risks, and from those of alarms: ends of the keys
    `page.service_withheld_`, or empty. known: decisions whose outcomes are known. expected: failures by their risks;
    came: those that came; p_value: how likely so far from it is.
    """

    name: str
    coming: Guess | None
    precision: Guess | None
    recall: Guess | None
    withheld: str
    alarms_withheld: str
    known: int
    expected: Guess
    came: int
    p_value: float


@dataclass(frozen=True)
class RiskChange:
    """Why the mean risk changed.

    earlier, later: the first and the last decision of either period, in ticks. shares: by factor, of the difference.
    planned, failed: replacements as planned and failures for each part, before and after. machines: how many were
    judged, before and after. is_rescored: whether their risks were worked out again.
    """

    earlier: tuple[int, int]
    later: tuple[int, int]
    before: float
    after: float
    shares: Mapping[str, float]
    planned: tuple[float, float]
    failed: tuple[float, float]
    machines: tuple[int, int]
    is_rescored: bool


@dataclass(frozen=True)
class Model:
    """The model that answers: version, dataset, hash of its data and revision, empty where that is not known.

    accepted: when this process took it, and looked, when outcomes were last worked out: seconds since 1970.
    """

    version: str
    dataset: str
    data_hash: str
    revision: str
    accepted: int
    looked: int | None


@dataclass(frozen=True)
class ServiceView:
    """All that the page tells. What is None is not known yet, for the reason in `unknown`, by part.

    unknown: ends of the keys `page.service_unknown_`. kept: why all is as it was a while ago, the end of a key
    `page.service_kept_`; empty where it is of just now.
    """

    model: Model
    findings: Sequence[Finding]
    drift: DriftRows | None
    outcomes: Outcomes | None
    estimates: Sequence[EstimateRow] | None
    change: RiskChange | None
    unknown: Mapping[str, str]
    kept: str
