"""The card says what the metrics say, and refuses to be empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import pytest

from forestall.errors import ForestallError
from forestall.evaluation.card import Facts, model_card, remaining_life, rule_is_better

COSTS = {"model": 100.0, "one_line_rule": 250.5}


def slices(rule_in_seals: float) -> pd.DataFrame:
    rows = [
        ("test", "component", group, policy, cost)
        for group, rule in (("pump", 300.0), ("seal", rule_in_seals))
        for policy, cost in (("model", 200.0), ("one_line_rule", rule))
    ]
    return pd.DataFrame(rows, columns=["fold", "slice", "value", "policy", "cost_per_machine_month"])


def lives(
    p50: tuple[float, float | None, float | None] = (0.5, 0.4, 0.6), skill: float = 0.2
) -> pd.DataFrame:
    rows = [
        ("failed_by_p10", 0.125, 0.05, 0.2, 40),
        ("failed_by_p50", *p50, 20),
        ("failed_by_p90", None, None, None, 0),
        ("foreseen", 0.25, 0.1, 0.5, 80),
        ("median_error_h", 5.5, 4.0, 7.5, 15),
        ("integrated_brier", 0.01, 0.005, 0.02, 900),
        ("integrated_brier_skill", skill, skill - 0.1, skill + 0.1, 900),
    ]
    table = pd.DataFrame(rows, columns=["metric", "value", "low", "high", "decisions"])
    return table.assign(component="pump", machines=9)


def facts_of(tables: Mapping[str, pd.DataFrame]) -> Facts:
    """What a card is made of, but for the tables in metrics/."""
    return Facts(
        dataset="mill",
        about="Made for a test.",
        words={"intended_use": "A test of the card.", "limits": "None but this."},
        manifest={
            "family": "decision_tree",
            "thresholds": {"pump": 0.25},
            "lookback": 48,
            "reference": {"features": [1, 2, 3], "unit": "cycles", "spans": {"horizons": [12, 24]}},
        },
        params={
            "train": {"decision_tree": {"depth": 5}, "seed": 7, "calibration": "beta"},
            "alarm": {"by": "recall"},
        },
        data={"machines": 12},
        **tables,
    )


@pytest.fixture
def facts() -> Facts:
    policies = pd.DataFrame(
        {"fold": "test", "policy": list(COSTS), "cost_per_machine_month": list(COSTS.values())}
    )
    interval = {
        "fold": "test",
        "policy": "model",
        "metric": "event_recall",
        "value": 0.5,
        "low": 0.25,
        "high": 0.75,
    }
    than = {
        "fold": "test",
        "policy": "model - one_line_rule",
        "metric": "cost_per_machine_month",
        "value": -150.0,
        "low": -200.0,
        "high": -105.0,
    }
    tables = {
        "policies": policies,
        "intervals": pd.DataFrame([interval, than]),
        "slices": slices(150.0),
        "calibration": pd.DataFrame({"component": ["pump"], "horizon": [12], "brier_skill": [0.125]}),
        "remaining_life": lives(),
    }
    return facts_of(tables)


@pytest.mark.parametrize(
    "said",
    [
        "# Model card: mill",
        "A test of the card.",
        "depth 5; seed 7), beta calibration",
        "3 features that look back 48 cycles; risk over 2 horizons",
        "by recall: pump 0.25",
        "| machines | 12 |",
        "0.5 (0.25 to 0.75)",
        "| one_line_rule | 250 | -150 (-200 to -105) |",
        "| median lead time, cycles | not defined |",
        "| component | horizon, cycles | brier_skill |",
        "| pump | 12 | 0.125 |",
        "failures with a p50 | median error of p50, cycles | skill |",
        "| pump | 0.125 (0.05 to 0.2), 40 | 0.5 (0.4 to 0.6), 20 | not defined, 0 | 0.25 (0.1 to 0.5), 80 |",
        "None but this.",
    ],
)
def test_it_says_what_the_metrics_say(said: str, facts: Facts) -> None:
    assert said in model_card(facts)


def test_a_threshold_that_nothing_reaches_is_named(facts: Facts) -> None:
    silent = replace(facts, manifest={**facts.manifest, "thresholds": {"pump": 1.0, "seal": 1.0001}})
    assert "by recall: pump 1, seal never an alarm." in model_card(silent)


def test_one_horizon_is_not_the_longest_of_several(facts: Facts) -> None:
    reference = facts.manifest["reference"] | {"spans": {"horizons": [24]}}
    alone = replace(facts, manifest={**facts.manifest, "reference": reference})
    assert "look back 48 cycles; risk over one horizon." in model_card(alone)


def test_it_names_the_slices_in_which_the_rule_is_better() -> None:
    assert "| component | seal | 200 | 150 |" in rule_is_better(slices(150.0))
    assert "In none of the 2 slices" in rule_is_better(slices(250.0))


def test_slices_that_are_all_too_small_are_no_empty_field() -> None:
    small = slices(150.0).assign(cost_per_machine_month=float("nan"))
    assert rule_is_better(small) == "No slice of the test fold holds enough failures to say."


@pytest.mark.parametrize("field", ["slices", "calibration", "remaining_life", "policies"])
def test_an_empty_field_is_an_error_that_names_it(field: str, facts: Facts) -> None:
    empty = replace(facts, **{field: getattr(facts, field).iloc[:0]})
    with pytest.raises(ForestallError, match="has nothing to say under"):
        model_card(empty)


def test_scores_without_an_interval_are_shown_all_the_same(facts: Facts) -> None:
    card = model_card(facts)
    assert "| failures caught in time | 0.5 (0.25 to 0.75) | not defined |" in card
    assert "| cost per machine-month | 100 | 250 |" in card
    assert "A score without one is not sure" in card
    alone = model_card(replace(facts, intervals=facts.intervals.iloc[:0]))
    assert "| cost per machine-month | 100 | 250 |" in alone


def test_what_is_foreseen_too_well_is_named(facts: Facts) -> None:
    assert "Too good" not in model_card(facts)
    skills = pd.DataFrame({"component": ["pump", "seal", "seal"], "brier_skill": [0.5, 0.8, 0.99]})
    assert "Too good to be foresight: seal (" in model_card(
        replace(facts, calibration=skills.assign(horizon=12))
    )


def test_words_that_people_left_out_are_an_error(facts: Facts) -> None:
    with pytest.raises(ForestallError, match="under Limits"):
        model_card(replace(facts, words={"intended_use": "A test.", "limits": " "}))


@pytest.mark.parametrize(
    ("p50", "said"),
    [
        ((0.5, 0.4, 0.6), "None of these shares is off"),
        ((0.55, 0.52, 0.6), "None of these shares is off"),  # by no more than a tenth
        ((0.7, 0.45, 0.9), "None of these shares is off"),  # it may be chance
        ((0.75, 0.6, 0.9), "Worst: p50 of pump, by which 0.75 (0.6 to 0.9) had failed. It comes too late"),
        ((0.25, 0.1, 0.45), "Worst: p50 of pump, by which 0.25 (0.1 to 0.45) had failed. It comes too early"),
    ],
)
def test_it_names_the_remaining_life_that_is_furthest_off(p50: tuple[float, float, float], said: str) -> None:
    assert said in remaining_life(lives(p50), "h")


def test_of_two_that_are_off_the_worse_is_named() -> None:
    both = pd.concat([lives((0.75, 0.6, 0.9)), lives((0.1, 0.0, 0.3)).assign(component="seal")])
    assert "Worst: p50 of seal" in remaining_life(both, "h")
    assert "| pump | " in remaining_life(both, "h")


def test_nothing_is_said_of_right_or_wrong_where_no_share_has_an_interval() -> None:
    few = lives().assign(low=float("nan"), high=float("nan"))
    assert "Too few machines" in remaining_life(few, "h")
    assert "| 0.5, 20 |" in remaining_life(few, "h")


def test_a_curve_without_skill_is_named() -> None:
    assert "No better than always saying the fleet's own rates: pump." in remaining_life(
        lives(skill=-0.1), "h"
    )
    assert "No better" not in remaining_life(lives(skill=0.1), "h")
