"""A change's outcomes, one by one: machines newly alarmed, failures newly caught or missed, slices that got worse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from forestall.comparison.paired import Judged
from forestall.evaluation import slices
from forestall.evaluation.judge import Fold
from forestall.evaluation.ledger import CAUGHT, KEY, MISSED
from forestall.evaluation.policies import MODEL
from forestall.evaluation.tables import COST
from forestall.features.labels import TRAIN
from forestall.training.series import Floats

ALARMED = "yes"
Rows = list[dict[str, Any]]


def failures_changed(base: Judged, head: Judged) -> dict[str, Rows]:
    """newly_caught and newly_missed: machine, component and time (ticks) of failures that both are judged on."""
    before, after = _fate(base), _fate(head)
    both = before.merge(after, on=KEY, suffixes=("_base", "_head"))
    changed = both["kind_base"] != both["kind_head"]
    return {
        f"newly_{kind}": records(both.loc[changed & (both["kind_head"] == kind), KEY])
        for kind in (CAUGHT, MISSED)
    }


def alarms_changed(base: pd.DataFrame, head: pd.DataFrame) -> dict[str, Rows]:
    """newly_alarmed and no_longer: machine and component of two fleets' lists, where the alarm differs.

    What head's list does not have is not "no longer alarmed": a machine that left, or another dataset's.
    """
    known = set(_pairs(head))
    now = [set(_alarmed(fleet)) for fleet in (base, head)]
    return {
        "newly_alarmed": [_pair(one) for one in sorted(now[1] - now[0])],
        "no_longer": [_pair(one) for one in sorted((now[0] - now[1]) & known)],
    }


def slices_worse(base: Judged, head: Judged, gaps: Floats, least: int) -> Rows:
    """Slices of a fold in which more failures are missed, or the cost rose, the most first, with both's figures.

    The fleet as a whole is no slice here.

    Args:
        gaps: ticks of missing data before each decision of the fold's data. least: failures that a slice must have.
    """
    before, after = (_slices(one, gaps, least) for one in (base, head))
    names = ["event_recall", COST]
    both = (
        before[names]
        .merge(
            after[[*names, "failures"]],
            left_index=True,
            right_index=True,
            suffixes=("_base", "_head"),
        )
        .dropna()
    )
    fewer = both["event_recall_head"] < both["event_recall_base"]
    dearer = both[f"{COST}_head"] > both[f"{COST}_base"]
    rise = both[f"{COST}_head"] - both[f"{COST}_base"]
    worse = both.assign(rise=rise)[fewer | dearer].sort_values("rise", ascending=False, kind="stable")
    return records(
        worse.drop(columns="rise").drop(index=slices.FLEET, level="slice", errors="ignore").reset_index()
    )


def slice_recalls(one: Judged, gaps: Floats, least: int) -> dict[str, float]:
    """The share of failures caught in each slice with enough of them, by `slice: value`."""
    table = _slices(one, gaps, least)["event_recall"].dropna().reset_index()
    return {f"{row['slice']}: {row['value']}": float(row["event_recall"]) for row in records(table)}


def _slices(one: Judged, gaps: Floats, least: int) -> pd.DataFrame:
    ledgers: Mapping[Fold, Mapping[str, pd.DataFrame]] = {one.fold: {MODEL: one.ledger}}
    data = one.fold.data
    training = data.decisions.loc[data.rows(TRAIN), "machine"].unique()
    bands = slices.bands_of(data.events.machines, np.asarray(training, dtype=object), data.dataset)
    return slices.slice_table(ledgers, bands, gaps, least).set_index(["slice", "value"])


def _fate(one: Judged) -> pd.DataFrame:
    rows = one.ledger
    return rows.loc[rows["kind"].isin([CAUGHT, MISSED]), [*KEY, "kind"]]


def _alarmed(fleet: pd.DataFrame) -> list[tuple[str, str]]:
    return _pairs(fleet[fleet["alarm"] == ALARMED])


def _pairs(rows: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(rows["machine"].astype(str), rows["component"].astype(str), strict=True))


def _pair(one: tuple[str, str]) -> dict[str, str]:
    return {"machine": one[0], "component": one[1]}


def records(rows: pd.DataFrame) -> Rows:
    """A table's rows as mappings."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]
