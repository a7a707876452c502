"""The figures as PNG files: a component has one colour in all of them.

The bytes of a PNG depend on the data and on matplotlib's version, which is locked.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.lines
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forestall.evaluation.policies import AS_RUN

BARS = 20
LOWEST = 0.01  # of a threshold: below, risks differ by nothing that matters
SIZE, TALL = (7, 4.5), (9, 7)
COMPONENTS = ["#1f5a94", "#d2691e", "#3a8a5c", "#8a4f9e", "#b8860b", "#5a6672", "#a23b3b", "#2a9d9d"]
POLICIES = {
    "model": "#000000",
    "one_line_rule": "#d81b60",
    "fixed_interval": "#00897b",
    "as_run": "#9a9a9a",
    "run_to_failure": "#7b5b3a",
    "perfect_foresight": "#5c6bc0",
}
Colours = dict[str, str]
STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "legend.frameon": False,
}  # fmt: skip


def colours_of(components: list[str]) -> Colours:
    """Each component's colour, by its place in the dataset file."""
    return {name: COMPONENTS[number % len(COMPONENTS)] for number, name in enumerate(components)}


def draw(frames: dict[str, pd.DataFrame], components: list[str], folder: Path) -> None:
    """Write each figure, one PNG a table of the figures' data."""
    drawers: dict[str, tuple[Callable[[Figure, pd.DataFrame, Colours], None], tuple[float, float]]] = {
        "precision_recall": (_draw_precision_recall, SIZE),
        "reliability": (_draw_reliability, SIZE),
        "lead_time": (_draw_lead_time, SIZE),
        "importances": (_draw_importances, SIZE),
        "cost_curve": (_draw_cost_curve, TALL),
        "break_even": (_draw_break_even, SIZE),
        "timeline": (_draw_timeline, TALL),
    }
    folder.mkdir(parents=True, exist_ok=True)
    settings: Any = {**mpl.rcParamsDefault, **STYLE, "backend": "agg"}
    with mpl.rc_context(settings):
        for name, frame in frames.items():
            drawer, size = drawers[name]
            figure = Figure(figsize=size, dpi=110, layout="constrained")
            if len(frame):
                drawer(figure, frame, colours_of(components))
            else:
                _nothing(figure.add_subplot(), name)
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})


def _draw_precision_recall(figure: Figure, frame: pd.DataFrame, colours: Colours) -> None:
    axes = figure.add_subplot()
    for component, points in frame.groupby("component", sort=False):
        axes.plot(points["recall"], points["precision"], label=component, color=colours[str(component)])
    axes.set(title="Precision and recall, by rows", xlabel="recall", ylabel="precision")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.legend()


def _draw_reliability(figure: Figure, frame: pd.DataFrame, colours: Colours) -> None:
    axes = figure.add_subplot()
    top = max(float(frame[["predicted", "observed"]].max().max()), 0.01) * 1.05
    axes.plot([0, top], [0, top], color="#9a9a9a", linestyle="--", linewidth=1, label="perfect")
    for component, points in frame.groupby("component", sort=False):
        style: Any = {"marker": "o", "markersize": 4, "color": colours[str(component)]}
        axes.plot(points["predicted"], points["observed"], label=component, **style)
    axes.set(
        title="Reliability, over the longest horizon", xlabel="predicted risk (mean of a tenth of the rows)"
    )
    axes.set(ylabel="share that failed", xlim=(0, top), ylim=(0, top))
    axes.legend()


def _draw_lead_time(figure: Figure, frame: pd.DataFrame, colours: Colours) -> None:
    axes = figure.add_subplot()
    for component, points in frame.groupby("component", sort=False):
        lead = np.pad(points["lead"], 1, mode="edge")
        share = np.pad(points["share"], 1, constant_values=(1, 0))
        lead[0] = 0
        label = f"{component} ({len(points)})"
        axes.step(lead, share, where="pre", label=label, color=colours[str(component)])
    axes.set(title="Lead time of caught failures", xlabel=f"at least this lead [{frame['unit'].iloc[0]}]")
    axes.set(ylabel="share of the caught failures", xlim=(0, None), ylim=(0, 1.02))
    axes.legend()


def _draw_importances(figure: Figure, frame: pd.DataFrame, colours: Colours) -> None:
    axes, top = figure.add_subplot(), frame.head(BARS).iloc[::-1]
    bars = [colours.get(str(source), "#5a6672") for source in top["source"]]
    axes.barh(top["source"], top["importance"], color=bars)
    axes.set(title="What the model goes by", xlabel="loss of average precision when shuffled")
    axes.grid(visible=False, axis="y")


def _draw_cost_curve(figure: Figure, frame: pd.DataFrame, colours: Colours) -> None:
    components = list(dict.fromkeys(frame["component"]))
    columns = min(len(components), 2)
    grid = figure.subplots(-(-len(components) // columns), columns, squeeze=False).ravel()
    figure.suptitle("Cost over the threshold, by component", x=0.01, ha="left", weight="bold")
    for axes, component in zip(grid, components, strict=False):
        own, colour = frame[frame["component"] == component], colours[component]
        for fold, style in (("validation", "--"), ("test", "-")):
            points = own[own["fold"] == fold]
            axes.plot(points["threshold"], points["cost_per_machine_month"], style, color=colour, label=fold)
        axes.axvline(
            float(own["chosen"].iloc[0]), color="#333333", linewidth=1, linestyle=":", label="chosen"
        )
        axes.set(title=component, xscale="log", xlabel="threshold", ylabel="cost per machine-month")
        axes.set_ylim(*_readable(own["cost_per_machine_month"]))
        axes.legend()
    for axes in grid[len(components) :]:
        axes.set_axis_off()


def _readable(cost: pd.Series) -> tuple[float, float]:
    """Limits that show the valley: alarms all the time may cost many times as much as none (the last level)."""
    return 0.0, 1.6 * float(cost.iloc[-1]) or 1.0


def _draw_break_even(figure: Figure, frame: pd.DataFrame, colours: Colours) -> None:
    del colours  # policies have their own
    axes = figure.add_subplot()
    base = frame[frame["policy"] == AS_RUN].set_index("ratio")["cost_per_machine_month"]
    for policy, points in frame.groupby("policy", sort=False):
        share = points["ratio"].map(base).to_numpy()
        style: Any = {"color": POLICIES[str(policy)], "linewidth": 2.2 if policy == "model" else 1.4}
        axes.plot(points["ratio"], points["cost_per_machine_month"] / share, label=_words(policy), **style)
        if policy in ("model", "one_line_rule", "fixed_interval"):
            low, high = points["low"] / share, points["high"] / share
            axes.fill_between(points["ratio"], low, high, color=style["color"], alpha=0.12, linewidth=0)
    current = float(frame["current"].iloc[0])
    axes.axvline(current, color="#333333", linewidth=1, linestyle=":", label="the dataset file's costs")
    axes.set(
        title="What alarms are worth", xscale="log", xlabel="cost of a failure / of a planned replacement"
    )
    axes.set(ylabel="cost, as a share of the plant's as run", ylim=(0, None))
    axes.set_xticks([1, 2, 5, 10, 20, 50, 100], labels=["1", "2", "5", "10", "20", "50", "100"], minor=False)
    axes.set_xticks([], minor=True)
    axes.legend(fontsize=8)


def _draw_timeline(figure: Figure, frame: pd.DataFrame, colours: Colours) -> None:
    stories = list(dict.fromkeys(frame["shows"]))
    grid = figure.subplots(len(stories), 1, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, story in zip(grid, stories, strict=True):
        own = frame[frame["shows"] == story]
        axes.set_title(f"{own['machine'].iloc[0]}: {story}", fontsize=10)
        axes.axhline(1, color="#333333", linewidth=1, linestyle="--")
        for component, points in own.groupby("component", sort=False):
            _draw_part(axes, points, colours[str(component)], str(component))
        axes.set(yscale="log", ylabel="risk / threshold", ylim=(LOWEST, None))
    _timeline_legend(figure, frame, colours)


def _draw_part(axes: Axes, points: pd.DataFrame, colour: str, component: str) -> None:
    kinds = dict(list(points.groupby("kind")))
    time = {kind: _axis_times(rows["time"]) for kind, rows in kinds.items()}
    for kind, style in (("failure", "-"), ("replaced", ":")):
        for at in time.get(kind, []):
            axes.axvline(at, color=colour, linestyle=style, linewidth=1.6)
    axes.plot(time["risk"], kinds["risk"]["value"], color=colour, linewidth=1, label=component)
    if "alarm" in kinds:
        axes.plot(
            time["alarm"], kinds["alarm"]["value"], "^", color=colour, markersize=9, markeredgecolor="white"
        )


def _axis_times(times: pd.Series) -> Any:
    counted = pd.api.types.is_numeric_dtype(times)
    return times.to_numpy() if counted else times.to_numpy().astype("datetime64[s]")


def _timeline_legend(figure: Figure, frame: pd.DataFrame, colours: Colours) -> None:
    line, grey = mpl.lines.Line2D, "#555555"
    marks = [line([], [], color=colours[name], label=name) for name in dict.fromkeys(frame["component"])]
    marks += [
        line([], [], marker="^", linestyle="", label="alarm", color=grey),
        line([], [], linestyle="-", linewidth=1.6, label="failure", color=grey),
        line([], [], linestyle=":", linewidth=1.6, label="planned replacement", color=grey),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), fontsize=8)


def _nothing(axes: Axes, name: str) -> None:
    axes.set_title(name.replace("_", " "))
    axes.text(0.5, 0.5, "nothing to draw", transform=axes.transAxes, ha="center", va="center")


def _words(name: Any) -> str:
    return str(name).replace("_", " ")
