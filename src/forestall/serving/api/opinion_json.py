"""An opinion as the API says it."""

from __future__ import annotations

from typing import Any

import numpy as np

from forestall.features.columns import span_name
from forestall.features.reference import Reference
from forestall.serving.actions import recommended_action
from forestall.serving.opinions import Opinion
from forestall.serving.reasons import Reason
from forestall.serving.store.events import Happened
from forestall.serving.times import time_of
from forestall.training.remaining import LIFE


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
