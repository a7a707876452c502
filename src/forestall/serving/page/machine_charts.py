"""The plots of a machine: its risks, what happened to it, and its sensors, all over the same weeks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from forestall.serving.bundle import Bundle
from forestall.serving.page.charts import COLORS, SHAPES, Spec, Weeks, time_axis, time_value, wide
from forestall.serving.page.machine_view import MachineView
from forestall.serving.page.words import say
from forestall.serving.sensor_history import SensorHistory

LANES = ("alarm", "error", "visit", "failure", "stop")
SIGNIFICANT = 4


def risk_chart(view: MachineView) -> Spec | None:
    """The risk of each part over the longest horizon, with its threshold; None without any."""
    rows = [
        {
            "time": time_value(point.time, view.weeks),
            "risk": round(point.curve[-1], 4),
            "part": part.opinion.component,
        }
        for part in view.parts
        for point in part.trend
        if point.curve
    ]
    if not rows:
        return None
    parts = [part.opinion.component for part in view.parts if part.opinion.curve]
    color = {
        "field": "part",
        "type": "nominal",
        "title": None,
        "sort": parts,
        "scale": {"range": list(COLORS)},
    }
    risk = {
        "field": "risk",
        "type": "quantitative",
        "axis": {"format": ".0%", "title": None, "tickCount": 4, **_margin()},
        "scale": {"domain": [0, 1]},
    }
    encoding = {
        "x": time_axis(view.weeks),
        "y": risk,
        "color": color,
        "strokeDash": {"field": "part", "type": "nominal", "title": None, "sort": parts},
    }
    limits = [
        {"limit": part.opinion.threshold, "part": part.opinion.component}
        for part in view.parts
        if part.opinion.curve
    ]
    limit = {
        "data": {"values": limits},
        "mark": {"type": "rule", "opacity": 0.55, "strokeDash": [2, 3], "aria": False},
        "encoding": {"y": {"field": "limit", "type": "quantitative"}, "color": color},
    }
    line = {
        "mark": {"type": "line", "interpolate": "step-after", "tooltip": True, "clip": True},
        "encoding": encoding,
    }
    return wide(170, {"data": {"values": rows}, "layer": [line, limit]})


def time_line(view: MachineView, language: str) -> Spec | None:
    """Alarms, errors, visits, failures and stops, a lane each."""
    rows = [row for row in _happened(view) if row["time"] is not None]
    if not rows:
        return None
    names = {lane: say(f"page.lane_{lane}", {}, language) for lane in LANES}
    for row in rows:
        row["lane"] = names[row.pop("kind")]
    order = list(names.values())
    lane = {
        "field": "lane",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order},
        "axis": {"title": None, "grid": True, "ticks": False, **_margin()},
    }
    color = {
        "field": "lane",
        "type": "nominal",
        "legend": None,
        "scale": {
            "domain": order,
            "range": ["var(--alarm)", "var(--soft)", "var(--good)", "var(--alarm)", "var(--none)"],
        },
    }
    shape = {
        "field": "lane",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": order, "range": list(SHAPES)},
    }
    tooltip = [
        {"field": "what", "type": "nominal", "title": say("page.what", {}, language)},
        _when(view.weeks, language),
    ]
    x, both = time_axis(view.weeks), {"y": lane, "color": color, "tooltip": tooltip}
    points = {
        "transform": [{"filter": "!isValid(datum.until)"}],
        "mark": {"type": "point", "filled": True, "size": 80, "opacity": 0.9, "clip": True},
        "encoding": {"x": x, "shape": shape, **both},
    }
    bars = {
        "transform": [{"filter": "isValid(datum.until)"}],
        "mark": {"type": "bar", "height": 8, "cornerRadius": 2, "minBandSize": 3, "clip": True},
        # The domain stands once, with the points: Vega-Lite takes it for another where there is a second end.
        "encoding": {"x": {name: x[name] for name in ("field", "type")}, "x2": {"field": "until"}, **both},
    }
    return wide(150, {"data": {"values": rows}, "layer": [bars, points]})


def sensor_charts(
    weeks: Weeks, history: SensorHistory, bundle: Bundle, language: str
) -> list[tuple[str, Spec]]:
    """A plot a sensor, with its name and unit: the means, and behind them the band of what is normal."""
    sensors = bundle.plant.dataset.tables.telemetry.sensors
    found = []
    for number, name in enumerate(history.sensors):
        values = (history.values[:, number], history.low[:, number], history.high[:, number])
        unit = sensors[name].unit
        found.append((f"{name} ({unit})" if unit else name, _sensor_chart(weeks, history, values, language)))
    return found


def _sensor_chart(weeks: Weeks, history: SensorHistory, values: tuple[Any, ...], language: str) -> Spec:
    times = [time_value(int(time), weeks) for time in history.time]
    rows = [
        {"time": time, "value": value, "low": low, "high": high}
        for time, value, low, high in zip(times, *(_rounded(some) for some in values), strict=True)
    ]
    y = {
        "type": "quantitative",
        "axis": {"title": None, "tickCount": 4, **_margin()},
        "scale": {"zero": False},
    }
    tooltip = [
        {"field": name, "type": "quantitative", "title": say(f"page.{name}", {}, language), "format": ".4~g"}
        for name in ("value", "low", "high")
    ]
    band = {
        "mark": {"type": "area", "color": "var(--good)", "opacity": 0.22, "clip": True},
        "encoding": {"x": time_axis(weeks), "y": {"field": "low", **y}, "y2": {"field": "high"}},
    }
    line = {
        "mark": {
            "type": "line",
            "color": "var(--accent)",
            "strokeWidth": 1.3,
            "invalid": "break-paths-show-path-domains",
            "clip": True,
        },
        "encoding": {"x": time_axis(weeks), "y": {"field": "value", **y}},
    }
    nearest = {
        "name": "at",
        "select": {"type": "point", "on": "pointerover", "nearest": True, "clear": "pointerout"},
    }
    point = {
        "params": [nearest],
        "mark": {"type": "point", "color": "var(--accent)", "filled": True},
        "encoding": {
            "x": time_axis(weeks),
            "y": {"field": "value", **y},
            "tooltip": [_when(weeks, language), *tooltip],
            "opacity": {"condition": {"param": "at", "empty": False, "value": 1}, "value": 0},
        },
    }
    return wide(130, {"data": {"values": rows}, "layer": [band, line, point]})


def _happened(view: MachineView) -> Iterable[dict[str, Any]]:
    """Rows of the time line: kind, time, until (None for moments), what."""
    for alarm in view.alarms:
        end = alarm.ended if alarm.ended is not None else view.weeks.now
        if end is not None and end >= view.weeks.since:
            yield _row("alarm", max(alarm.opened, view.weeks.since), alarm.component, view.weeks, end)
    for time, code in zip(view.events.errors["time"], view.events.errors["code"], strict=True):
        yield _row("error", time, code, view.weeks)
    for kind, frame in (("visit", view.events.maintenance), ("failure", view.events.failures)):
        recent = frame[frame["time"] > view.weeks.since]
        for time, component in zip(recent["time"], recent["component"], strict=True):
            yield _row(kind, time, component, view.weeks)
    stops = view.events.downtime[view.events.downtime["end"] > view.weeks.since]
    for start, end in zip(stops["start"], stops["end"], strict=True):
        # One that goes on, or ends later in a recording, is known until now.
        until = int(end) if view.weeks.now is None else min(int(end), view.weeks.now)
        yield _row("stop", max(int(start), view.weeks.since), "", view.weeks, until)


def _row(kind: str, time: int, what: str, weeks: Weeks, until: int | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": kind, "time": time_value(int(time), weeks), "what": str(what)}
    return row if until is None else row | {"until": time_value(int(until), weeks)}


def _when(weeks: Weeks, language: str) -> Spec:
    title = say("page.when", {}, language)
    kind = (
        {"type": "quantitative"}
        if weeks.counts
        else {"type": "temporal", "timeUnit": "utcyearmonthdatehoursminutes"}
    )
    return {"field": "time", "title": title, **kind}


def _margin() -> Spec:
    """All plots of a machine have the same room beside them, so that times stand below each other."""
    return {"minExtent": 84, "maxExtent": 84, "labelLimit": 80}


def _rounded(values: Any) -> list[float | None]:
    return [None if np.isnan(value) else float(f"{value:.{SIGNIFICANT}g}") for value in values]
