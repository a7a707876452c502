"""The dashboard: the committed file is the code's, asks for what is exported, and is laid out as Grafana needs it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from forestall.data.settings import read_yaml
from forestall.monitoring.alert_levels import Durations, Levels
from forestall.monitoring.alert_rules import rules
from forestall.monitoring.dashboard.board import COLUMNS, dashboard, dashboard_text
from forestall.monitoring.dashboard.queries import least, rate, select, value
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.api import metric_names, model_metric_names
from forestall.serving.api.metric_names import METRICS
from tests.monitoring.promql import asked, assert_added_up_or_taken_once, assert_asks_for_what_is_exported

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy/grafana"
COMMITTED = GRAFANA / "dashboards/forestall.json"
RUNBOOKS = ROOT / "docs/how-to/alerts.md"
BOARD = dashboard()
PANELS: list[dict[str, Any]] = [one for one in BOARD["panels"] if one["type"] != "row"]
TITLES = [one["title"] for one in PANELS]
EXPRS = [target["expr"] for one in PANELS for target in one["targets"]]
MARKS = [one["target"]["expr"] for one in BOARD["annotations"]["list"]]
ALERTS = {one["alert"]: one["expr"] for group in rules()["groups"] for one in group["rules"]}
# In packages/grafana-data/src/valueFormats/categories.ts of Grafana.
UNITS = {"short", "none", "s", "dateTimeFromNow", "percentunit", "reqps", "bytes"}
NOT_SHOWN = {
    "process_virtual_memory_bytes": "addresses, not memory: nobody can do anything about it",
}


def panel(title: str) -> dict[str, Any]:
    return next(one for one in PANELS if one["title"] == title)


def steps(of: Any) -> list[dict[str, Any]]:
    """All thresholds, of a panel and of a table's columns."""
    if isinstance(of, list):
        return [step for one in of for step in steps(one)]
    if isinstance(of, dict):
        return [*of.get("steps", []), *(step for one in of.values() for step in steps(one))]
    return []


def test_the_committed_file_is_that_of_the_code() -> None:
    write = "python -m forestall.monitoring.dashboard > deploy/grafana/dashboards/forestall.json"
    assert COMMITTED.read_text(encoding="utf-8") == dashboard_text(), f"write it again: {write}"
    assert json.loads(dashboard_text()) == BOARD


@pytest.mark.parametrize("expr", [*EXPRS, *MARKS])
def test_a_query_asks_for_what_is_exported_of_one_plant(expr: str) -> None:
    assert_asks_for_what_is_exported(expr)
    assert_added_up_or_taken_once(expr)
    assert expr.count("{") == expr.count('{job="$job"')


def test_a_query_of_what_is_not_exported_is_noticed() -> None:
    for expr in ("sum(forestall_nothing)", "sum by (route) (forestall_store_up)", 'up{route="x"}'):
        with pytest.raises(AssertionError):
            assert_asks_for_what_is_exported(expr)
    for expr in ("sum(forestall_machines)", "max(forestall_store_up)", "forestall_machines"):
        with pytest.raises(AssertionError):
            assert_added_up_or_taken_once(expr)


def test_a_label_that_a_metric_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has the labels \('route', 'method', 'status'\), not \['limit'\]"):
        rate(metric_names.REQUESTS, "limit")
    with pytest.raises(ValueError, match="not \\['band'\\]"):
        select(metric_names.STORE_UP, band="alarm")
    assert value(metric_names.MACHINES, "status") == 'max by (status) (forestall_machines{job="$job"})'
    assert value(metric_names.IN_FLIGHT) == 'sum(forestall_http_requests_in_flight{job="$job"})'
    assert least(metric_names.DATA_AGE) == 'min(forestall_data_age_seconds{job="$job"})'


def test_every_metric_is_shown_or_watched_or_left_out_for_a_reason() -> None:
    used = set().union(*(asked(expr) for expr in [*EXPRS, *MARKS, *ALERTS.values()]))
    unused = {one.name for one in METRICS if not used & set(one.series)}
    assert unused == set(NOT_SHOWN)


def test_alerts_are_named_where_one_sees_them() -> None:
    sections = set(re.findall(r"^### (\w+)$", RUNBOOKS.read_text(encoding="utf-8"), flags=re.MULTILINE))
    shown: dict[str, set[str]] = {}
    for one in PANELS:
        series = set().union(*(asked(target["expr"]) for target in one["targets"]))
        for name, link in re.findall(r"^Alert (\w+): `(.*)`$", one["description"], flags=re.MULTILINE):
            assert link == f"docs/how-to/alerts.md#{name.lower()}"
            shown[name] = shown.get(name, set()) | series
    assert set(shown) == set(ALERTS) == sections
    for name, series in shown.items():
        assert asked(ALERTS[name]) & series, name


def test_thresholds_are_the_numbers_of_alerts_and_of_chance() -> None:
    times = asdict(Durations())
    known = {*asdict(Levels()).values(), *times.values(), *(-one for one in times.values())}
    known |= {*asdict(THRESHOLDS).values(), 1}  # 1: of what should not be, or should be
    found = {step["value"] for step in steps(BOARD)}
    assert found - {None} <= known
    assert {Levels().error_share, Levels().stale_share, THRESHOLDS.alarm_rate_level, -times["ahead"]} <= found
    assert steps(panel("How likely that is by chance")) == [
        {"color": "red", "value": None},
        {"color": "green", "value": THRESHOLDS.alarm_rate_level},
    ]


def test_every_panel_says_what_it_means() -> None:
    for one in PANELS:
        assert re.search(r"\.(\n\nAlert |$)", one["description"]), one["title"]
        assert len(one["description"]) > 30
        assert "forestall_" not in one["description"] + one["title"]


def test_estimates_are_marked_as_such() -> None:
    estimates = (
        model_metric_names.EXPECTED_FAILURES,
        model_metric_names.ESTIMATED_RECALL,
        model_metric_names.ESTIMATED_PRECISION,
    )
    names = {one.name for one in estimates}
    marked = [one for one in PANELS if names & set().union(*(asked(t["expr"]) for t in one["targets"]))]
    assert len(marked) == 3
    assert all(one["title"].startswith("Estimate: ") for one in marked)


def test_nothing_has_the_number_or_the_title_of_another() -> None:
    numbers = [one["id"] for one in BOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    assert len(set(TITLES)) == len(TITLES)
    for one in PANELS:
        letters = [target["refId"] for target in one["targets"]]
        assert letters and letters == sorted(set(letters)) and all(len(letter) == 1 for letter in letters)


def cells(of: dict[str, Any]) -> set[tuple[int, int]]:
    grid = of["gridPos"]
    return {(grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"])}


def test_panels_lie_in_the_grid_and_on_no_other() -> None:
    places = [cells(one) for one in BOARD["panels"]]
    assert all(0 <= x < COLUMNS for place in places for x, _ in place)
    for one, other in combinations(places, 2):
        assert not one & other
    tops = [one["gridPos"]["y"] for one in BOARD["panels"]]
    assert tops == sorted(tops)  # a row has the panels that follow it


def test_units_and_legends_are_such_that_grafana_has() -> None:
    labels = {label for one in METRICS for label in one.labels} | {"instance", "alertname"}
    for one in PANELS:
        overrides = one["fieldConfig"]["overrides"]
        units = [p["value"] for each in overrides for p in each["properties"] if p["id"] == "unit"]
        assert {one["fieldConfig"]["defaults"]["unit"], *units} <= UNITS
        for target in one["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            by = [set(group.split(", ")) for group in re.findall(r" by \(([^)]*)\)", target["expr"])]
            assert named <= labels and (not named or named <= by[0]), target["legendFormat"]
            assert target["range"] != target["instant"]
        columns = [each["matcher"]["options"] for each in overrides if each["matcher"]["id"] == "byName"]
        assert set(columns) <= {target["legendFormat"] for target in one["targets"]}


def test_what_is_asked_is_chosen_by_who_looks() -> None:
    text = dashboard_text()
    assert set(re.findall(r'"uid": "([^"]*)"', text)) == {"forestall", "${datasource}"}
    assert [one["name"] for one in BOARD["templating"]["list"]] == ["datasource", "job"]
    assert set(re.findall(r"\$(\w+)", " ".join(EXPRS))) == {"job", "__rate_interval"}


def test_provisioning_is_of_what_is_here() -> None:
    (source,) = read_yaml(GRAFANA / "provisioning/datasources/forestall.yml")["datasources"]
    assert source["type"] == "prometheus" and "uid" not in source
    prometheus = read_yaml(ROOT / "deploy/prometheus/prometheus.yml")
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
    (provider,) = read_yaml(GRAFANA / "provisioning/dashboards/forestall.yml")["providers"]
    mounts = read_yaml(ROOT / "deploy/compose.yaml")["services"]["grafana"]["volumes"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in mounts
    assert "./grafana/provisioning:/etc/grafana/provisioning:ro" in mounts
