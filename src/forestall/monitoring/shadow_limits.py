"""When a challenger is fit to be promoted by what it did in shadow: all numbers in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ShadowLimits:
    """What a challenger must have shown.

    weeks: of decisions that both have an opinion at; where machines have clocks of their own, of a mean machine's.
    coverage: the least share of the champion's opinions that it has one of, too.
    alarm_ratio: how many times the champion's alarms per machine-month it may raise.
    alarm_level: more than that is chance as long as its probability is above this.
    """

    weeks: float = 1.0
    coverage: float = 0.99
    alarm_ratio: float = 1.5
    alarm_level: float = 0.05


SHADOW_LIMITS = ShadowLimits()
