"""Every policy's cost, counted by hand; always-on and never-on look bad; the same draws for all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forestall.evaluation import policies
from forestall.evaluation.ledger import KINDS, ledger
from forestall.evaluation.lifetimes import NEVER, Wear, lives
from forestall.evaluation.resampling import drawn
from forestall.evaluation.tables import headline, interval_table, policy_table
from forestall.training.alarms import open_alarms
from forestall.training.series import Series, series_of

from .fold import COSTS, RULES, decisions, events

MONTHS = np.array([2.0, 2.0])
MACHINES = pd.Index(["m1", "m2"], dtype=object)
FAILURE, PLANNED, INSPECTION = COSTS.failure, COSTS.planned, COSTS.inspection
ACTED = COSTS.prevented * PLANNED + (1 - COSTS.prevented) * FAILURE
Found = dict[str, dict[str, np.ndarray]]


@pytest.fixture
def series() -> Series:
    """Pumps of two machines: m1 fails at 50 and 80 and is repaired at 81, m2 is replaced as planned at 40."""
    failed, work = (
        events(("m1", 50, "pump"), ("m1", 80, "pump")),
        events(("m1", 81, "pump"), ("m2", 40, "pump")),
    )
    return series_of(decisions(2, 100), ["pump"], set(), failed, work, 1000, repair=3)


def found(
    series: Series, high: list[tuple[int, int]], wear: Wear | None = None, interval: float = NEVER
) -> Found:
    """Every policy's figures; risk is high at (row, time) in `high`; the rule never fires."""
    risk = np.full((len(series), len(series.time)), 0.1, np.float32)
    for row, time in high:
        risk[row, time] = 0.9
    model, rule = (
        policies.tally(ledger(series, open_alarms(series, risk, level, RULES), RULES), MACHINES)
        for level in (0.5, 1.0)
    )
    parts = {"pump": wear or Wear(1.0, 1000.0, 2)}
    plant = policies.plant_of(lives(series, RULES, 0), MONTHS, MACHINES, parts)
    return policies.figures(model, rule, {"pump": interval}, plant, drawn(2, 40), COSTS, hour=1)


def cost(one: Found, policy: str) -> float:
    return float(one[policy]["cost_per_machine_month"][0]) * float(MONTHS.sum())


def test_costs_by_hand(series: Series) -> None:
    # One failure caught, one missed, one false alarm, one undetermined; one planned replacement by the plant.
    one = found(series, [(0, 45), (0, 10), (1, 35)])
    assert cost(one, "model") == pytest.approx(ACTED + FAILURE + 2 * INSPECTION + PLANNED)
    assert cost(one, "one_line_rule") == pytest.approx(2 * FAILURE + PLANNED)
    assert cost(one, "as_run") == cost(one, "one_line_rule")
    assert cost(one, "perfect_foresight") == pytest.approx(2 * ACTED + PLANNED)


def test_costs_are_what_is_paid_for_at_its_price(series: Series) -> None:
    for policy, names in found(series, [(0, 45), (0, 10)], Wear(2.0, 60.0, 9), 30.0).items():
        bill = [names[f"{what}_per_machine_month"] for what in ("breakdowns", "replacements", "inspections")]
        price = FAILURE * bill[0] + PLANNED * bill[1] + INSPECTION * bill[2]
        assert names["cost_per_machine_month"] == pytest.approx(price), policy


def test_without_wear_no_planned_work_breaks_down_as_often_as_was_seen(series: Series) -> None:
    one = found(series, [])
    assert cost(one, "run_to_failure") == pytest.approx(2 * FAILURE)
    assert one["run_to_failure"]["replacements_per_machine_month"][0] == 0


def test_a_fixed_interval_by_hand(series: Series) -> None:
    # Judged from 2 to 109: 214 ticks in use and 2 failures, so at shape 1 a life of 107; replaced at 50.
    one = found(series, [], interval=50.0)
    survive = np.exp(-50 / 107)
    rounds = 214 / (107 * (1 - survive))
    assert cost(one, "fixed_interval") == pytest.approx(
        rounds * ((1 - survive) * FAILURE + survive * PLANNED)
    )


def test_parts_that_wear_are_worth_replacing(series: Series) -> None:
    one = found(series, [], Wear(4.0, 60.0, 9), 30.0)
    assert cost(one, "fixed_interval") < cost(one, "run_to_failure")


def test_failures_that_nothing_could_foresee_cost_every_policy_the_same(series: Series) -> None:
    gap = decisions(2, 100)
    gap = gap[~((gap["machine"] == "m1") & gap["time"].between(35, 55))]
    blind = series_of(gap, ["pump"], set(), events(("m1", 50, "pump")), events(), 1000, repair=3)
    for policy in ("model", "one_line_rule", "as_run", "perfect_foresight", "run_to_failure"):
        assert cost(found(blind, []), policy) == pytest.approx(FAILURE), policy


def test_always_on_looks_bad_and_never_on_is_the_plant_as_run(series: Series) -> None:
    always = found(series, [(row, time) for row in range(2) for time in range(100)])
    never = found(series, [])
    assert always["model"]["event_recall"][0] == 1.0
    assert always["model"]["alarm_precision"][0] < 0.25
    assert always["model"]["false_alarms_per_machine_month"][0] > 3
    assert cost(always, "model") > cost(always, "perfect_foresight") + 10 * INSPECTION
    assert never["model"]["event_recall"][0] == 0.0
    assert np.isnan(never["model"]["alarm_precision"][0])
    assert cost(never, "model") == cost(never, "as_run")


def test_inspections_for_nothing_make_alarms_free(series: Series) -> None:
    free = COSTS.model_copy(update={"inspection": 0.0})
    risk = np.full((2, 100), 0.9, np.float32)
    one = policies.tally(ledger(series, open_alarms(series, risk, 0.5, RULES), RULES), MACHINES)
    bill = policies.alarm_bill(one, np.ones((1, 2)), free.prevented)
    assert bill.cost(free)[0] == pytest.approx(2 * ACTED + PLANNED)


def test_draws_are_those_of_drawing_machines_one_by_one(series: Series) -> None:
    one, draws = found(series, [(0, 45), (0, 10), (1, 60)]), drawn(2, 40)
    # m1: one caught, one missed, one false alarm; m2: one false alarm, one planned replacement.
    m1, m2 = ACTED + FAILURE + INSPECTION, INSPECTION + PLANNED
    direct = (draws @ [m1, m2]) / (draws @ MONTHS)
    assert one["model"]["cost_per_machine_month"] == pytest.approx(direct)
    recall = one["model"]["event_recall"]
    assert np.isnan(recall[draws[:, 0] == 0]).all()
    assert (recall[draws[:, 0] > 0] == 0.5).all()


def test_differences_are_paired(series: Series) -> None:
    one = found(series, [(0, 45)])
    table = interval_table({"test": one})
    pair = table.query("policy == 'model - as_run' and metric == 'cost_per_machine_month'")
    value, low, high = pair[["value", "low", "high"]].to_numpy()[0]
    assert value == pytest.approx((ACTED - FAILURE) / MONTHS.sum())
    assert low <= value <= high <= 0
    recall = table.query("policy == 'model - one_line_rule' and metric == 'event_recall'")
    assert recall.empty  # one machine of two has a failure that counts: it is the same in all draws
    assert not table.isna().any().any()


def test_a_fold_without_failures_or_alarms(series: Series) -> None:
    quiet = series_of(decisions(2, 100), ["pump"], set(), events(), events(), 1000)
    one = found(quiet, [], Wear(2.0, 60.0, 9), 30.0)
    table = policy_table({"test": one}).set_index("policy")
    assert table["event_recall"].isna().all()
    assert table.loc["model", "failures"] == 0
    assert cost(one, "run_to_failure") == cost(one, "model") == 0
    assert cost(one, "fixed_interval") == pytest.approx(214 / 30 * PLANNED)
    assert "event_recall" not in headline(one)
    assert not interval_table({"test": one}).isna().any().any()


def test_one_machine_has_figures_and_no_intervals(series: Series) -> None:
    alone = series.take(series.machine == "m1")
    one = policies.tally(
        ledger(alone, open_alarms(alone, np.full((1, 100), 0.1), 0.5, RULES), RULES), MACHINES[:1]
    )
    plant = policies.plant_of(lives(alone, RULES, 0), MONTHS[:1], MACHINES[:1], {"pump": Wear(1.0, 60.0, 2)})
    figures = policies.figures(one, one, {"pump": NEVER}, plant, drawn(1), COSTS, 1)
    assert figures["model"]["failures"].tolist() == [2]
    assert interval_table({"test": figures}).empty


def test_a_part_whose_age_nobody_knows_has_no_wear(series: Series) -> None:
    young = series_of(decisions(2, 100), ["pump"], set(), events(), events(), 1000)
    plant = policies.plant_of(lives(young, RULES, None), MONTHS, MACHINES, {"pump": Wear(3.0, 60.0, 9)})
    assert plant.parts["pump"][0] == 1.0


def test_every_policy_has_its_row_and_the_table_its_columns(series: Series) -> None:
    table = policy_table({"test": found(series, [(0, 45)])})
    assert table["policy"].tolist() == list(policies.POLICIES)
    assert set(KINDS) & set(table.columns) == {"undetermined"}
    assert table.columns[:3].tolist() == ["fold", "policy", "event_recall"]
    assert len(headline(found(series, [(0, 45)]))) <= 12
