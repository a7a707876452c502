"""What monitoring has found out last of the model in service: for /metrics, and for the page."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from forestall.serving.api.change_state import ChangeState, KnownChange
from forestall.serving.api.drift_state import DriftState, KnownDrift
from forestall.serving.api.outcome_state import KnownOutcomes, OutcomeState
from forestall.serving.api.service import Service
from forestall.serving.api.state import State


@dataclass(frozen=True)
class Known:
    """What was found last, taken once, so that whoever tells it tells of one moment."""

    drift: KnownDrift
    outcomes: KnownOutcomes
    change: KnownChange


class Watch:
    """Drift, outcomes and the change of risk, each with what it last found; worked out in a thread of its own.

    That may take longer than people wait: what the store says at once (`state` of /metrics) does not wait for it.

    Args:
        folder: the bundle's.
    """

    def __init__(self, service: Service, folder: Path) -> None:
        self.drift, self.outcomes, self.change = DriftState(folder), OutcomeState(), ChangeState()
        collectors = (self.drift, self.outcomes, self.change)
        self.state = State(service, collectors, ThreadPoolExecutor(1, "watch"))

    @property
    def known(self) -> Known:
        """What was found last."""
        return Known(self.drift.known, self.outcomes.known, self.change.known)


def watch_of(request: Request) -> Watch:
    """The service's."""
    found: Watch = request.app.state.watch
    return found
