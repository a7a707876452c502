"""What panels ask Prometheus for: declared metrics only, added up or taken once by what they are of."""

from __future__ import annotations

from forestall.serving.api.metric import Metric

JOB = 'job="$job"'
RATE = "$__rate_interval"  # what Grafana takes rates over: at least four scrapes
OF_PROMETHEUS = ("job", "instance")
AGGREGATION = {"process": "sum", "plant": "max"}
UP = f"up{{{JOB}}}"


def select(metric: Metric, part: str = "", **labels: str) -> str:
    """The series of a metric; `part` of a histogram. A label's value that begins with ~ is an expression.

    Raises:
        ValueError: it has no such label.
    """
    _known(metric, labels)
    asked = [
        f'{name}=~"{text[1:]}"' if text[:1] == "~" else f'{name}="{text}"' for name, text in labels.items()
    ]
    return f"{metric.name}{part}{{{', '.join([JOB, *asked])}}}"


def value(metric: Metric, *by: str, **labels: str) -> str:
    """As it is now."""
    return _of_all(metric, by, select(metric, **labels))


def least(metric: Metric, *by: str) -> str:
    """Of an age that some processes may know an older state of, the youngest."""
    return _of_all(metric, by, select(metric), "min")


def rate(metric: Metric, *by: str, over: str = RATE, part: str = "", **labels: str) -> str:
    """Of a counter, how many in a second."""
    return _of_all(metric, by, f"rate({select(metric, part, **labels)}[{over}])")


def increase(metric: Metric, *by: str, over: str, **labels: str) -> str:
    """Of a counter, how many in a span."""
    return _of_all(metric, by, f"increase({select(metric, **labels)}[{over}])")


def alerts(*by: str, more: str = "") -> str:
    """Alerts that Prometheus told of last, or one by the name of none."""
    told = f"ALERTS{{{JOB}{more}}}"
    none = f'label_replace(vector(0) unless on () {told}, "alertname", "none", "", "")'
    return f"max by ({', '.join(by)}) ({told}) or {none}"


def _of_all(metric: Metric, by: tuple[str, ...], query: str, how: str = "") -> str:
    _known(metric, by)
    grouped = f" by ({', '.join(by)}) " if by else ""
    return f"{how or AGGREGATION[metric.of]}{grouped}({query})"


def _known(metric: Metric, labels: tuple[str, ...] | dict[str, str]) -> None:
    more = ("le",) if metric.kind == "histogram" else ()
    unknown = set(labels) - {*metric.labels, *more, *OF_PROMETHEUS}
    if unknown:
        raise ValueError(f"{metric.name} has the labels {metric.labels}, not {sorted(unknown)}.")
