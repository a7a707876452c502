"""What the handlers share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request

from forestall.serving.api.champion import Champion
from forestall.serving.api.counters import Counters
from forestall.serving.api.limits import ConcurrencyLimit, Rate
from forestall.serving.api.problems import Problem
from forestall.serving.api.security import Keys
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.patterns import PastFailures
from forestall.serving.stateless import Stateless
from forestall.serving.store.database import Store

if TYPE_CHECKING:  # what scores in shadow is made of what is served
    from forestall.serving.api.shadow import Shadow

PER_SECOND, AT_ONCE = 5_000.0, 256


@dataclass(frozen=True)
class Serving:
    """What answers as long as one bundle is the champion.

    version: the first digits of its manifest's hash. past: the failures that were known when it was exported.
    """

    bundle: Bundle
    version: str
    stateless: Stateless
    live: Live
    past: PastFailures

    @property
    def store(self) -> Store:
        """The database, as it is for this bundle."""
        return self.live.store


@dataclass
class Service:
    """The running service: what answers, what scores beside it, who may ask, and how much.

    store: the database without a bundle's sensors: for its keys and sessions, also while there is no model.
    record: the workspace whose `metrics/` tell of the model; None without one. person_header: the header in which a
    reverse proxy says who somebody is; empty if none does.
    """

    champion: Champion[Serving]
    shadow: Shadow
    keys: Keys
    store: Store
    record: Path | None = None
    person_header: str = ""
    counters: Counters = field(default_factory=Counters)
    rate: Rate = field(default_factory=lambda: Rate(PER_SECOND))
    concurrency: ConcurrencyLimit = field(default_factory=lambda: ConcurrencyLimit(AT_ONCE))

    @property
    def serving(self) -> Serving:
        """What answers now.

        Raises:
            Problem: 503, there is no model.
        """
        if self.champion.serving is None:
            raise Problem(503, "There is no model. See /health/ready.", headers={"Retry-After": "5"})
        return self.champion.serving


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service
