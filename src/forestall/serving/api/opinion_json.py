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
from forestall.serving.store.events import Happened
from forestall.serving.times import time_of
from forestall.training.remaining import LIFE

ACTIONS = {
    labels.SHORT: "Wait: its history is too short to judge it.",
    labels.STALE: "Look at its sensors and their connection: there is no recent reading.",
    labels.OFF: "Nothing while it is off.",
    labels.FAILED: "It has failed. Report its replacement, and send its readings again.",
}


def opinion_json(opinion: Opinion, happened: Happened | None, reference: Reference) -> dict[str, Any]:
    """Component, status, risk over each horizon, reasons, remaining life and what to do.

    Args:
        happened: to the part after the opinion's decision.
    """
    horizons = [span_name(ticks, reference.unit) for ticks in reference.spans.horizons]
    curve = np.array(opinion.curve, dtype=np.float32)
    return {
        "component": opinion.component,
        "status": opinion.status,
        "status_reason": opinion.no_risk if opinion.status == "no opinion" else None,
        "time": time_of(opinion.time, reference),
        "risk": dict(zip(horizons, curve, strict=True)) if opinion.curve else None,
        "threshold": np.float32(opinion.threshold),
        "reasons": [_reason(one) for one in opinion.reasons],
        "remaining_life": _life(opinion),
        "since_decision": None
        if happened is None
        else {"what": happened.what, "time": time_of(happened.time, reference)},
        "recommended_action": recommended_action(opinion, happened, reference),
    }


def _reason(one: Reason) -> dict[str, Any]:
    values = {"value": _shown(one.value), "healthy": _shown(one.healthy)}
    seen = {"feature": one.feature, **values, "unit": one.unit or None}
    return {"source": one.source, "share": round(one.share, 4), "text": one.text, **seen}


def _shown(value: float) -> float:
    """As many digits as a sensor has, and a float32 holds."""
    return float(f"{value:.6g}")


def _life(opinion: Opinion) -> dict[str, float | None] | None:
    """Quantiles of the remaining life in hours or the counter's unit; null is beyond the longest horizon."""
    if not opinion.life:
        return None
    quantiles = [name.removeprefix("life_") for name in LIFE]
    return {
        name: round(life, 1) if np.isfinite(life) else None
        for name, life in zip(quantiles, opinion.life, strict=True)
    }


def recommended_action(opinion: Opinion, happened: Happened | None, reference: Reference) -> str | None:
    """What to do about it, in words; nothing where the machine has no such part."""
    if opinion.status == NOT_APPLICABLE:
        return None
    if happened is not None:
        at = _said(happened.time, reference)
        return (
            f"It was replaced at {at}, after this decision: wait for the next one."
            if happened.what == "replaced"
            else f"It failed at {at}, after this decision: replace it, and report the replacement."
        )
    if opinion.no_risk:
        return ACTIONS.get(opinion.no_risk)
    return _inspection(opinion, reference) if opinion.alarm else "None."


def _inspection(opinion: Opinion, reference: Reference) -> str:
    """By when to look: until then it has failed with a chance of 10 %, or at the end of the longest horizon."""
    hour, unit = hour_of(reference.unit)
    longest = reference.spans.horizon // hour
    soon = opinion.life[0] if opinion.life and np.isfinite(opinion.life[0]) else longest
    deadline = opinion.time + round(max(1.0, soon)) * hour
    return (
        f"Inspect the {opinion.component} by {_said(deadline, reference)} and be ready to replace it: "
        f"it fails within {longest} {unit} of the decision with a chance of {opinion.curve[-1]:.0%}."
    )


def _said(ticks: int, reference: Reference) -> str:
    """A time as people read it: 2024-12-30 16:00, or 231 cycles."""
    text = time_of(ticks, reference)
    return f"{text} {reference.unit}" if isinstance(text, int) else text[:16].replace("T", " ")
