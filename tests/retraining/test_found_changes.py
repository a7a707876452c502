"""What of monitoring asks for another model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forestall.monitoring.reference import MonitoringReference
from forestall.monitoring.stored_blocks import stored_drift
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.monitoring.watched import WatchedInputs
from forestall.retraining.found_changes import found_changes
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.store.database import Store
from tests.monitoring.test_stored_estimates import END, risk, told
from tests.serving.test_input_counts import END as PLAYED_UNTIL
from tests.serving.test_input_counts import play

__all__ = ["risk"]
# Whatever differs at all from the reference holds at once.
EAGER = replace(THRESHOLDS, psi_level=1.0, risk_least=0.0, input_least=0.0, k=1, n=1)


@pytest.mark.parametrize(
    ("chance", "said"), [(1.0, []), (2.5, ["Of pump there were more failures than the risks say."])]
)
def test_failures_that_refute_the_risks(
    store: Store, bundle: Bundle, request: pytest.FixtureRequest, chance: float, said: list[str]
) -> None:
    told(store, bundle, request.getfixturevalue("risk"), chance)
    live = Live.over(store, bundle, lambda: END)
    with store.reading() as connection:
        assert found_changes(connection, live, None, END) == said


def test_drift_that_holds(
    store: Store, bundle: Bundle, counter: WatchedInputs, monitored: MonitoringReference
) -> None:
    live = play(store, bundle, counter)
    with live.store.reading() as connection:
        said = found_changes(connection, live, monitored, PLAYED_UNTIL, EAGER)
        drift = stored_drift(connection, live, monitored, PLAYED_UNTIL, EAGER)
    assert drift is not None
    moved = [one.name for one in drift.risks if one.holds]
    assert moved and [
        f"Risks of {name} are spread otherwise than in the reference weeks." for name in moved
    ] == [one for one in said if one.startswith("Risks")]
    assert any("judged" in one for one in said) == drift.opinions.holds


def test_without_readings_nothing_is_known(
    store: Store, bundle: Bundle, monitored: MonitoringReference
) -> None:
    with store.reading() as connection:
        assert found_changes(connection, Live.over(store, bundle, None), monitored, END) == []
