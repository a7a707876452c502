"""The studies' figures as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forestall.evaluation.foreseeable import Foreseeable
from forestall.evaluation.plots import STYLE

CLEAREST = 3
LOOK: Any = {**mpl.rcParamsDefault, **STYLE, "backend": "agg"}


def save(figure: Figure, path: Path) -> None:
    """Write a PNG whose bytes depend on nothing but what is drawn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def draw_foreseeable(found: Foreseeable, path: Path) -> None:
    """Above, each component's clearest signals by time to failure; below, the ceiling of recall by lead time."""
    components = list(dict.fromkeys(found.ceiling["component"]))
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(4 * len(components), 7), layout="constrained")
        axes = figure.subplots(2, len(components), squeeze=False, sharey="row")
        for column, component in enumerate(components):
            _draw_effects(axes[0, column], found, component)
            _draw_ceiling(axes[1, column], found.ceiling[found.ceiling["component"] == component])
        axes[0, 0].set_ylabel("effect: chance of being above a healthy value")
        axes[1, 0].set_ylabel("share of failures that show")
        save(figure, path)


def _draw_effects(axes: Axes, found: Foreseeable, component: str) -> None:
    onsets = found.onsets[found.onsets["component"] == component].head(CLEAREST)
    rows = found.effects[found.effects["component"] == component]
    for feature, onset in zip(onsets["feature"], onsets["onset_h"], strict=True):
        one = rows[rows["feature"] == feature]
        (line,) = axes.plot(one["lead_h"], one["effect"], label=f"{feature}, from {onset:g}")
        axes.fill_between(one["lead_h"], one["low"], one["high"], color=line.get_color(), alpha=0.15, lw=0)
    axes.axhline(0.5, color="black", lw=0.8)
    axes.set(title=component, xlim=(rows["lead_h"].max(), 0), ylim=(0, 1))
    axes.legend(fontsize=8, loc="lower left")


def _draw_ceiling(axes: Axes, rows: pd.DataFrame) -> None:
    axes.plot(rows["lead_h"], rows["by"], label="then or earlier: the ceiling")
    axes.fill_between(rows["lead_h"], rows["low"], rows["high"], alpha=0.15, lw=0)
    axes.plot(rows["lead_h"], rows["at"], label="at that time")
    axes.plot(rows["lead_h"], rows["chance"], ls="--", label="healthy spans, by chance")
    axes.set(xlim=(rows["lead_h"].max(), 0), ylim=(0, 1), xlabel="time before the failure")
    axes.legend(fontsize=8, loc="upper left")


def draw_costs(table: pd.DataFrame, by: str, path: Path) -> None:
    """Cost per machine-month by some name: a dot for each origin or seed, a bar at their mean; the cheapest on top."""
    mean = table.groupby(by, sort=False)["cost_per_machine_month"].mean().sort_values(ascending=False)
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(8, 1 + 0.4 * len(mean)), layout="constrained")
        axes = figure.subplots()
        places = {name: place for place, name in enumerate(mean.index)}
        axes.scatter(table["cost_per_machine_month"], table[by].map(places), alpha=0.6, s=25)
        axes.scatter(mean, range(len(mean)), marker="|", s=300, color="black", label="mean")
        axes.set_yticks(range(len(mean)), [str(name).replace("_", " ") for name in mean.index])
        axes.set(xlabel="cost per machine-month", title="Cost, by " + by.replace("_", " "))
        axes.legend()
        save(figure, path)


def draw_learning(learning: pd.DataFrame, path: Path) -> None:
    """Cost and the share of failures caught against the number of failures in training, by fold."""
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        for axes, name in zip(figure.subplots(1, 2), ("cost_per_machine_month", "event_recall"), strict=True):
            for fold, rows in learning.groupby("fold", sort=False):
                mean = rows.groupby("share")[["training_failures", name]].mean()
                (line,) = axes.plot(mean["training_failures"], mean[name], label=fold)
                axes.scatter(rows["training_failures"], rows[name], s=20, color=line.get_color())
            axes.set(title=name.replace("_", " "), xlabel="failures in training", xlim=(0, None))
            axes.legend()
        save(figure, path)


def draw_early(points: pd.DataFrame, least_lead: float, path: Path) -> None:
    """Precision against median lead time at the thresholds that catch every failure, by model."""
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        for name, rows in points.groupby("model", sort=False):
            every = rows[rows["caught"] == rows["failures"]]
            axes.plot(every["lead_time_median_h"], every["precision"], marker="o", ms=3, label=name)
        axes.axvline(least_lead, color="black", lw=0.8, ls="--")
        axes.set(title="Every failure caught", xlabel="median lead time, h", ylabel="precision of alarms")
        axes.set(ylim=(0, 1))
        axes.legend()
        save(figure, path)
