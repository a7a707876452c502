"""What is thought of each machine and component at one time: batch, the API and the stage all ask here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clean import clean_telemetry
from forestall.data.clock import hour_of
from forestall.data.events import Events, absent_pairs
from forestall.data.repairs import Repairs
from forestall.features import labels, matrix
from forestall.features.baselines import OwnBaselines
from forestall.features.history import Floats, History, Ints, Spans, lay_out
from forestall.features.labels import failed_for_good
from forestall.features.reference import Matrix, Reference
from forestall.features.sensors import Normal
from forestall.serving.bundle import Bundle
from forestall.serving.healthy import healthy_reference
from forestall.serving.reasons import Reason, reasons
from forestall.training.remaining import LIFE, remaining_life

Status = Literal["alarm", "normal", "no opinion", "not applicable"]
NOT_APPLICABLE: Status = "not applicable"
REASONS = 3  # that a risk is given at most, where nothing else is asked


@dataclass(frozen=True)
class Opinion:
    """What is thought of one machine's component at a decision.

    time: ticks. no_risk: empty, or why there is none: NOT_APPLICABLE, or why there is no opinion. Without a risk,
    `curve`, `reasons` and `life` are empty. curve: the risk over each horizon, the shortest first. life: quantiles of
    the remaining life in hours (or in the counter's unit), infinite where it lies beyond the longest horizon.
    """

    machine: str
    component: str
    time: int
    no_risk: str
    threshold: float
    curve: tuple[float, ...] = ()
    reasons: tuple[Reason, ...] = ()
    life: tuple[float, ...] = ()

    @property
    def risk(self) -> float | None:
        """Over the longest horizon, which alarms look at."""
        return self.curve[-1] if self.curve else None

    @property
    def alarm(self) -> bool | None:
        """Whether the risk is at the threshold or above, as float32 like the risk."""
        return bool(np.float32(self.curve[-1]) >= np.float32(self.threshold)) if self.curve else None

    @property
    def status(self) -> Status:
        """What lists are filtered by."""
        if self.no_risk:
            return NOT_APPLICABLE if self.no_risk == NOT_APPLICABLE else "no opinion"
        return "alarm" if self.alarm else "normal"


@dataclass(frozen=True)
class Latest:
    """Machines at their latest decision: its time [machines], filled features [machines, features], the baselines
    that hold, why there is no opinion, [machines], and the lookback's readings [machines, slots, sensors].
    """

    machines: list[str]
    time: Ints
    features: Matrix
    normal: Normal
    no_opinion: npt.NDArray[np.object_]
    readings: Floats


def history_of(readings: pd.DataFrame, events: Events, bundle: Bundle, end: int) -> History:
    """Readings as they were sent (machine, time in ticks, running, sensors), cleaned and laid out until `end`.

    Raises:
        ConflictError: one machine has two different readings of one time.
        InputError: readings so far apart that the regular grid would take all memory.
    """
    plant, reference = bundle.plant, bundle.reference
    clean = clean_telemetry(readings, events.downtime, plant.dataset, plant.carry_forward, Repairs([]))
    return lay_out(clean, events, list(reference.sensors), reference.spans, end)


def opinions_of(history: History, own: OwnBaselines, bundle: Bundle, most: int = REASONS) -> list[Opinion]:
    """Each machine and component of the history at its latest decision, in the history's order."""
    now = latest(history, own, bundle)
    absent = absent_pairs(history.events.machines, bundle.plant.dataset)
    return opinions_at(now, bundle, absent, most)


def latest(history: History, own: OwnBaselines, bundle: Bundle) -> Latest:
    """The last decision of a history, for the history's machines.

    Machines that share a calendar are all asked at its end, where one that fell silent is stale; with clocks of
    their own there is no common end, and each is asked at its own.
    """
    reference, spans, each = bundle.reference, bundle.reference.spans, np.arange(len(history.machines))
    step, opinions = _last_steps(history, reference), labels.opinions(history, spans)
    if reference.own_clocks:
        opinions[history.own_last_steps(spans) < 0] = labels.SHORT
    opinions[failed_for_good(history, bundle.plant.dataset)] = labels.FAILED
    return Latest(
        machines=history.machines,
        time=last_decisions(history, reference),
        features=matrix.feature_matrix(history, own, reference)[each, step],
        normal=matrix.normal_of(history, own, reference).at(each, step),
        no_opinion=opinions[each, step],
        readings=_lookback(history, step, spans),
    )


def last_decisions(history: History, reference: Reference) -> Ints:
    """The time of each machine's latest decision, [machines]."""
    return history.decisions(reference.spans)[_last_steps(history, reference)]


def _last_steps(history: History, reference: Reference) -> Ints:
    if reference.own_clocks:
        return np.maximum(history.own_last_steps(reference.spans), 0)
    return np.full(len(history.machines), len(history.decisions(reference.spans)) - 1)


def _lookback(history: History, step: Ints, spans: Spans) -> Floats:
    """The lookback's readings up to a decision step of each machine, [machines, slots, sensors]; NaN before any."""
    slots = -(-spans.lookback // spans.interval)
    slot = (step[:, None] + 1) * spans.width + np.arange(-slots, 0)
    found = history.readings[np.arange(len(step))[:, None], np.maximum(slot, 0)]
    return np.where((slot >= 0)[..., None], found, np.nan)


def opinions_at(
    now: Latest, bundle: Bundle, absent: set[tuple[str, str]], most: int = REASONS
) -> list[Opinion]:
    """Each machine and component; `absent` are the pairs that do not exist."""
    curves = bundle.curves(now.features)
    healthy = healthy_reference(now.features, now.normal, bundle.reference)
    why = reasons(now.features, healthy, now.normal, now.readings, bundle, most)
    spans, hour = bundle.reference.spans, hour_of(bundle.reference.unit)[0]
    lives = (
        np.stack([remaining_life(curves, spans.horizons, share) for share in LIFE.values()], axis=-1) / hour
    )
    result = []
    for m, machine in enumerate(now.machines):
        for c, component in enumerate(bundle.components):
            no_risk = NOT_APPLICABLE if (machine, component) in absent else now.no_opinion[m]
            about = (machine, component, int(now.time[m]), no_risk, bundle.thresholds[component])
            known = (tuple(curves[m, c].tolist()), tuple(why[m][c]), tuple(lives[m, c].tolist()))
            result.append(Opinion(*about) if no_risk else Opinion(*about, *known))
    return result
