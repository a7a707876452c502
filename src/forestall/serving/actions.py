"""What to do about an opinion, in words."""

from __future__ import annotations

import numpy as np

from forestall.data.clock import hour_of
from forestall.features.reference import Reference
from forestall.serving.opinions import NOT_APPLICABLE, Opinion
from forestall.serving.store.events import Happened
from forestall.serving.texts import say
from forestall.serving.times import time_of


def recommended_action(
    opinion: Opinion, happened: Happened | None, reference: Reference, language: str = "en"
) -> str | None:
    """What to do about it, in words; nothing where the machine has no such part.

    Args:
        happened: to the part after the opinion's decision.

    Raises:
        KeyError: an unknown language.
    """
    if opinion.status == NOT_APPLICABLE:
        return None
    if happened is not None:
        return say(f"action.{happened.what}", {"at": _at(happened.time, reference)}, language)
    if opinion.no_risk:
        return say(f"action.{opinion.no_risk}", language=language)
    if not opinion.alarm:
        return say("action.none", language=language)
    return say("action.inspect", _inspection(opinion, reference), language)


def _inspection(opinion: Opinion, reference: Reference) -> dict[str, object]:
    """By when to look: until then it has failed with a chance of 10 %, or at the end of the longest horizon."""
    hour, unit = hour_of(reference.unit)
    longest = reference.spans.horizon // hour
    soon = opinion.life[0] if opinion.life and np.isfinite(opinion.life[0]) else longest
    by = _at(opinion.time + round(max(1.0, soon)) * hour, reference)
    about = {"component": opinion.component, "chance": opinion.curve[-1]}
    return {**about, "by": by, "within": longest, "unit": unit}


def _at(ticks: int, reference: Reference) -> str:
    """A timestamp, or a count with its unit: 231 cycles."""
    time = time_of(ticks, reference)
    return f"{time} {reference.unit}" if isinstance(time, int) else time
