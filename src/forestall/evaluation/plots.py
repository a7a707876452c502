"""What is drawn: the figures' data as tables, which `dvc plots` draws too, and the figures as PNG files.

The bytes of a PNG depend on the data and on matplotlib's version, which is locked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score, precision_recall_curve

from forestall.data.clock import hour_of
from forestall.data.dataset import Dataset
from forestall.evaluation.scores import HOUR, reliability
from forestall.features.matrix import Matrix, Reference
from forestall.training.alarms import RIGHT

Labels = npt.NDArray[np.int8]
POINTS = 200
ROWS = 4000
BARS = 20
SEED = 0
STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.prop_cycle": cycler(color=["#1f5a94", "#d2691e", "#3a8a5c", "#8a4f9e", "#b8860b", "#5a6672"]),
    "legend.frameon": False,
}  # fmt: skip


class Scorer(Protocol):
    """What gives the risk of feature rows: a bundle."""

    @property
    def components(self) -> list[str]: ...

    @property
    def reference(self) -> Reference: ...

    def risk(self, features: Matrix) -> Matrix: ...


def all_plots(
    labels: Labels, risk: Matrix, alarms: pd.DataFrame, scorer: Scorer, features: Matrix, dataset: Dataset
) -> dict[str, pd.DataFrame]:
    """The data of every figure, by name.

    Args:
        labels: [N, C], -1 where the machine lacks the component. risk: [N, C]. features: [N, F].
        alarms: as `open_alarms` gives them, of the same fold.
    """
    hour, unit = hour_of(dataset.clock.unit)
    return {
        "precision_recall": precision_recall_table(labels, risk, scorer.components),
        "reliability": reliability_table(labels, risk, scorer.components),
        "lead_time": lead_time_table(alarms, dataset.ticks(dataset.decisions.min_lead), hour, unit),
        "importances": importance_table(labels, features, scorer),
    }


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


def draw(frames: dict[str, pd.DataFrame], folder: Path) -> None:
    """Write each figure, one PNG a table of `all_plots`."""
    drawers = {
        "precision_recall": _draw_precision_recall,
        "reliability": _draw_reliability,
        "lead_time": _draw_lead_time,
        "importances": _draw_importances,
    }
    folder.mkdir(parents=True, exist_ok=True)
    settings: Any = {**mpl.rcParamsDefault, **STYLE, "backend": "agg"}
    with mpl.rc_context(settings):
        for name, frame in frames.items():
            figure = Figure(figsize=(7, 4.5), dpi=110, layout="constrained")
            drawers[name](figure.add_subplot(), frame)
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})


def _draw_precision_recall(axes: Axes, frame: pd.DataFrame) -> None:
    for component, points in frame.groupby("component", sort=False):
        axes.plot(points["recall"], points["precision"], label=component)
    axes.set(
        title="Precision and recall, by rows",
        xlabel="recall",
        ylabel="precision",
        xlim=(0, 1),
        ylim=(0, 1.02),
    )
    _legend(axes, frame)


def _draw_reliability(axes: Axes, frame: pd.DataFrame) -> None:
    top = max(float(frame[["predicted", "observed"]].max().max()) if len(frame) else 1.0, 0.01) * 1.05
    axes.plot([0, top], [0, top], color="#9a9a9a", linestyle="--", linewidth=1, label="perfect")
    for component, points in frame.groupby("component", sort=False):
        axes.plot(points["predicted"], points["observed"], marker="o", markersize=4, label=component)
    axes.set(title="Reliability", xlabel="predicted risk (mean of a tenth of the rows)")
    axes.set(ylabel="share that failed", xlim=(0, top), ylim=(0, top))
    axes.legend()


def _draw_lead_time(axes: Axes, frame: pd.DataFrame) -> None:
    unit = frame["unit"].iloc[0] if len(frame) else "h"
    for component, points in frame.groupby("component", sort=False):
        lead, share = (
            np.pad(points["lead"], 1, mode="edge"),
            np.pad(points["share"], 1, constant_values=(1, 0)),
        )
        lead[0] = 0
        axes.step(lead, share, where="pre", label=f"{component} ({len(points)})")
    axes.set(title="Lead time of caught failures", xlabel=f"at least this lead [{unit}]")
    axes.set(ylabel="share of the caught failures", xlim=(0, None), ylim=(0, 1.02))
    _legend(axes, frame)


def _draw_importances(axes: Axes, frame: pd.DataFrame) -> None:
    top = frame.head(BARS).iloc[::-1]
    axes.barh(top["source"], top["importance"], color="#1f5a94")
    axes.set(title="What the model goes by", xlabel="loss of average precision when shuffled")
    axes.grid(visible=False, axis="y")


def _legend(axes: Axes, frame: pd.DataFrame) -> None:
    if len(frame):
        axes.legend()
    else:
        axes.text(0.5, 0.5, "nothing to draw", transform=axes.transAxes, ha="center", va="center")


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
