"""Signals before failures: counted by hand where that can be done, found where they were put."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forestall.evaluation.ceiling import chance_of_spans, reached, shows
from forestall.evaluation.signals import before_failures, effects, healthy_ranks, onset_steps
from tests.evaluation.fold import events

EVERY, STEPS = 3, 20


def plant(
    machines: int, onset: int, shift: float, seed: int = 0
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """A decision every 3 ticks; every machine fails at 301 and 601, its first feature rises `onset` ticks before."""
    rng = np.random.default_rng(seed)
    time = np.tile(np.arange(0, 900, EVERY), machines)
    machine = np.repeat([f"m{number}" for number in range(machines)], 300).astype(object)
    values = rng.normal(size=(len(time), 4)).astype(np.float32)
    for failure in (301, 601):
        values[(time >= failure - onset) & (time < failure), 0] += shift
    failures = events(*((name, moment, "pump") for name in np.unique(machine) for moment in (301, 601)))
    return pd.DataFrame({"machine": machine, "time": time, "label.pump": 0}), values, failures


def test_leads_are_counted_in_steps_up_to_the_failure() -> None:
    decisions = pd.DataFrame({"machine": "m1", "time": [0, 3, 6, 9, 12, 15], "label.pump": 0})
    none = events()
    before = before_failures(decisions, "pump", events(("m1", 9, "pump")), none, EVERY, 2, 3)
    assert before.row.tolist() == [[2, 1]]  # a decision at the failure itself comes too late
    assert before.healthy.tolist() == [0, 5]


def test_decisions_about_the_part_before_are_left_out() -> None:
    decisions = pd.DataFrame({"machine": "m1", "time": [0, 3, 6, 9], "label.pump": 0})
    renewed = events(("m1", 5, "pump"), ("m1", 4, "seal"), ("m1", 9, "pump"))
    before = before_failures(decisions, "pump", events(("m1", 9, "pump")), renewed, EVERY, 3, 3)
    assert before.row.tolist() == [[2, -1, -1]]


def test_the_onset_is_found_where_it_was_put() -> None:
    decisions, values, failures = plant(machines=12, onset=30, shift=3.0)
    before = before_failures(decisions, "pump", failures, failures, EVERY, STEPS, 9)
    onset = onset_steps(*effects(healthy_ranks(values, before), before.machine, 1))
    assert onset[0] == 30 // EVERY
    assert (onset[1:] <= 1).all()


def test_the_ceiling_is_all_failures_up_to_the_onset_and_chance_beyond() -> None:
    decisions, values, failures = plant(machines=12, onset=30, shift=8.0)
    before = before_failures(decisions, "pump", failures, failures, EVERY, STEPS, 9)
    at, chance = shows(values, before, 5)
    assert np.nanmean(at[:, :10]) > 0.95
    assert np.nanmean(at[:, 10:]) < 0.1
    assert chance.mean() < 0.02


def test_without_a_signal_nothing_shows_but_by_chance() -> None:
    decisions, values, failures = plant(machines=12, onset=30, shift=0.0)
    before = before_failures(decisions, "pump", failures, failures, EVERY, STEPS, 9)
    at, _ = shows(values, before, 5)
    assert np.nanmean(at) < 0.05


def test_a_component_that_never_fails_has_no_effects() -> None:
    decisions, values, failures = plant(machines=2, onset=30, shift=1.0)
    before = before_failures(
        decisions.assign(**{"label.seal": 0}), "seal", failures, failures, EVERY, STEPS, 9
    )
    middle, low, high = effects(healthy_ranks(values, before), before.machine, 1)
    assert np.isnan(middle).all()
    assert onset_steps(middle, low, high).tolist() == [0, 0, 0, 0]
    assert shows(values, before, 5)[0].shape == (0, STEPS)


def test_a_failure_that_showed_early_is_reached_at_every_shorter_lead() -> None:
    at = np.array([[0.0, 1.0, 0.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(reached(at), [[1.0, 1.0, 0.0], [np.nan] * 3])


def test_chance_is_the_share_of_spans_with_a_decision_beyond() -> None:
    beyond = np.array([True, True, False, False, False])
    assert chance_of_spans(beyond, np.array([0, 0, 0, 1, 1]), np.array([0, 1, 10, 0, 1]), 10) == 1 / 3
