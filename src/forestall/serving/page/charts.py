"""Plots of the pages as Vega-Lite specifications; their colours are the style sheet's, for light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from forestall.serving.page.words import say

Spec = dict[str, Any]
# Okabe and Ito's, which the colour-blind tell apart, in shades that stand out on light and dark.
COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
SHAPES = ("square", "triangle-up", "circle", "cross", "square")
WEEK = 7 * 86400


@dataclass(frozen=True)
class Weeks:
    """What a machine's plots span: from `since` to `now`, the plant's time or the machine's own, in ticks.

    now: None where there is no time yet. counts: whether time is a counter.
    """

    since: int
    now: int | None
    counts: bool


def wide(height: int, spec: Spec) -> Spec:
    """As wide as its place."""
    return {
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        **spec,
    }


def time_value(ticks: int, weeks: Weeks) -> str | int:
    """A time as plots read it: the plant's, whatever zone the browser is in."""
    return ticks if weeks.counts else _stamp(ticks)


def time_axis(weeks: Weeks) -> Spec:
    """Of all the weeks that are shown, whatever the data span."""
    ends = [_domain_value(at, weeks) for at in (weeks.since, weeks.since if weeks.now is None else weeks.now)]
    if weeks.counts:
        return {
            "field": "time",
            "type": "quantitative",
            "scale": {"domain": ends, "zero": False},
            "axis": {"title": None, "tickCount": 5},
        }
    scale = {"type": "utc", "domain": ends}
    axis = {
        "title": None,
        "format": "%x",
        "labelOverlap": True,
        "tickCount": {"interval": "week", "step": 1},
        "grid": True,
    }
    return {"field": "time", "type": "temporal", "scale": scale, "axis": axis}


def alarm_load(weeks: Sequence[int], until: int, language: str) -> Spec:
    """Alarms raised in each of some weeks up to a time in seconds, the latest last."""
    ends = [until - WEEK * back for back in range(len(weeks) - 1, -1, -1)]
    values = [{"until": _stamp(end)[:10], "alarms": count} for end, count in zip(ends, weeks, strict=True)]
    title = {name: say(f"page.load_{name}", {}, language) for name in ("alarms", "week")}
    labels = {
        "labelExpr": "utcFormat(toDate(datum.value), '%x')",
        "labelAngle": 0,
        "labelOverlap": True,
    }
    x = {"field": "until", "type": "ordinal", "axis": {"title": None, **labels}, "title": title["week"]}
    y = {"field": "alarms", "type": "quantitative", "axis": {"title": None, "tickCount": 3, "format": "d"}}
    tooltip = [
        {"field": name, "title": text}
        for name, text in (("until", title["week"]), ("alarms", title["alarms"]))
    ]
    mark = {"type": "bar", "color": "var(--accent)", "cornerRadiusEnd": 2}
    return wide(
        72, {"data": {"values": values}, "mark": mark, "encoding": {"x": x, "y": y, "tooltip": tooltip}}
    )


def share_bars(shares: Mapping[str, float], language: str) -> Spec:
    """What moved the mean risk, by factor, in percentage points: up and down from none."""
    title = {name: say(f"page.service_{name}", {}, language) for name in ("factor", "points")}
    values = [
        {"factor": say(f"page.service_factor_{one}", {}, language), "points": 100 * share, "up": share > 0}
        for one, share in shares.items()
    ]
    names = {"title": None, "labelLimit": 200}
    y = {"field": "factor", "type": "nominal", "sort": None, "axis": names, "title": title["factor"]}
    x = {"field": "points", "type": "quantitative", "axis": {"title": title["points"], "tickCount": 5}}
    color = {"condition": {"test": "datum.up", "value": COLORS[0]}, "value": COLORS[2]}
    tooltip = [
        {"field": "factor", "title": title["factor"]},
        {"field": "points", "type": "quantitative", "title": title["points"], "format": "+.2f"},
    ]
    encoding = {"x": x, "y": y, "color": color, "tooltip": tooltip}
    return wide(
        130, {"data": {"values": values}, "mark": {"type": "bar", "height": 16}, "encoding": encoding}
    )


def _domain_value(ticks: int, weeks: Weeks) -> int | Spec:
    """As a scale's domain has it: not as text, which Vega-Lite would take for the browser's zone."""
    if weeks.counts:
        return ticks
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ticks)
    day = {"year": moment.year, "month": moment.month, "date": moment.day}
    return {**day, "hours": moment.hour, "minutes": moment.minute, "utc": True}


def _stamp(ticks: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ticks)).strftime("%Y-%m-%dT%H:%M:%SZ")
