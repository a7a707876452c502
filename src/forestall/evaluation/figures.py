"""What is drawn: the figures' data as tables, which `dvc plots` draws too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, precision_recall_curve

from forestall.data.clock import hour_of
from forestall.data.dataset import Costs
from forestall.evaluation.judge import Fold
from forestall.evaluation.ledger import REPLACED, UNFORESEEN
from forestall.evaluation.row_scores import reliability
from forestall.evaluation.scores import HOUR
from forestall.features.reference import Matrix, Reference
from forestall.training.alarms import FALSE, RIGHT, outcomes_by_series

Labels = npt.NDArray[np.int8]
POINTS = 200
ROWS = 4000
SEED = 0
LEVELS = np.geomspace(0.001, 1.0, 61)
TIMELINE = ["shows", "machine", "component", "time", "kind", "value"]


class Scorer(Protocol):
    """What gives the risk of feature rows, over the longest horizon or each, and says when alarms open: a bundle."""

    @property
    def components(self) -> list[str]: ...

    @property
    def thresholds(self) -> dict[str, float]: ...

    @property
    def reference(self) -> Reference: ...

    def risk(self, features: Matrix) -> Matrix: ...

    def curves(self, features: Matrix) -> Matrix: ...


def all_figures(
    ledgers: Mapping[Fold, pd.DataFrame],
    test: Fold,
    alarms: pd.DataFrame,
    failures: pd.DataFrame,
    scorer: Scorer,
) -> dict[str, pd.DataFrame]:
    """The data of every figure of the test fold, by name.

    Args:
        ledgers: of the folds over which cost is drawn. alarms: the model's, as `open_alarms` gives them.
        failures: what became of the failures, as `failure_causes` gives it.
    """
    dataset, labels = test.data.dataset, test.labels()
    hour, unit = hour_of(dataset.clock.unit)
    features = test.data.features[test.rows]
    return {
        "precision_recall": precision_recall_table(labels, test.row_risk, scorer.components),
        "reliability": reliability_table(labels, test.row_risk, scorer.components),
        "lead_time": lead_time_table(alarms, dataset.ticks(dataset.decisions.min_lead), hour, unit),
        "importances": importance_table(labels, features, scorer),
        "cost_curve": cost_curve_table(ledgers, scorer.thresholds),
        "timeline": timeline_table(test, alarms, failures, scorer.thresholds),
    }


def cost_curve_table(ledgers: Mapping[Fold, pd.DataFrame], thresholds: Mapping[str, float]) -> pd.DataFrame:
    """component, fold, threshold, cost_per_machine_month (of that component's failures, work and alarms), chosen."""
    parts = []
    for component, chosen in thresholds.items():
        for fold, rows in ledgers.items():
            own = fold.series.component == component
            total = outcomes_by_series(fold.series.take(own), fold.risk[own], LEVELS, fold.data.rules).over()
            cost = (
                total.cost(fold.data.dataset.costs) + _plant_cost(rows, component, fold.data.dataset.costs)
            ) / fold.total_months
            curve = {"threshold": LEVELS, "cost_per_machine_month": cost, "chosen": chosen}
            parts.append(pd.DataFrame({"component": component, "fold": fold.name, **curve}))
    return _joined(parts, ["component", "fold", "threshold", "cost_per_machine_month", "chosen"])


def _plant_cost(rows: pd.DataFrame, component: str, costs: Costs) -> float:
    """What no alarm changes: planned replacements, and failures that could not have been foreseen."""
    kinds = rows.loc[rows["component"] == component, "kind"]
    return float((kinds == REPLACED).sum() * costs.planned + (kinds == UNFORESEEN).sum() * costs.failure)


def timeline_table(
    fold: Fold, alarms: pd.DataFrame, failures: pd.DataFrame, thresholds: Mapping[str, float]
) -> pd.DataFrame:
    """shows, machine, component, time, kind (risk, alarm, failure, replaced), value: a few machines' stories.

    value is risk / threshold; of failures and replacements 1. Machines: the first with a caught failure, the first of
    the others with a missed one, the first of the others with a false alarm.
    """
    parts, seen = [], set[str]()
    wrong = alarms.loc[alarms["outcome"] == FALSE].sort_values(["opened", "machine"], kind="stable")
    stories = {
        "a caught failure": failures.loc[failures["cause"] == "caught", "machine"],
        "a missed failure": failures.loc[failures["caught"] == "no", "machine"],
        "a false alarm": wrong["machine"],
    }
    for story, machines in stories.items():
        others = [name for name in machines if name not in seen]
        if others:
            seen.add(others[0])
            rows = _story(fold, others[0], alarms, thresholds)
            parts.append(rows.assign(shows=story, machine=others[0]))
    return _joined(parts, TIMELINE)[TIMELINE]


def _story(fold: Fold, machine: str, alarms: pd.DataFrame, thresholds: Mapping[str, float]) -> pd.DataFrame:
    series, rows = fold.series, []
    for number in np.flatnonzero(series.machine == machine):
        name, present = str(series.component[number]), series.present[number]
        times, ratio = series.time[present], fold.risk[number, present] / thresholds[name]
        rows.append(pd.DataFrame({"component": name, "time": times, "kind": "risk", "value": ratio}))
        opened = alarms.loc[(alarms["machine"] == machine) & (alarms["component"] == name), "opened"]
        at = np.isin(times, opened)
        rows.append(pd.DataFrame({"component": name, "time": times[at], "kind": "alarm", "value": ratio[at]}))
        for kind, events in (("failure", series.failures[number]), ("replaced", series.replaced[number])):
            inside = events[(events >= times.min(initial=2**62)) & (events <= series.end[number])]
            rows.append(pd.DataFrame({"component": name, "time": inside, "kind": kind, "value": 1.0}))
    return pd.concat([one for one in rows if len(one)], ignore_index=True)


def precision_recall_table(labels: Labels, risk: Matrix, components: list[str]) -> pd.DataFrame:
    """component, recall, precision, threshold, by rows; at most `POINTS` points a component."""
    parts = []
    for column, component in enumerate(components):
        judged = labels[:, column] >= 0
        label = labels[judged, column] == 1
        if not label.any():
            continue
        precision, recall, threshold = precision_recall_curve(
            label, risk[judged, column], drop_intermediate=True
        )
        kept = np.unique(np.round(np.linspace(0, len(threshold) - 1, POINTS)).astype(np.int64))
        points = {"recall": recall[kept], "precision": precision[kept], "threshold": threshold[kept]}
        parts.append(pd.DataFrame({"component": component, **points}))
    return _joined(parts, ["component", "recall", "precision", "threshold"])


def reliability_table(labels: Labels, risk: Matrix, components: list[str]) -> pd.DataFrame:
    """component, predicted (mean risk), observed (share that failed), rows, for bins of equal count."""
    parts = []
    for column, component in enumerate(components):
        judged = labels[:, column] >= 0
        if judged.any():
            table = reliability(labels[judged, column] == 1, risk[judged, column].astype(np.float64))
            parts.append(table.assign(component=component)[["component", "predicted", "observed", "rows"]])
    return _joined(parts, ["component", "predicted", "observed", "rows"])


def lead_time_table(alarms: pd.DataFrame, min_lead: int, hour: float = HOUR, unit: str = "h") -> pd.DataFrame:
    """component, lead, unit and share (of the component's caught failures with at least that lead)."""
    right = alarms[(alarms["outcome"] == RIGHT) & (alarms["lead"] >= min_lead)]
    first = right.groupby(["machine", "component", "failure"], sort=True)["lead"].max().reset_index()
    first = first.sort_values(["component", "lead", "machine"], kind="stable", ignore_index=True)
    share = 1 - first.groupby("component").cumcount() / first.groupby("component")["lead"].transform("size")
    return pd.DataFrame(
        {"component": first["component"], "lead": first["lead"] / hour, "unit": unit, "share": share}
    )


def importance_table(labels: Labels, features: Matrix, scorer: Scorer, seed: int = SEED) -> pd.DataFrame:
    """source, importance: the loss of average precision when a source's features are shuffled together.

    Permutation importance (Breiman, "Random Forests", Machine Learning 45, 2001), on rows with a failure and
    as many others as `ROWS` allows; features of one source go together, since they say the same.
    """
    rows = _sample(labels)
    labels, features, random = labels[rows], features[rows], np.random.default_rng(seed)
    sources = [feature.source for feature in scorer.reference.features]
    whole = _worth(labels, scorer.risk(features))
    found = []
    for source in dict.fromkeys(sources):
        columns = [number for number, one in enumerate(sources) if one == source]
        shuffled = features.copy()
        shuffled[:, columns] = features[random.permutation(len(features))][:, columns]
        found.append({"source": source, "importance": whole - _worth(labels, scorer.risk(shuffled))})
    table = pd.DataFrame(found, columns=["source", "importance"])
    return table.sort_values(["importance", "source"], ascending=[False, True], ignore_index=True)


def _joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({name: [] for name in columns})


def _sample(labels: Labels) -> npt.NDArray[np.int64]:
    positive = np.flatnonzero((labels == 1).any(axis=1))
    others = np.flatnonzero(~(labels == 1).any(axis=1))
    return np.sort(np.concatenate([_spaced(positive, ROWS // 2), _spaced(others, ROWS // 2)]))


def _spaced(rows: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    return rows[:: max(-(-len(rows) // most), 1)]


def _worth(labels: Labels, risk: Matrix) -> float:
    """Average precision, averaged over the components that have both labels."""
    values = []
    for column in range(labels.shape[1]):
        judged = labels[:, column] >= 0
        label = labels[judged, column] == 1
        if label.any() and not label.all():
            values.append(float(average_precision_score(label, risk[judged, column])))
    return float(np.mean(values)) if values else 0.0
