"""Estimates from the risks that a store keeps, checked against the failures that it keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.features.reference import Matrix
from forestall.monitoring.estimate import FEWER, TOO_FEW, Estimated
from forestall.monitoring.service import Window
from forestall.monitoring.stored_estimates import stored_estimates
from forestall.monitoring.stored_outcomes import stored_outcomes
from forestall.serving.bundle import Bundle
from forestall.serving.store.alarms import raise_alarm
from forestall.serving.store.database import Store
from forestall.serving.store.machines import known_numbers
from forestall.serving.store.opinions import DecisionRisks, model_number, write_risks
from tests import plant
from tests.serving.feeding import send_events
from tests.serving.test_live import EVENTS

DAYS, STEPS, LEVEL, LEAST = 60, 8, 0.001, 10
END = plant.START + DAYS * plant.DAY
WINDOW = Window(plant.START, END)
NAMES = [f"m{number}" for number in range(6)]


@pytest.fixture
def risk() -> Matrix:
    """Of the pump over a day, [machines, decisions]; the seal's is nothing."""
    return np.random.default_rng(0).uniform(0.05, 0.5, (6, DAYS * STEPS + 1)).astype(np.float32)


def told(store: Store, bundle: Bundle, risk: Matrix, chance: float) -> int:
    """Risks at all decisions, failures in each day by `chance` times those at its start, alarms; the model."""
    rng, rows = np.random.default_rng(1), []
    with store.writing() as connection:
        numbers, model = known_numbers(connection, NAMES), model_number(connection, bundle)
        for m, name in enumerate(NAMES):
            curves = np.zeros((risk.shape[1], 2, 2), dtype=np.float32)
            curves[:, 0, 1] = risk[m]
            decided = [
                DecisionRisks(numbers[name], plant.START + step * 3 * plant.HOUR, "", curves[step])
                for step in range(risk.shape[1])
            ]
            write_risks(connection, model, decided)
            for step in (*range(0, DAYS * STEPS, STEPS), DAYS * STEPS - 2):
                opened, value = decided[step].time, float(risk[m, step])
                raise_alarm(connection, numbers[name], "pump", opened, value, 0.0, 0)
            days = np.flatnonzero(rng.random(DAYS) < chance * risk[m, : DAYS * STEPS : STEPS])
            rows += [(name, plant.START + int(day) * plant.DAY + 12 * plant.HOUR, "pump") for day in days]
    failures = pd.DataFrame(rows, columns=["machine", "time", "component"])
    none = {kind: getattr(EVENTS, kind).iloc[:0] for kind in ("errors", "maintenance", "downtime")}
    send_events(store, replace(EVENTS, failures=failures, **none), bundle)
    return model


def estimates(store: Store, bundle: Bundle, model: int) -> dict[str, Estimated]:
    with store.reading() as connection:
        found = stored_outcomes(connection, bundle, WINDOW)
        return stored_estimates(connection, bundle, model, found, LEVEL, LEAST)


def test_calibrated_risks_are_added_up(store: Store, bundle: Bundle, risk: Matrix) -> None:
    found = estimates(store, bundle, told(store, bundle, risk, 1.0))
    pump = found["pump"]
    # The first day does not begin after the window's beginning, and the last one is pending.
    mature = risk[:, STEPS : (DAYS - 1) * STEPS : STEPS].astype(np.float64)
    assert pump.decisions.count == mature.size
    assert pump.decisions.expected == pytest.approx(mature.sum())
    assert pump.decisions.withheld == ""
    assert pump.coming is not None
    assert pump.coming.value == pytest.approx(risk[:, -1].astype(np.float64).sum())
    assert pump.pending is not None
    assert pump.pending.value == pytest.approx(risk[:, -1 - STEPS].astype(np.float64).sum())
    assert found["seal"].decisions.withheld == TOO_FEW


def test_risks_that_are_too_high_estimate_nothing(store: Store, bundle: Bundle, risk: Matrix) -> None:
    pump = estimates(store, bundle, told(store, bundle, risk, 0.4))["pump"]
    assert pump.decisions.withheld == FEWER
    assert (pump.coming, pump.pending, pump.event_recall) == (None, None, None)


def test_what_another_model_thought_proves_nothing_of_this_one(
    store: Store, bundle: Bundle, risk: Matrix
) -> None:
    model = told(store, bundle, risk, 1.0)
    pump = estimates(store, bundle, model + 1)["pump"]
    assert (pump.decisions.count, pump.decisions.withheld, pump.coming) == (0, TOO_FEW, None)


def test_alarms_at_their_opening_are_checked_and_estimated(
    store: Store, bundle: Bundle, risk: Matrix
) -> None:
    model = told(store, bundle, risk, 1.0)
    pump = estimates(store, bundle, model)["pump"]
    last = risk[:, DAYS * STEPS - 2].astype(np.float64)
    assert pump.alarms.count == 6 * (DAYS - 1)
    assert pump.alarms.withheld == ""
    assert pump.alarm_precision is not None
    assert pump.alarm_precision.value == pytest.approx(last.mean())
    assert pump.event_recall is not None
    assert pump.event_recall.value == pytest.approx(min(1, last.sum() / risk[:, -1 - STEPS].sum()))
