"""What a model thought of a plant in a window, the alarms that it would have raised, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forestall.features.labels import OPINION
from forestall.monitoring.outcomes import realised
from forestall.monitoring.service import ALARMS, Service, Window, is_mature, mature_until
from forestall.monitoring.service_figures import Figures, months_of
from forestall.serving.plant import Plant
from forestall.training.alarms import open_alarms
from forestall.training.judging import machine_months, rules_of
from forestall.training.series import Bools, Risk, risk_matrix, series_of


@dataclass(frozen=True)
class Thoughts:
    """What a model thought.

    decisions: machine, time, no_opinion: empty, or why there is none of any component; each machine and time once.
    risk: over the longest horizon, [decisions, components], NaN where there is none. thresholds: of the components, in
    the columns' order.
    """

    decisions: pd.DataFrame
    risk: Risk
    thresholds: Mapping[str, float]

    def take(self, which: Bools) -> Thoughts:
        """Some of the decisions."""
        return Thoughts(self.decisions[which].reset_index(drop=True), self.risk[which], self.thresholds)

    def column(self, component: str) -> Risk:
        """A component's risks, [decisions]; NaN if the model knows none."""
        if component not in self.thresholds:
            return np.full(len(self.risk), np.nan, dtype=np.float32)
        return self.risk[:, list(self.thresholds).index(component)]


@dataclass(frozen=True)
class Known:
    """What is known of the plant: failures and maintenance as `Service` has them, from a horizon and a repair before
    the window on; components that machines do not have; ends of machines with clocks of their own, else empty.
    """

    failures: pd.DataFrame
    maintenance: pd.DataFrame
    absent: set[tuple[str, str]]
    ends: Mapping[str, int]


@dataclass(frozen=True)
class Judged:
    """alarms: that a model would have raised; months: machine-months that it judged. figures: of what became of the
    alarms and failures of the mature span, as `service_figures` has them.
    """

    alarms: int
    months: float
    figures: Figures


def judged(thoughts: Thoughts, known: Known, plant: Plant, window: Window) -> Judged:
    """A model's alarms in a window, by the plant's rules."""
    given = thoughts.take((thoughts.decisions["no_opinion"] == OPINION).to_numpy(dtype=np.bool_))
    months = machine_months(given.decisions, plant.dataset)
    alarms = _raised(given, known, plant, window)
    horizon = rules_of(plant.dataset, plant.quiet).horizon
    limit = mature_until(known.failures, known.ends, horizon, window.until)
    mature = given.decisions[is_mature(given.decisions, "time", limit)]
    service = Service(
        alarms=alarms,
        failures=known.failures,
        maintenance=known.maintenance,
        decisions=given.decisions,
        decided=_decided(mature, plant.dataset.own_clocks),
        absent=known.absent,
        ends=known.ends,
    )
    return Judged(len(alarms), months, realised(service, plant, window).fleet)


def _raised(given: Thoughts, known: Known, plant: Plant, window: Window) -> pd.DataFrame:
    """The alarms, as `Service` has them; nobody has said anything of them."""
    components = list(plant.dataset.components)
    end: Mapping[str, int] | int = window.until
    if known.ends:
        end = {name: min(time, window.until) for name, time in known.ends.items()}
    series = series_of(given.decisions, components, known.absent, known.failures, known.maintenance, end)
    columns = np.stack([given.column(name) for name in components], axis=1)
    limits = {name: given.thresholds.get(name, np.inf) for name in components}
    risk = risk_matrix(series, given.decisions, columns)
    found = open_alarms(series, risk, limits, rules_of(plant.dataset, plant.quiet))
    found = found.rename(columns={"closed": "ended"}).assign(end_reason="", finding="", risk=np.nan)
    return found[ALARMS]


def _decided(decisions: pd.DataFrame, own_clocks: bool) -> pd.DataFrame:
    """machine, month, decisions."""
    times = decisions["time"].to_numpy(dtype=np.int64)
    month = np.full(len(times), "", dtype=object) if own_clocks else months_of(times)
    counted = decisions.assign(month=month, decisions=1).groupby(["machine", "month"])["decisions"].sum()
    return counted.reset_index()
