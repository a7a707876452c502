"""From where on, and how long, something is wrong enough to tell a person: all numbers of the alerts."""

from __future__ import annotations

from dataclasses import asdict, dataclass

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class Levels:
    """From where on something is wrong.

    stale_share: of all machines, without recent readings.
    error_share: of all requests, answered by 5xx.
    errors: such answers within the window, so that one in ten at night is no burst.
    slow_seconds: 95 % of the answers that somebody waits for are as fast.
    slow_requests: such requests within the window.
    """

    stale_share: float = 0.2
    error_share: float = 0.05
    errors: float = 10
    slow_seconds: float = 1.0
    slow_requests: float = 20


@dataclass(frozen=True)
class Durations:
    """Seconds, all of which a test may shorten together.

    every: how often the rules are evaluated.
    window: what rates are taken over.
    soon: nothing works; longer than a restart.
    settled: longer than a swap of bundles, a deployment or a short burst.
    lasting: longer than a late delivery takes to be scored.
    data_age: age of the fleet's latest reading; more than the plant's usual pause between two deliveries.
    ahead: readings of the future, more than clocks differ by.
    behind: what monitoring works out, after the rest of the plant's state; several times what it takes.
    """

    every: float = 30
    window: float = 5 * MINUTE
    soon: float = 2 * MINUTE
    settled: float = 10 * MINUTE
    lasting: float = HOUR
    data_age: float = 6 * HOUR
    ahead: float = 10 * MINUTE
    behind: float = HOUR

    def scaled(self, scale: float) -> Durations:
        """All of them times a factor: 0.01 turns 5 minutes into 3 seconds.

        Raises:
            ValueError: the factor is not above 0.
        """
        if not scale > 0:
            raise ValueError(f"The scale of durations has to be above 0, not {scale}.")
        return Durations(**{name: seconds * scale for name, seconds in asdict(self).items()})


def duration(seconds: float) -> str:
    """As Prometheus writes it: 2m, 500ms."""
    for unit, length in (("h", HOUR), ("m", MINUTE), ("s", 1.0)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds * 1000:.0f}ms"
