"""What a team would get that can look into so many alarms a week, and which failures that would miss."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forestall.evaluation.judge import Fold
from forestall.evaluation.ledger import CAUGHT, KEY
from forestall.evaluation.scores import ledger_scores
from forestall.training.judging import fleet_weeks
from forestall.training.thresholds import Levels

BUDGETS = (1, 2, 5, 10, 20)
NAMES = ["event_recall", "alarm_precision", "cost_per_machine_month", "failures", "alarms"]


def budget_tables(
    levels: Levels, validation: Fold, test: Fold, chosen: pd.DataFrame, budgets: Sequence[float] = BUDGETS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """For budgets of alarms per week, chosen on validation: what they come to on the test fold, and what they miss.

    Args:
        levels: the candidates, judged on the validation fold. chosen: the test fold's ledger at the thresholds in use.

    Returns:
        budget, alarms_per_week and the scores `NAMES`, missed (failures that the thresholds in use catch and these do
        not); and of each of those budget, machine, component, time.
    """
    dataset = test.data.dataset
    found, missed = [], []
    for budget in budgets:
        most = budget * fleet_weeks(validation.decisions, dataset)
        alarms = test.alarms(levels.thresholds(dataset.costs, "alarms_per_week", most))
        rows = test.ledger(alarms)
        lost = lost_failures(chosen, rows)
        missed.append(lost.assign(budget=budget))
        per_week = len(alarms) / fleet_weeks(test.decisions, dataset)
        scores = ledger_scores(rows, dataset.costs, test.total_months)
        found.append({"budget": budget, "alarms_per_week": per_week, **scores, "missed": len(lost)})
    table = pd.DataFrame(found).reindex(columns=["budget", "alarms_per_week", *NAMES, "missed"])
    return table, pd.concat(missed, ignore_index=True)[["budget", *KEY]]


def lost_failures(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """machine, component, time of the failures that one ledger has as caught and another has not."""
    caught = [rows.loc[rows["kind"] == CAUGHT, KEY] for rows in (before, after)]
    both = caught[0].merge(caught[1].assign(too=True), on=KEY, how="left")
    lost = both.loc[both["too"].isna(), KEY]
    return lost.sort_values(["time", "machine", "component"], kind="stable", ignore_index=True)
