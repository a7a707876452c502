"""Everything evaluate finds, on small plants, the awkward ones too: no NaN in metrics, no crash, no warning."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forestall.evaluation import judge, plots
from forestall.evaluation.break_even import RATIOS, Choices, bills_by_price, costs_at, ranges_of
from forestall.evaluation.budgets import budget_tables, lost_failures
from forestall.evaluation.card import model_card
from forestall.evaluation.judge import Data
from forestall.evaluation.policies import FIXED, MODEL, POLICIES
from forestall.evaluation.verdict import Settings, Verdict, verdict
from forestall.pipeline import files
from forestall.training.thresholds import judged_levels
from tests.plant import DAY

from . import small
from .small import Times
from .test_card import facts_of

FAILURES: Times = [
    (f"m{machine}", day + machine + 0.05, part)
    for machine in range(3)
    for day, part in (
        (5, "pump"),
        (9, "seal"),
        (12, "pump"),
        (22, "pump"),
        (24, "seal"),
        (33, "pump"),
        (35, "seal"),
    )
]
WORK: Times = [("m0", 8.0, "pump"), ("m1", 23.0, "seal"), ("m2", 36.5, "pump")]
HIGH: Times = [
    (machine, math.floor((day - 0.3) * 8) / 8, part) for machine, day, part in FAILURES if machine != "m2"
]


def found(whole: Data, scorer: small.Scorer | None = None, by: str = "cost") -> Verdict:
    gaps = np.zeros(len(whole.decisions))
    scorer = scorer or small.Scorer()
    return verdict(whole, scorer, gaps, Settings(by, 5, 2), lambda _: None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def whole() -> Verdict:
    return found(small.data(FAILURES, WORK, high=[*HIGH, ("m2", 34.5, "seal")]))


def test_all_tables_and_metrics_are_there(whole: Verdict) -> None:
    assert set(whole.metrics) == {"validation", "test", "rule", "break_even"}
    assert set(whole.tables) == {
        "policies",
        "intervals",
        "lifetimes",
        "slices",
        "rows",
        "calibration",
        "remaining_life",
        "budget",
        "budget_misses",
        "failures",
        "false_alarms",
    }
    assert all(len(whole.metrics[fold]) <= 12 for fold in ("validation", "test"))
    assert not whole.tables["intervals"].isna().any().any()


def test_the_tables_agree(whole: Verdict) -> None:
    test = whole.metrics["test"]
    policies = whole.tables["policies"].set_index(["fold", "policy"])
    fates = whole.tables["failures"]
    assert policies.loc[("test", "model"), "event_recall"] == test["event_recall"]
    assert (fates["caught"] == "yes").mean() == pytest.approx(test["event_recall"])
    assert len(fates) == test["failures"]
    of_model = "fold == 'test' and policy == 'model' and "
    interval = whole.tables["intervals"].query(of_model + "metric == 'cost_per_machine_month'")
    assert interval["value"].tolist() == [test["cost_per_machine_month"]]
    fleet = whole.tables["slices"].query(of_model + "slice == 'fleet'")
    assert fleet["cost_per_machine_month"].tolist() == pytest.approx([test["cost_per_machine_month"]])


def test_perfect_foresight_is_never_dearer(whole: Verdict) -> None:
    for _, one in whole.tables["policies"].groupby("fold"):
        cost = one.set_index("policy")["cost_per_machine_month"]
        assert (
            cost["perfect_foresight"] == cost[["model", "one_line_rule", "as_run", "perfect_foresight"]].min()
        )


def test_at_the_dataset_files_own_costs_break_even_is_the_table(whole: Verdict) -> None:
    data = small.data(FAILURES, WORK, high=[*HIGH, ("m2", 34.5, "seal")])
    folds, own = small.judged(data), data.dataset.costs
    levels = judged_levels(folds["validation"].series, folds["validation"].risk, data.rules, 5)
    choices = Choices(levels, judge.rule_candidates(data), judge.training_wear(data, 2), DAY)
    test = folds["test"]
    run, draw = test.tally(test.ledger(test.rule_alarms())), np.ones((1, 3))
    bills = bills_by_price(test, run, choices, [costs_at(own, 50.0), own, costs_at(own, 1.0)], draw)
    table = whole.tables["policies"].query("fold == 'test'").set_index("policy")["cost_per_machine_month"]
    for policy in set(POLICIES) - {MODEL}:  # whose thresholds were given
        assert bills[policy][1].cost(own) / test.total_months == pytest.approx(table[policy]), policy
    often, seldom = bills[FIXED][0], bills[FIXED][2]
    assert often.breakdowns < bills[FIXED][1].breakdowns < seldom.breakdowns


def test_the_plant_as_run_costs_more_the_more_a_failure_does(whole: Verdict) -> None:
    curve = whole.plots["break_even"]
    assert set(curve["ratio"]) == set(RATIOS)
    bands = curve.dropna(subset=["low"])
    assert set(bands["policy"]) >= {"model", "one_line_rule"}
    assert (bands["low"] <= bands["cost_per_machine_month"]).all()
    run = curve[curve["policy"] == "as_run"].sort_values("ratio")["cost_per_machine_month"].to_numpy()
    # The plant as it ran: two prices decide, and the curve is a straight line over the ratio.
    slope = np.diff(run) / np.diff(RATIOS)
    assert slope == pytest.approx(np.full(len(slope), slope[0]))
    assert costs_at(small.data([]).dataset.costs, 5.0).failure == 1000.0


def test_where_it_pays_says_from_which_ratio_on(whole: Verdict) -> None:
    pays = whole.metrics["break_even"]
    assert set(pays) == {"one_line_rule", "fixed_interval", "as_run", "run_to_failure"}
    assert 1 < pays["as_run"]["pays_from"] < 5
    assert pays["as_run"]["pays_to"] == RATIOS[-1]


def test_a_policy_that_is_dearer_in_one_draw_of_twenty_is_beaten_but_not_surely() -> None:
    difference = np.full((len(RATIOS), 101), -1.0)
    difference[:5], difference[5:10, 96:] = 1.0, 1.0
    found = ranges_of(difference)
    assert (found["pays_from"], found["surely_pays_from"]) == (RATIOS[5], RATIOS[10])
    assert found["pays_to"] == found["surely_pays_to"] == RATIOS[-1]
    assert ranges_of(np.ones_like(difference)) == {}


def test_a_budget_names_what_it_misses() -> None:
    rows = pd.DataFrame({"machine": ["a", "b"], "component": "pump", "time": [5, 9], "kind": "caught"})
    less = rows.assign(kind=["caught", "missed"])
    assert lost_failures(rows, less).to_numpy().tolist() == [["b", "pump", 9]]
    assert lost_failures(less, rows).empty


def test_a_wider_budget_raises_no_fewer_alarms(whole: Verdict) -> None:
    table = whole.tables["budget"]
    assert table["budget"].tolist() == [1, 2, 5, 10, 20]
    assert (table["alarms"].diff().dropna() >= 0).all()
    misses = whole.tables["budget_misses"].groupby("budget").size().reindex(table["budget"], fill_value=0)
    assert misses.tolist() == table["missed"].tolist()


def test_a_budget_is_kept_to_on_the_fold_that_chose() -> None:
    always = small.data(FAILURES, WORK)
    always.features[:, :2] = np.random.default_rng(0).random((len(always.features), 2))
    fold = small.judged(always)["validation"]
    levels = judged_levels(fold.series, fold.risk, always.rules, 5)
    table, _ = budget_tables(levels, fold, fold, fold.ledger(fold.rule_alarms()))
    assert (table["alarms_per_week"] <= table["budget"]).all()
    assert table["alarms"].iloc[-1] > table["alarms"].iloc[0]


def test_the_figures_are_drawn(whole: Verdict, tmp_path: Path) -> None:
    plots.draw(whole.plots, ["pump", "seal"], tmp_path)
    assert {file.stem for file in tmp_path.iterdir()} == set(whole.plots)


AWKWARD = {
    "no failure in the test fold": small.data([one for one in FAILURES if one[1] < 28], WORK),
    "no failure in the validation fold": small.data(
        [one for one in FAILURES if not 18 < one[1] < 28], WORK, high=HIGH
    ),
    "one machine": small.data([one for one in FAILURES if one[0] == "m0"], machines=1, high=HIGH[:4]),
    "inspections for nothing": small.data(FAILURES, WORK, high=HIGH, inspection=0.0),
    "planned work for nothing": small.data(FAILURES, WORK, high=HIGH, planned=0.0),
    "planned work as dear as failures": small.data(FAILURES, WORK, high=HIGH, planned=1000.0),
    "nothing ever fails after training": small.data([one for one in FAILURES if one[1] < 18]),
    "no maintenance": small.data(FAILURES, high=HIGH),
    "a part that failed twice, in training": small.data(
        [one for one in FAILURES if one[2] == "seal" or one[1] < 6.1], WORK, high=HIGH
    ),
    "healthy but for two days": small.data(
        [one for one in FAILURES if one[1] < 18 or 33 < one[1] < 35], WORK
    ),
}


def as_written(tables: dict[str, pd.DataFrame], folder: Path) -> dict[str, pd.DataFrame]:
    """The tables that the model card reads, from their files."""
    names = ("policies", "intervals", "slices", "calibration", "remaining_life")
    for name in names:
        files.write_csv(folder / f"{name}.csv", tables[name])
    return {name: pd.read_csv(folder / f"{name}.csv") for name in names}


@pytest.mark.parametrize("case", AWKWARD)
@pytest.mark.parametrize("level", [0.05, 1.0], ids=["always on", "never on"])
def test_awkward_plants_are_judged_all_the_same(case: str, level: float, tmp_path: Path) -> None:
    one = found(AWKWARD[case], small.Scorer({"pump": level, "seal": level}))
    for name, figures in one.metrics.items():
        files.write_json(tmp_path / f"{name}.json", figures)  # refuses NaN
    assert not one.tables["intervals"].isna().any().any()
    costs = one.tables["policies"]["cost_per_machine_month"]
    assert costs.notna().all()
    assert (costs >= 0).all()
    assert one.tables["intervals"].empty == (case == "one machine")
    plots.draw({name: one.plots[name] for name in ("break_even", "timeline")}, ["pump", "seal"], tmp_path)
    assert not re.search(r"\b(nan|inf)\b", model_card(facts_of(as_written(one.tables, tmp_path))))


@pytest.mark.parametrize("case", AWKWARD)
def test_of_awkward_plants_the_counts_say_why_a_figure_is_not_defined(case: str) -> None:
    life = found(AWKWARD[case]).tables["remaining_life"]
    skill = life["metric"] == "integrated_brier_skill"
    assert (life["value"].isna() == (life["decisions"] == 0))[~skill].all()
    no_failure = life.loc[life["metric"] == "foreseen", "decisions"] == 0
    assert life.loc[skill, "value"].isna().tolist() == no_failure.tolist()


def test_always_on_costs_more_than_never_on_where_nothing_fails() -> None:
    quiet = AWKWARD["nothing ever fails after training"]
    costs = [
        found(quiet, small.Scorer({"pump": level, "seal": level})).metrics["test"]["cost_per_machine_month"]
        for level in (0.05, 1.0)
    ]
    assert costs[0] > costs[1] == 0


def test_alarms_by_recall_are_judged_with_a_rule_by_recall() -> None:
    assert found(small.data(FAILURES, WORK, high=HIGH), by="recall").metrics["test"]["failures"] == 6
