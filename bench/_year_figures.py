"""Tables and the figure of bench/year.py, of one year or of several plants' together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest

from forestall.data.dataset import Costs
from forestall.evaluation.ledger import CAUGHT, MISSED, counts_by
from forestall.evaluation.scores import event_scores
from forestall.monitoring.outcomes import Realised
from forestall.monitoring.service_figures import months_of, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]
FROZEN, RETRAINED = "frozen", "retrained"
DRAWS, LEVEL = 2000, 0.95
FAILURE = ["machine", "component", "time"]
COUNTS = ("failures", "caught", "alarms", "right", "false", "undetermined", "machine_months")


def month_rows(realised: Mapping[str, Realised]) -> pd.DataFrame:
    """A row for each arm and month: counts, and cost in euro."""
    rows = [
        {"arm": arm, "month": month}
        | {name: figures[name] for name in COUNTS}
        | {"cost": figures.get("cost_per_machine_month", 0.0) * figures["machine_months"]}
        for arm, one in realised.items()
        for month, figures in one.months.items()
        if figures["machine_months"]
    ]
    return pd.DataFrame(rows)


def pooled(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Figures of rows added up: several plants, or several months. Recall with its interval (Wilson)."""
    added = rows.groupby(list(by), sort=False)[[*COUNTS, "cost"]].sum().reset_index()
    shares = [_share(*pair) for pair in zip(added["caught"], added["failures"], strict=True)]
    recall = pd.DataFrame(shares, columns=["event_recall", "event_recall_low", "event_recall_high"])
    return added.assign(
        **recall,
        alarm_precision=added["right"] / (added["right"] + added["false"]),
        false_alarms_per_machine_month=added["false"] / added["machine_months"],
        cost_per_machine_month=added["cost"] / added["machine_months"],
    )


def _share(part: float, whole: float) -> tuple[float, float, float]:
    if not whole:
        return (float("nan"),) * 3
    return (part / whole, *wilson(int(part), int(whole)))


def same_failures(realised: Mapping[str, Realised], months: Sequence[str]) -> dict[str, float]:
    """Of the failures that both arms could foresee in these months, who caught which; p: McNemar's exact test."""
    caught = {arm: _caught(one, months) for arm, one in realised.items()}
    both = pd.concat(caught, axis=1, join="inner")
    new, old = both[RETRAINED].to_numpy(), both[FROZEN].to_numpy()
    only_new, only_old = int((new & ~old).sum()), int((old & ~new).sum())
    p = binomtest(only_new, only_new + only_old).pvalue if only_new + only_old else 1.0
    return {
        "failures": len(both), "both": int((new & old).sum()), "only retrained": only_new, "only frozen": only_old,
        "p": float(p),
    }  # fmt: skip


def _caught(one: Realised, months: Sequence[str]) -> pd.Series[bool]:
    rows = one.rows[one.rows["kind"].isin([CAUGHT, MISSED])]
    rows = rows[np.isin(months_of(rows["time"].to_numpy(dtype=np.int64)), list(months))]
    kinds: pd.Series[bool] = rows.set_index(FAILURE)["kind"] == CAUGHT
    return kinds


def component_recall(one: Realised, months: Sequence[str]) -> dict[str, str]:
    """Of each component, how many of its failures were caught."""
    caught = _caught(one, months).groupby("component").agg(["sum", "size"])
    return {str(name): f"{some['sum']} of {some['size']}" for name, some in caught.iterrows()}


def way_recall(
    one: Realised, truth: pd.DataFrame, ways: Collection[str], months: Sequence[str]
) -> dict[str, str]:
    """Of the failures whose way of showing has changed, and of all others, how many were caught.

    Args:
        truth: machine, component, time and mode of each failure. ways: the modes that show otherwise.
    """
    keys = truth.assign(time=pd.to_datetime(truth["time"]).to_numpy().astype("datetime64[s]").astype("int64"))
    changed = keys.set_index(FAILURE)["mode"].isin(list(ways))
    caught = pd.concat({"caught": _caught(one, months), "changed": changed}, axis=1, join="inner")
    found = caught.groupby("changed")["caught"].agg(["sum", "size"])
    return {
        ("changed" if key else "other"): f"{row['sum']} of {row['size']}" for key, row in found.iterrows()
    }


def saving(
    realised: Mapping[str, Realised], months: Sequence[str], machines: Sequence[str], costs: Costs
) -> tuple[float, float, float]:
    """What the retrained arm costs less a machine-month, and 95 % of draws of machines, with replacement."""
    spent = {arm: _cost(one, months, machines, costs) for arm, one in realised.items()}
    watched = (
        len(machines)
        * sum(one["machine_months"] for month, one in realised[FROZEN].months.items() if month in months)
        / len(machines)
    )
    less = spent[FROZEN] - spent[RETRAINED]
    draws = np.random.default_rng(0).integers(len(machines), size=(DRAWS, len(machines)))
    low, high = np.quantile(less[draws].sum(axis=1) / watched, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(less.sum() / watched), float(low), float(high)


def _cost(one: Realised, months: Sequence[str], machines: Sequence[str], costs: Costs) -> Floats:
    """Of each machine, in euro."""
    rows = one.rows[np.isin(months_of(one.rows["time"].to_numpy(dtype=np.int64)), list(months))]
    group = pd.Index(machines).get_indexer(pd.Index(rows["machine"])).astype(np.int64)
    counts = counts_by(rows, group, len(machines))
    found: Floats = event_scores(counts, np.ones(len(machines)), costs)["cost_per_machine_month"]
    return found


def draw(rows: pd.DataFrame, drift: str, file: Path) -> None:
    """Recall and cost by month, both arms, a column for each plant.

    Args:
        rows: of `month_rows`, with seed, and promoted: whether a release was exchanged at the month's end.
    """
    from matplotlib.figure import Figure

    plants = list(rows.groupby("seed"))
    months = sorted(set(rows["month"]))
    figure = Figure(figsize=(1.5 + 6 * len(plants), 6.5), layout="constrained")
    axes = figure.subplots(2, len(plants), sharex=True, sharey="row", squeeze=False)
    for (seed, some), recall, cost in zip(plants, *axes, strict=True):
        recall.set_title(f"plant {seed}", fontsize=9)
        _lines(some, months, recall, cost)
        at = [months.index(month) + 0.5 for month in some.loc[some["promoted"], "month"]]
        recall.plot(at, [3.0] * len(at), "^", color="tab:green", label="promoted")
        _mark(recall, cost, months, drift)
    axes[0, 0].set_ylabel("failures caught in time, %")
    axes[1, 0].set_ylabel("cost per machine-month, euro")
    axes[0, 0].legend(fontsize=8, loc="upper right")
    figure.savefig(file, dpi=100, metadata={"Software": None})


def _lines(rows: pd.DataFrame, months: list[str], recall: Axes, cost: Axes) -> None:
    """Of both arms, with what chance makes of the recall."""
    by = pooled(rows, ("arm", "month"))
    places = range(len(months))
    for arm, style in ((RETRAINED, "-"), (FROZEN, "--")):
        some = by[by["arm"] == arm].set_index("month").reindex(months)
        (line,) = recall.plot(places, 100 * some["event_recall"], style, marker="o", label=arm)
        low, high = 100 * some["event_recall_low"], 100 * some["event_recall_high"]
        recall.fill_between(places, low, high, alpha=0.15, color=line.get_color(), linewidth=0)
        cost.plot(places, some["cost_per_machine_month"], style, marker="o", label=arm)
    cost.set_xticks(list(places), months, rotation=45)


def _mark(recall: Axes, cost: Axes, months: list[str], drift: str) -> None:
    """The drift's start."""
    recall.set_ylim(0, 100)
    cost.set_ylim(bottom=0)
    for axes in (recall, cost):
        axes.axvline(months.index(drift) - 0.5, color="tab:red", linewidth=1)
    place: Any = (months.index(drift) - 0.45, 0.93)
    recall.annotate("drift begins", place, xycoords=("data", "axes fraction"), fontsize=8, color="tab:red")
