"""The card says what the metrics say, and refuses to be empty."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from forestall.errors import ForestallError
from forestall.evaluation.card import Facts, model_card, rule_is_better

COSTS = {"model": 100.0, "one_line_rule": 250.5}


def slices(rule_in_seals: float) -> pd.DataFrame:
    rows = [
        ("test", "component", group, policy, cost)
        for group, rule in (("pump", 300.0), ("seal", rule_in_seals))
        for policy, cost in (("model", 200.0), ("one_line_rule", rule))
    ]
    return pd.DataFrame(rows, columns=["fold", "slice", "value", "policy", "cost_per_machine_month"])


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
        policies=policies,
        intervals=pd.DataFrame([interval]),
        slices=slices(150.0),
        calibration=pd.DataFrame({"component": ["pump"], "brier": [0.125]}),
    )


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
        "| one_line_rule | 250 |",
        "| pump | 0.125 |",
        "None but this.",
    ],
)
def test_it_says_what_the_metrics_say(said: str, facts: Facts) -> None:
    assert said in model_card(facts)


def test_it_names_the_slices_in_which_the_rule_is_better() -> None:
    assert "| component | seal | 200 | 150 |" in rule_is_better(slices(150.0))
    assert "In none of the 2 slices" in rule_is_better(slices(250.0))


def test_slices_that_are_all_too_small_are_no_empty_field() -> None:
    small = slices(150.0).assign(cost_per_machine_month=float("nan"))
    assert rule_is_better(small) == "No slice of the test fold holds enough failures to say."


@pytest.mark.parametrize("field", ["intervals", "slices", "calibration", "policies"])
def test_an_empty_field_is_an_error_that_names_it(field: str, facts: Facts) -> None:
    empty = replace(facts, **{field: getattr(facts, field).iloc[:0]})
    with pytest.raises(ForestallError, match="has nothing to say under"):
        model_card(empty)


def test_words_that_people_left_out_are_an_error(facts: Facts) -> None:
    with pytest.raises(ForestallError, match="under Limits"):
        model_card(replace(facts, words={"intended_use": "A test.", "limits": " "}))
