"""What moved a metric, from runs' figures: shares, the rest, and the words for it."""

from __future__ import annotations

import pytest

from forestall.comparison.explanation import TOGETHER, Explanation, Run, markdown
from forestall.comparison.factors import Factor

COST = "cost"


def explanation(base: float, head: float, **factors: float | None) -> Explanation:
    names: dict[str, Factor] = {
        "code": "code",
        "params": "params",
        "data": "data",
        "environment": "environment",
    }
    alone = [
        Run(f"base + {name}", names[name], None if value is None else {COST: value}, None, [])
        if value is not None
        else Run(f"base + {name}", names[name], None, "train: no such key", [])
        for name, value in factors.items()
    ]
    ends = [Run(name, None, {COST: value}, None, []) for name, value in (("base", base), ("head", head))]
    named: dict[str, str | None] = {"name": "main", "commit": "a" * 40}
    return Explanation(named, named | {"name": "work"}, COST, [ends[0], *alone, ends[1]], [], 9.0)


def test_shares_and_the_rest_add_up() -> None:
    moved = explanation(100, 70, code=95, params=85).moved(COST)
    assert moved == {"params": -15, TOGETHER: -10, "code": -5}
    assert sum(moved.values()) == 70 - 100


def test_chance_is_what_two_runs_of_other_seeds_differ_by() -> None:
    assert "the seed alone differ by up to 24.9 (95 %)" in markdown(explanation(100, 70, params=70))


def test_rounding_is_no_remainder() -> None:
    assert explanation(3015.61, 3706.45, params=3706.44).moved(COST)[TOGETHER] == 0


def test_the_title_names_the_greatest() -> None:
    assert markdown(explanation(100, 70, params=70)).startswith("## What moved cost: params\n")
    assert markdown(explanation(100, 30, code=90, params=50)).startswith(
        "## What moved cost: mostly params\n"
    )
    assert "they act together\n" in markdown(explanation(100, 70, code=100, params=100))
    assert markdown(explanation(100, 100, code=100)).startswith("## What moved cost: nothing\n")


def test_what_another_seed_does_as_well_moved_nothing() -> None:
    assert markdown(explanation(100, 76, params=76)).startswith(
        "## What moved cost: nothing beyond what another seed does\n"
    )
    assert markdown(explanation(100, 74, params=74)).startswith("## What moved cost: params\n")


def test_a_factor_that_could_not_run_says_why_and_is_in_the_rest() -> None:
    found = explanation(100, 70, code=None, params=90)
    assert found.moved(COST) == {TOGETHER: -20, "params": -10}
    text = markdown(found)
    assert text.startswith("## What moved cost: not known without code\n")
    assert "- base + code could not be run: train: no such key\n" in text
    assert "| base + code |" not in text
    assert text.endswith(f"- What a factor without a run did is in `{TOGETHER}`.\n")


def test_a_figure_that_a_run_lacks_is_a_dash() -> None:
    found = explanation(100, 70, params=90)
    assert found.runs[0].figures is not None
    found.runs[0].figures["brier"] = 0.5
    assert "| brier | 0.5 | - | - | - |" in markdown(found)


def test_json_has_what_moved_each_metric() -> None:
    content = explanation(100, 70, params=90).as_json()
    assert content["moved"] == {COST: {TOGETHER: pytest.approx(-20), "params": -10}}
    assert content["fold"] == "validation"
