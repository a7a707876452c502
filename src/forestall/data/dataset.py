"""The dataset file: what a plant's tables and columns mean, and how the plant works.

`Dataset` is the file's typed form; its JSON schema is published in docs/reference/dataset.schema.json.
"""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from forestall.data.clock import Duration, ticks
from forestall.data.settings import Section
from forestall.data.tables import Scalar, Tables


class Clock(Section):
    """What a time in the tables is: a timestamp, or a counter that every machine starts from new."""

    kind: Literal["timestamps", "counter"] = "timestamps"
    unit: str = Field(
        "s",
        pattern="^[a-z]+$",
        description="for a counter: its name in durations, such as cycles; lower case",
    )
    per_month: float | None = Field(None, gt=0, description="for a counter: units a machine runs in a month")

    @property
    def own(self) -> bool:
        """Whether each machine has a clock of its own: a counter, so that there is no common calendar or now."""
        return self.kind == "counter"

    @model_validator(mode="after")
    def _counter_has_unit_and_rate(self) -> Self:
        if self.kind == "counter" and (self.unit == "s" or self.per_month is None):
            raise ValueError("a counter needs `unit` (such as cycles) and `per_month`")
        if self.kind == "timestamps" and (self.unit != "s" or self.per_month is not None):
            raise ValueError("`unit` and `per_month` belong to kind: counter")
        return self


class Component(Section):
    """A replaceable part; `absent_on` lists the machines (by attribute) that do not have it."""

    about: str = ""
    absent_on: dict[str, list[Scalar]] = Field(default={})


class Decisions(Section):
    """When predictions are made, and about what spans of time; alarms look over the longest of the horizons."""

    every: Duration
    offset: Duration
    horizons: list[Duration] = Field(min_length=1, max_length=10)
    min_lead: Duration
    history: Duration
    stale: Duration

    @property
    def horizon(self) -> str:
        """The longest horizon, which alarms look over."""
        return self.horizons[-1]


class Windows(Section):
    """The spans that features look back over, and the healthy history that they are compared with."""

    sensors: list[Duration] = Field(min_length=1)
    events: list[Duration] = Field(min_length=1)
    baseline: Duration
    baseline_every: Duration


class Split(Section):
    """The folds, as durations counted back from the last complete period, or as shares of machines."""

    by: Literal["time", "machine"]
    validation: Duration | Annotated[float, Field(gt=0, lt=1)]
    test: Duration | Annotated[float, Field(gt=0, lt=1)]
    gap: Duration
    unseen_machines: float = Field(ge=0, le=0.5)

    @model_validator(mode="after")
    def _durations_or_shares(self) -> Self:
        wanted = str if self.by == "time" else float
        if not isinstance(self.validation, wanted) or not isinstance(self.test, wanted):
            kind = "durations such as 90d" if self.by == "time" else "shares of machines such as 0.2"
            raise ValueError(f"with by: {self.by}, `validation` and `test` are {kind}")
        return self

    @model_validator(mode="after")
    def _machines_are_left_for_training(self) -> Self:
        if self.by == "machine" and float(self.validation) + float(self.test) >= 1:
            raise ValueError(
                "`validation` and `test` leave no machine to train on: lower them to less than 1 together"
            )
        if self.by == "machine" and self.unseen_machines:
            raise ValueError("with by: machine all of `test` is unseen: `unseen_machines` must be 0.0")
        return self


class Costs(Section):
    """Money, in one currency; `prevented` is the share of caught failures that acting really prevents."""

    failure: float = Field(gt=0, allow_inf_nan=False)
    planned: float = Field(ge=0, allow_inf_nan=False)
    inspection: float = Field(ge=0, allow_inf_nan=False)
    prevented: float = Field(gt=0, le=1)


class Card(Section):
    """What only people can say of a model: the words of its card."""

    intended_use: str = Field(min_length=10)
    limits: str = Field(min_length=10)


class Dataset(Section):
    """A dataset file as a whole."""

    about: str
    clock: Clock
    tables: Tables
    components: dict[str, Component] = Field(min_length=1)
    decisions: Decisions
    windows: Windows
    split: Split
    costs: Costs
    card: Card

    def ticks(self, duration: str) -> int:
        """A duration of this file in ticks of its clock."""
        return ticks(duration, self.clock.unit)

    @property
    def own_clocks(self) -> bool:
        """Whether each machine has a clock of its own: then there is no common calendar, and no common now."""
        return self.clock.own

    @property
    def split_by_machine(self) -> bool:
        """Whether a machine is in one fold as a whole: then its data end with its own history, else with its fold."""
        return self.split.by == "machine"

    @property
    def interval(self) -> int:
        """Ticks between two telemetry readings."""
        return self.ticks(self.tables.telemetry.interval)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        times = ("every", "offset", "horizon", "min_lead", "history", "stale")
        spans = {name: self.ticks(getattr(self.decisions, name)) for name in times}
        self._check_spans()
        horizons = [self.ticks(horizon) for horizon in self.decisions.horizons]
        if horizons[0] <= 0 or any(b <= a for a, b in pairwise(horizons)):
            raise ValueError("decisions.horizons must rise: the shortest first")
        if spans["every"] <= 0 or spans["every"] % self.interval:
            raise ValueError("decisions.every must be a multiple of tables.telemetry.interval")
        if not 0 <= spans["min_lead"] < spans["horizon"]:
            raise ValueError("decisions.min_lead must be shorter than the longest of decisions.horizons")
        self._check_windows(spans["every"], spans["horizon"])
        if self.ticks(self.split.gap) < spans["horizon"]:
            raise ValueError(
                "split.gap must be at least the longest of decisions.horizons, or folds share their failures"
            )
        if self.own_clocks and not self.split_by_machine:
            raise ValueError("machines with clocks of their own are split with `by: machine`")
        self._check_folds_hold_decisions(spans["horizon"])
        self._check_absent_on()
        self._check_components_are_told_apart()
        return self

    def _check_spans(self) -> None:
        w, s = self.windows, self.split
        above_zero = {
            "tables.telemetry.interval": [self.tables.telemetry.interval],
            "windows.sensors": w.sensors,
            "windows.events": w.events,
            "windows.baseline": [w.baseline],
            "windows.baseline_every": [w.baseline_every],
            "split": [span for span in (s.validation, s.test) if isinstance(span, str)],
        }
        for key, durations in above_zero.items():
            if any(self.ticks(duration) <= 0 for duration in durations):
                raise ValueError(f"{key} must be longer than nothing")

    def _check_windows(self, every: int, horizon: int) -> None:
        w = self.windows
        for key, durations in (("sensors", w.sensors), ("events", w.events)):
            windows = [self.ticks(duration) for duration in durations]
            if any(window % every for window in windows):
                raise ValueError(f"windows.{key} must be multiples of decisions.every")
            if len(set(windows)) < len(windows):
                raise ValueError(f"windows.{key} must differ from each other")
        if self.ticks(w.baseline) <= horizon:
            raise ValueError(
                "windows.baseline must be longer than the longest of decisions.horizons: so much at its end is "
                "left out, because whether it was healthy is not known yet"
            )
        if self.ticks(w.baseline_every) < every:
            raise ValueError("windows.baseline_every must be at least decisions.every")

    def _check_folds_hold_decisions(self, horizon: int) -> None:
        """By time a decision is in a fold only if the gap after it, or in the last fold the horizon, ends in it."""
        if self.split.by == "machine":
            return
        if self.ticks(str(self.split.validation)) <= self.ticks(self.split.gap):
            raise ValueError("split.validation must be longer than split.gap, or it holds no decision")
        if self.ticks(str(self.split.test)) <= horizon:
            raise ValueError(
                "split.test must be longer than the longest of decisions.horizons, or it holds no decision"
            )

    def _check_absent_on(self) -> None:
        known = self.tables.machines.attributes if self.tables.machines else {}
        for name, component in self.components.items():
            for attribute in component.absent_on:
                if known.get(attribute) != "category":
                    raise ValueError(
                        f"components.{name}.absent_on: {attribute!r} is no category of tables.machines"
                    )

    def _check_components_are_told_apart(self) -> None:
        if len(self.components) > 1:
            for table in (self.tables.failures, self.tables.maintenance):
                if table is not None and getattr(table, "component", None) is None:
                    raise ValueError("with several components, failures and maintenance need `component`")
