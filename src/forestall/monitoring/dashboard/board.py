"""The dashboard: rows one below the other, what may be chosen, and marks where the model changed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from forestall.monitoring.alerts import JOB
from forestall.monitoring.dashboard.data_rows import data_rows
from forestall.monitoring.dashboard.model_rows import model_rows
from forestall.monitoring.dashboard.outcome_rows import outcome_rows
from forestall.monitoring.dashboard.panel import SOURCE, Json, Panel, Row, panel_json
from forestall.monitoring.dashboard.queries import select
from forestall.monitoring.dashboard.service_rows import service_rows
from forestall.serving.api import metric_names

COLUMNS = 24  # of Grafana's grid
SCHEMA = 42  # the last one of dashboards of this form
LABEL_VALUES = 1  # the kind of a variable's query
ABOUT = "Is the service up, do data come, what does the model say, and was it right?"


def rows() -> tuple[Row, ...]:
    """As they stand one below the other."""
    *others, model = model_rows()
    return (*service_rows(), *data_rows(), *others, *outcome_rows(), model)


def dashboard() -> Json:
    """As Grafana reads it."""
    return {
        "uid": "forestall",
        "title": "Forestall",
        "description": ABOUT,
        "tags": ["forestall"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "links": [],
        "templating": {"list": _variables()},
        "annotations": {"list": [_model_changes()]},
        "panels": list(_placed(rows())),
    }


def dashboard_text() -> str:
    """The dashboard's file."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def _variables() -> list[Json]:
    return [
        {
            "name": "datasource",
            "label": "Prometheus",
            "description": "Which Prometheus is asked.",
            "type": "datasource",
            "query": SOURCE["type"],
            "refresh": 1,
        },
        {
            "name": "job",
            "label": "Plant",
            "description": "The job of a plant's service in prometheus.yml.",
            "type": "query",
            "datasource": SOURCE,
            "query": {"qryType": LABEL_VALUES, "query": "label_values(up, job)", "refId": "job"},
            "current": {"text": JOB, "value": JOB},
            "refresh": 1,
            "sort": 1,
        },
    ]


def _model_changes() -> Json:
    """A version that nobody answered with in the day before: not that a process was started again."""
    by, info = "count by (version)", select(metric_names.MODEL)
    return {
        "name": "Another version of the model",
        "datasource": SOURCE,
        "enable": True,
        "iconColor": "blue",
        "titleFormat": "Model {{version}}",
        "textFormat": "This version began to answer.",
        "target": {
            "refId": "Anno",
            "expr": f"{by} ({info}) unless {by} (last_over_time({info}[1d] offset $__interval))",
        },
    }


def _placed(all_rows: tuple[Row, ...]) -> Iterator[Json]:
    """Panels of a row have numbers of its hundred, so that a further one changes no other row's."""
    y = 0
    for place, row in enumerate(all_rows, 1):
        grid = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
        yield {
            "id": 100 * place,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": grid,
            "panels": [],
        }
        y += 1
        number = 100 * place
        for line in _lines(row.panels):
            x = 0
            for panel in line:
                number += 1
                yield panel_json(panel, number, {"h": panel.height, "w": panel.width, "x": x, "y": y})
                x += panel.width
            y += max(panel.height for panel in line)


def _lines(panels: tuple[Panel, ...]) -> list[list[Panel]]:
    """As many beside each other as there is room for."""
    lines: list[list[Panel]] = [[]]
    for panel in panels:
        if sum(one.width for one in lines[-1]) + panel.width > COLUMNS:
            lines.append([])
        lines[-1].append(panel)
    return lines
