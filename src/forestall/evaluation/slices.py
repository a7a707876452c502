"""The same figures by slice: component, attributes of the machine, month, missing data. Where is a model worse?

A failure belongs to the slice of its machine, its component and its own time, an alarm to that of its opening; what
depends on data is as of the last decision before. With few failures recall and the rest are left out: chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import hour_of
from forestall.data.dataset import Costs, Dataset
from forestall.evaluation.gaps import FAR, day_before, keys
from forestall.evaluation.judge import Fold
from forestall.evaluation.ledger import counts_by
from forestall.evaluation.scores import event_scores
from forestall.training.series import Floats

BANDS = (1 / 3, 2 / 3)
NAMES = [
    "failures",
    "alarms",
    "machine_months",
    "event_recall",
    "alarm_precision",
    "false_alarms_per_machine_month",
    "cost_per_machine_month",
]
Texts = npt.NDArray[np.object_]
FLEET, COMPONENT, MONTH, MISSING = "fleet", "component", "month", "missing data"


def slice_table(
    folds: Mapping[Fold, Mapping[str, pd.DataFrame]], bands: Mapping[str, Floats], gaps: Floats, least: int
) -> pd.DataFrame:
    """fold, policy, slice, value and `NAMES`.

    Args:
        folds: each fold's ledgers by policy. bands: edges of each numeric attribute. gaps: as `missing_before`, of
            all decisions. least: with fewer failures shares and costs are left out.
    """
    parts = [
        _sliced(fold, rows, bands, gaps[fold.rows], least).assign(fold=fold.name, policy=policy)
        for fold, ledgers in folds.items()
        for policy, rows in ledgers.items()
    ]
    return pd.concat(parts, ignore_index=True)[["fold", "policy", "slice", "value", *NAMES]]


def bands_of(
    machines: pd.DataFrame, training: npt.NDArray[np.object_], dataset: Dataset
) -> dict[str, Floats]:
    """Between which values the thirds of the training machines lie, for each numeric attribute."""
    tables = dataset.tables.machines
    numeric = [name for name, kind in (tables.attributes if tables else {}).items() if kind == "number"]
    known = machines[machines["machine"].isin(training)]
    values = {name: known[name].dropna().to_numpy(dtype=np.float64) for name in numeric}
    return {name: np.unique(np.quantile(one, BANDS)) for name, one in values.items() if one.size}


def _sliced(
    fold: Fold, rows: pd.DataFrame, bands: Mapping[str, Floats], gaps: Floats, least: int
) -> pd.DataFrame:
    decisions = fold.decisions[["machine", "time"]]
    of_rows = _keys(fold, rows, _at_last_decision(rows, decisions, gaps), bands)
    of_decisions = _keys(fold, decisions, gaps, bands)
    every = fold.total_months / len(decisions)
    parts = [_by_component(fold, rows, every, least)]
    for name, key in of_rows.items():
        values = sorted({*key, *of_decisions[name]}, key=_natural)
        months = pd.Series(of_decisions[name]).value_counts().reindex(values, fill_value=0) * every
        parts.append(_figures(name, values, key, rows, np.asarray(months, dtype=np.float64), fold, least))
    return pd.concat(parts, ignore_index=True)


def _by_component(fold: Fold, rows: pd.DataFrame, every: float, least: int) -> pd.DataFrame:
    """Months are those of the machines that have the component."""
    values = list(fold.series.components)
    counts = [fold.series.present[fold.series.component == name].sum() * every for name in values]
    months = np.array(counts, dtype=np.float64)
    return _figures(COMPONENT, values, rows["component"].to_numpy(object), rows, months, fold, least)


def _figures(
    name: str, values: list[str], key: Texts, rows: pd.DataFrame, months: Floats, fold: Fold, least: int
) -> pd.DataFrame:
    costs: Costs = fold.data.dataset.costs
    group = pd.Index(values, dtype=object).get_indexer(pd.Index(key, dtype=object)).astype(np.int64)
    found = event_scores(counts_by(rows, group, len(values)), months, costs) | {"machine_months": months}
    table = pd.DataFrame({"slice": name, "value": values} | {one: found[one] for one in NAMES})
    few = table["failures"] < least
    table.loc[few, ["event_recall", "alarm_precision", "cost_per_machine_month"]] = np.nan
    return table.astype({"failures": int, "alarms": int})


def _keys(fold: Fold, rows: pd.DataFrame, gaps: Floats, bands: Mapping[str, Floats]) -> dict[str, Texts]:
    """The value of every slice but the component, for each row (machine, time)."""
    dataset, machines = fold.data.dataset, fold.data.events.machines.set_index("machine")
    found: dict[str, Texts] = {FLEET: np.full(len(rows), "all", dtype=object)}
    for name, kind in (dataset.tables.machines.attributes if dataset.tables.machines else {}).items():
        values = machines[name].reindex(rows["machine"])
        if kind == "category":
            found[name] = values.astype(object).where(values.notna(), "unknown").astype(str).to_numpy(object)
        elif name in bands:
            found[name] = banded(values.to_numpy(dtype=np.float64), bands[name])
    if not dataset.own_clocks:
        stamps = rows["time"].to_numpy(np.int64).astype("datetime64[s]").astype("datetime64[M]")
        found[MONTH] = stamps.astype(str).astype(object)
    found[MISSING] = _gap_names(gaps, dataset)
    return found


def banded(values: Floats, edges: Floats) -> Texts:
    """Each value's band, as text; a value on an edge belongs above it."""
    texts = [f"{edge:g}" for edge in edges]
    middle = [f"{low} to {high}" for low, high in pairwise(texts)]
    names = np.array([f"below {texts[0]}", *middle, f"from {texts[-1]}", "unknown"], dtype=object)
    number = np.searchsorted(edges, values, side="right")
    found: Texts = names[np.where(np.isnan(values), len(names) - 1, number)]
    return found


def _gap_names(gaps: Floats, dataset: Dataset) -> Texts:
    span, (hour, name) = day_before(dataset), hour_of(dataset.clock.unit)
    quarter, unit = span / 4 / hour, f" {name}" if dataset.own_clocks else name
    names = np.array([f"0{unit}", f"up to {quarter:g}{unit}", f"over {quarter:g}{unit}"], dtype=object)
    found: Texts = names[(gaps > 0).astype(int) + (gaps > span / 4)]
    return found


def _at_last_decision(rows: pd.DataFrame, decisions: pd.DataFrame, values: Floats) -> Floats:
    """A value of decisions, as of the last one of the machine at or before each row; 0 before the first."""
    names = pd.Index(decisions["machine"].unique())
    known, asked = (keys(frame, names) for frame in (decisions, rows))
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], asked, side="right") - 1
    before = order[np.maximum(place, 0)]
    same = (place >= 0) & (known[before] // FAR == asked // FAR)
    return np.where(same, values[before], 0.0)


def _natural(value: str) -> tuple[int, str]:
    """Bands in their order: nothing and `below` first, `from`, `over` and `unknown` last."""
    first, last = ("0", "below"), ("from", "over", "unknown")
    return (-1 if value.startswith(first) else 1 if value.startswith(last) else 0), value
