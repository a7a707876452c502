"""A panel, what it asks, and the JSON that Grafana makes of it: curves, numbers, tables."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, Literal

from forestall.monitoring.alerts import RUNBOOKS

Json = dict[str, Any]
Unit = Literal["short", "none", "s", "dateTimeFromNow", "percentunit", "reqps", "bytes"]
Steps = tuple[tuple[float, str], ...]
Parts = tuple[Json, Json, list[Json]]  # a kind's settings of fields, its options, and what single fields have
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
GOOD, BAD, PLAIN = "green", "red", "text"
YES_NO: Steps = ((0, GOOD), (1, BAD))  # of what should not be


def bad_from(level: float) -> Steps:
    """Red from a level on."""
    return ((0, GOOD), (level, BAD))


def good_from(level: float) -> Steps:
    """Red below a level."""
    return ((0, BAD), (level, GOOD))


@dataclass(frozen=True)
class Query:
    """A query.

    legend: a curve's name, made of its labels, or a table column's.
    limit: whether it is what other curves are compared with, and dashed.
    unit, steps: a table column's, where they are not the panel's.
    yes: whether a table column is 0 or 1 and says no or yes.
    """

    expr: str
    legend: str = ""
    limit: bool = False
    unit: Unit | None = None
    steps: Steps = ()
    yes: bool = False


@dataclass(frozen=True)
class Panel:
    """A panel.

    about: what it means and what to do, for the person who looks at it.
    alerts: those that say the same by themselves; their runbooks are named.
    steps: colours, each from a value on. since: how far back it looks, if not as far as the dashboard.
    log: whether its axis is logarithmic. hidden: columns of a table that are not
        shown. none: what is said where there are no data, though nothing is wrong.
    """

    title: str
    about: str
    queries: tuple[Query, ...]
    unit: Unit = "short"
    look: Literal["timeseries", "stat", "table"] = "timeseries"
    width: int = 8
    alerts: tuple[str, ...] = ()
    steps: Steps = ()
    since: str = ""
    log: bool = False
    hidden: tuple[str, ...] = ()
    none: str = ""

    @property
    def height(self) -> int:
        """In Grafana's rows."""
        return 4 if self.look == "stat" else 8

    @property
    def description(self) -> str:
        """Markdown."""
        runbooks = [f"\n\nAlert {name}: `{RUNBOOKS}#{name.lower()}`" for name in self.alerts]
        return self.about + "".join(runbooks)


@dataclass(frozen=True)
class Row:
    """Panels under a title."""

    title: str
    panels: tuple[Panel, ...]


def panel_json(panel: Panel, number: int, grid: dict[str, int]) -> Json:
    """As Grafana reads it."""
    custom, options, overrides = LOOKS[panel.look](panel)
    return {
        "id": number,
        "type": panel.look,
        "title": panel.title,
        "description": panel.description,
        "gridPos": grid,
        "datasource": SOURCE,
        **({"timeFrom": panel.since} if panel.since else {}),
        "targets": [
            _target(one, panel.look, letter)
            for letter, one in zip(ascii_uppercase, panel.queries, strict=False)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "color": {"mode": "thresholds" if panel.look == "stat" else "palette-classic-by-name"},
                "thresholds": thresholds(panel.steps),
                **({"noValue": panel.none} if panel.none else {}),
                **({"custom": custom} if custom else {}),
            },
            "overrides": overrides,
        },
        "options": options,
        **({"transformations": _rows_by_labels(panel)} if panel.look == "table" else {}),
    }


def thresholds(steps: Steps) -> Json:
    """The first colour counts from anywhere on."""
    (_, first), *others = steps or ((0, PLAIN),)
    return {
        "mode": "absolute",
        "steps": [{"color": first, "value": None}, *({"color": color, "value": at} for at, color in others)],
    }


def _target(query: Query, look: str, letter: str) -> Json:
    """Numbers and tables are of the end of the time shown: a series that has ended does not look like now."""
    curve = look == "timeseries"
    return {
        "refId": letter,
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "format": "table" if look == "table" else "time_series",
        "range": curve,
        "instant": not curve,
    }


def _curves(panel: Panel) -> Parts:
    custom: Json = {
        "drawStyle": "line",
        "lineInterpolation": "stepAfter" if panel.since else "linear",
        "showPoints": "auto",
        "thresholdsStyle": {"mode": "dashed" if panel.steps else "off"},
        "scaleDistribution": {"type": "log", "log": 10} if panel.log else {"type": "linear"},
        **({} if panel.log else {"axisSoftMin": 0}),
    }
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    dashed = [
        {
            "matcher": {"id": "byFrameRefID", "options": letter},
            "properties": [{"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 8]}}],
        }
        for letter, one in zip(ascii_uppercase, panel.queries, strict=False)
        if one.limit
    ]
    return custom, options, dashed


def _number(panel: Panel) -> Parts:
    options = {
        "colorMode": "background" if panel.steps else "none",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showPercentChange": False,
        "textMode": "value_and_name" if any("{{" in one.legend for one in panel.queries) else "auto",
        "wideLayout": True,
    }
    return {}, options, []


def _table(panel: Panel) -> Parts:
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": False}
    options = {"frameIndex": 0, "showHeader": True, "cellHeight": "sm"}
    return custom, options, [_column(one) for one in panel.queries if one.unit or one.steps or one.yes]


def _rows_by_labels(panel: Panel) -> list[Json]:
    """What has the same labels in several queries is one row; a query's column has its legend as a name."""
    several = len(panel.queries) > 1
    names = {
        f"Value #{letter}" if several else "Value": one.legend
        for letter, one in zip(ascii_uppercase, panel.queries, strict=False)
        if one.legend
    }
    hidden = dict.fromkeys(("Time", *panel.hidden), True)
    options = {"excludeByName": hidden, "renameByName": names, "indexByName": {}}
    merge = [{"id": "merge", "options": {}}] if several else []
    return [*merge, {"id": "organize", "options": options}]


def _column(query: Query) -> Json:
    properties: list[Json] = [{"id": "unit", "value": query.unit}] if query.unit else []
    steps = query.steps or (YES_NO if query.yes else ())
    if steps:
        properties += [
            {"id": "thresholds", "value": thresholds(steps)},
            {"id": "color", "value": {"mode": "thresholds"}},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    if query.yes:
        words = {"0": {"text": "no", "index": 0}, "1": {"text": "yes", "index": 1}}
        properties.append({"id": "mappings", "value": [{"type": "value", "options": words}]})
    return {"matcher": {"id": "byName", "options": query.legend}, "properties": properties}


LOOKS = {"timeseries": _curves, "stat": _number, "table": _table}
