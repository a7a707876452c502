"""Policies beside models in studies: by the same account as the pipeline's own table and as trials of models."""

from __future__ import annotations

import numpy as np
import pytest

from forestall.evaluation.alternatives import alternatives
from forestall.evaluation.policies import MODEL, POLICIES
from forestall.evaluation.tables import COLUMNS
from forestall.evaluation.trials import never
from forestall.evaluation.verdict import Settings, verdict

from . import small
from .test_verdict import FAILURES, HIGH, WORK

LEAST = 2
COST = "cost_per_machine_month"


@pytest.mark.parametrize("fold", ["validation", "test"])
def test_they_are_those_of_the_pipelines_table(fold: str) -> None:
    whole = small.data(FAILURES, WORK, high=HIGH)
    settings = Settings("cost", 5, LEAST)
    judged = verdict(whole, small.Scorer(), np.zeros(len(whole.decisions)), settings, lambda _: None)  # type: ignore[arg-type]
    table = judged.tables["policies"]
    rows = table[table["fold"] == fold].set_index("policy").astype(float, errors="ignore")
    found = alternatives(whole, fold, "cost", LEAST)
    assert set(found) == set(POLICIES) - {MODEL}
    for policy, figures in found.items():
        known = rows.loc[policy, list(COLUMNS)].dropna().astype(float).to_dict()
        assert figures == pytest.approx(known)


def test_never_an_alarm_is_the_plant_as_run() -> None:
    whole = small.data(FAILURES, [*WORK, ("m1", 33.5, "seal")])
    found = alternatives(whole, "test", "cost", LEAST)
    assert found["as_run"][COST] == pytest.approx(never(whole, "test")[COST])
    assert found["as_run"]["replacements_per_machine_month"] > 0
    assert found["run_to_failure"]["replacements_per_machine_month"] == 0
