"""An opinion as the API says it."""

from __future__ import annotations

from typing import Any

import numpy as np

from forestall.data.clock import hour_of
from forestall.features import labels
from forestall.features.columns import span_name
from forestall.features.reference import Reference
from forestall.serving.opinions import NOT_APPLICABLE, Opinion
from forestall.serving.reasons import Reason
from forestall.serving.times import time_of
from forestall.training.remaining import LIFE

NO_OPINION = "no opinion: "
ACTIONS = {
    labels.SHORT: "Wait: its history is too short to judge it.",
    labels.STALE: "Look at its sensors and their connection: there is no recent reading.",
    labels.OFF: "Nothing while it is off.",
    labels.FAILED: "It has failed. Report its replacement, and send its readings again.",
}


def opinion_json(opinion: Opinion, reference: Reference) -> dict[str, Any]:
    """Component, status, risk over each horizon, reasons, remaining life and what to do."""
    because = opinion.status.removeprefix(NO_OPINION) if opinion.status != NOT_APPLICABLE else ""
    horizons = [span_name(ticks, reference.unit) for ticks in reference.spans.horizons]
    curve = np.array(opinion.curve, dtype=np.float32)
    return {
        "component": opinion.component,
        "status": opinion.standing,
        "status_reason": because or None,
        "time": time_of(opinion.time, reference),
        "risk": dict(zip(horizons, curve, strict=True)) if opinion.curve else None,
        "threshold": opinion.threshold,
        "reasons": [_reason(one) for one in opinion.reasons],
        "remaining_life": _life(opinion),
        "recommended_action": recommended_action(opinion, reference),
    }


def _reason(one: Reason) -> dict[str, Any]:
    seen = {"feature": one.feature, "value": one.value, "healthy": one.healthy, "unit": one.unit or None}
    return {"source": one.source, "share": round(one.share, 4), "text": one.text, **seen}


def _life(opinion: Opinion) -> dict[str, float | None] | None:
    """Quantiles of the remaining life in hours or the counter's unit; null is beyond the longest horizon."""
    if not opinion.life:
        return None
    quantiles = [name.removeprefix("life_") for name in LIFE]
    return {
        name: round(life, 1) if np.isfinite(life) else None
        for name, life in zip(quantiles, opinion.life, strict=True)
    }


def recommended_action(opinion: Opinion, reference: Reference) -> str:
    """What to do about it, in words."""
    if opinion.status:
        return ACTIONS.get(opinion.status.removeprefix(NO_OPINION), "")
    if not opinion.alarm:
        return "Nothing."
    hour, unit = hour_of(reference.unit)
    longest, chance = reference.spans.horizon // hour, f"{opinion.curve[-1]:.0%}"
    soonest = opinion.life[0] if opinion.life and np.isfinite(opinion.life[0]) else longest
    return (
        f"Inspect the {opinion.component} within {max(1, round(soonest))} {unit} and be ready to replace it: "
        f"it fails within {longest} {unit} with a chance of {chance}."
    )
