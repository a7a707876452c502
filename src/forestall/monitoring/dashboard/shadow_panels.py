"""What scores beside the model that answers, and does it keep up?"""

from __future__ import annotations

from forestall.monitoring.dashboard.panel import Panel, Query, bad_from
from forestall.monitoring.dashboard.queries import increase, rate, value
from forestall.serving.api import metric_names


def shadow_panels() -> tuple[Panel, ...]:
    """In the order in which they are asked."""
    labels = metric_names.SHADOW.labels
    return (
        Panel(
            "The model in shadow",
            "By version, how many processes score with it beside the model that answers. `forestall shadow --report` "
            "compares the two.",
            (Query(value(metric_names.SHADOW, *labels), "processes"),),
            look="table",
            width=12,
        ),
        Panel(
            "A challenger was refused",
            "1: what is offered as challenger does not score. The log says why.",
            (Query(value(metric_names.SHADOW_REFUSED, "instance"), "{{instance}}"),),
            "none",
            look="stat",
            width=6,
            steps=bad_from(1),
        ),
        Panel(
            "Time that the model in shadow takes",
            "Seconds in each second, for the plant's machines (`live`) and for requests. Near 1: it does not keep up.",
            (Query(rate(metric_names.SHADOW_SECONDS, "source"), "{{source}}"),),
            "none",
            width=6,
        ),
        Panel(
            "Machines scored in shadow, in a day",
            "`failed` or `dropped` are missing from the comparison: the log says why, or there is too much to do.",
            (Query(increase(metric_names.SHADOW_DECISIONS, "outcome", over="1d"), "{{outcome}}"),),
            width=12,
        ),
        Panel(
            "Requests in shadow, in a day",
            "`agreed`: on the same side of each part's own threshold. `unfit`: it takes other features or fields. "
            "`dropped`: too many at once.",
            (Query(increase(metric_names.SHADOW_REQUESTS, "outcome", over="1d"), "{{outcome}}"),),
            width=12,
        ),
    )
