"""What the handlers share."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request

from forestall.serving.api.champion import Champion
from forestall.serving.api.limits import Places, Rate
from forestall.serving.api.problems import Problem
from forestall.serving.api.security import Keys
from forestall.serving.bundle import Bundle

PER_SECOND, AT_ONCE = 5_000.0, 256


@dataclass
class Service:
    """The running service: the bundle that answers, who may ask, and how much."""

    champion: Champion
    keys: Keys
    rate: Rate = field(default_factory=lambda: Rate(PER_SECOND))
    places: Places = field(default_factory=lambda: Places(AT_ONCE))

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers.

        Raises:
            Problem: 503, there is none.
        """
        bundle = self.champion.bundle
        if bundle is None:
            raise Problem(503, "There is no model. See /health/ready.", headers={"Retry-After": "5"})
        return bundle


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service
