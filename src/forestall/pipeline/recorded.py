"""What a revision's own files say of its model: figures, slices, the rule's cost, the fleet's list."""

from __future__ import annotations

from io import StringIO

import pandas as pd

from forestall.comparison.paired import Difference
from forestall.errors import ForestallError
from forestall.evaluation.policies import MODEL, RULE
from forestall.evaluation.tables import COST, HEADLINE
from forestall.features.labels import TEST, VALIDATION
from forestall.pipeline.side import Side

PREDICTIONS, FLEET = "data/predictions", "fleet.csv"
COLUMNS = ["machine", "component", "alarm"]
RECORDED = {fold: f"metrics/{fold}.json" for fold in (VALIDATION, TEST)}


def recorded_figures(base: Side, head: Side, fold: str) -> list[Difference]:
    """Figures of a fold as both revisions' metrics have them, without intervals."""
    before, after = (side.numbers(RECORDED[fold]) for side in (base, head))
    every = [name for name in HEADLINE if name in before or name in after]
    own = [name for name in (*before, *after) if name not in HEADLINE]
    return [
        Difference(name, one, other, None if one is None or other is None else other - one, None, None)
        for name in [*every, *dict.fromkeys(own)]
        for one, other in [(before.get(name), after.get(name))]
    ]


def rule_cost(side: Side, fold: str) -> float | None:
    """The one-line rule's cost on a fold, as metrics/policies.csv has it."""
    table = table_of(side.revision.text("metrics/policies.csv"), ["fold", "policy", COST])
    if table is None:
        return None
    found = table.loc[(table["fold"] == fold) & (table["policy"] == RULE), COST]
    numbers = pd.to_numeric(found, errors="coerce").dropna()
    return float(numbers.iloc[0]) if len(numbers) else None


def recorded_recalls(side: Side, fold: str) -> dict[str, float] | None:
    """The share of failures caught in each slice, as metrics/slices.csv has it; None if there is none."""
    table = table_of(
        side.revision.text("metrics/slices.csv"), ["fold", "policy", "slice", "value", "event_recall"]
    )
    if table is None:
        return None
    rows = table[(table["fold"] == fold) & (table["policy"] == MODEL)]
    recalls = pd.to_numeric(rows["event_recall"], errors="coerce")
    named = (rows["slice"] + ": " + rows["value"].fillna("")).tolist()
    return {name: value for name, value in zip(named, recalls.tolist(), strict=True) if value == value}


def fleet(side: Side) -> pd.DataFrame:
    """Its list of the fleet.

    Raises:
        ForestallError: it is not to be had.
    """
    file = side.revision.output(PREDICTIONS, side.folder) / FLEET
    table = table_of(file.read_text(encoding="utf-8") if file.is_file() else None, COLUMNS)
    if table is None:
        raise ForestallError(
            f"{PREDICTIONS}/{FLEET} of {side.revision.name} lacks one of {', '.join(COLUMNS)}."
        )
    return table


def table_of(text: str | None, columns: list[str]) -> pd.DataFrame | None:
    """A table as text; None if there is none, or it lacks one of the columns."""
    try:
        table = pd.read_csv(StringIO(text or ""), dtype=str)
    except (pd.errors.EmptyDataError, pd.errors.ParserError):
        return None
    return table if set(columns) <= set(table.columns) else None
