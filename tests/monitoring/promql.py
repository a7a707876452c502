"""What expressions in rules and panels name."""

from __future__ import annotations

import re

from forestall.serving.api.metric_names import METRICS, series_labels

OF_PROMETHEUS = {
    "up": ("job", "instance"),
    "ALERTS": ("alertname", "alertstate", "severity", "component", "name"),
}
KNOWN = series_labels() | OF_PROMETHEUS
WORDS = {
    "absent",
    "and",
    "by",
    "count",
    "histogram_quantile",
    "increase",
    "label_replace",
    "last_over_time",
    "max",
    "min",
    "offset",
    "on",
    "or",
    "rate",
    "sum",
    "time",
    "unless",
    "vector",
}
ADDED_UP = {"process": "sum|count", "plant": "max|min"}


def asked(expr: str) -> set[str]:
    """The series that an expression names."""
    return _named(expr) & set(KNOWN)


def assert_asks_for_what_is_exported(expr: str) -> None:
    """Series that are exported, and labels that they have."""
    named, series = _named(expr), asked(expr)
    assert series, expr
    labels = {"job", "instance"}.union(*(KNOWN[one] for one in series))
    assert named <= series | labels, named - series - labels
    for one, selector in re.findall(r"(\w+)\{([^}]*)\}", _plain(expr)):
        assert set(re.findall(r"(\w+)[=!]", selector)) <= {*KNOWN[one], "job"}, (one, selector)


def assert_added_up_or_taken_once(expr: str) -> None:
    """What each process has of its own is added up, what all say of the plant is taken once."""
    for metric in METRICS:
        for series in asked(expr) & set(metric.series):
            how = rf"\b({ADDED_UP[metric.of]})( by \([^)]*\) ?)?\((rate\(|increase\(|last_over_time\()?{series}\b"
            assert len(re.findall(how, expr)) == len(re.findall(rf"\b{series}\b", expr)), (series, expr)


def _plain(expr: str) -> str:
    """Without texts, and what Grafana puts in."""
    return re.sub(r"\$\w+", "", re.sub(r'"[^"]*"', '""', expr))


def _named(expr: str) -> set[str]:
    return {word for word in re.findall(r"(?<![\w.])[A-Za-z_]{2,}\b", _plain(expr)) if word not in WORDS}
