"""A difference with its interval, drawn as a small SVG: no script, and its colours are the page's."""

from __future__ import annotations

from forestall.comparison.html import Html, tag
from forestall.evaluation.tables import COST

LESS_IS_BETTER = {COST, "false_alarms_per_machine_month", "brier", "calibration_error"}
COUNTS = {"failures", "alarms"}  # more of them is neither good nor bad
WIDTH, HEIGHT, MARGIN = 140, 18, 8


def interval_chart(metric: str, value: float, low: float, high: float) -> Html:
    """Zero in the middle, the interval as a bar and the difference as a point, on a scale of their own."""
    reach = max(abs(one) for one in (value, low, high)) or 1.0
    middle = HEIGHT / 2

    def at(one: float) -> str:
        return f"{WIDTH / 2 + one / reach * (WIDTH / 2 - MARGIN):.1f}"

    zero, y = at(0), f"{middle:.1f}"
    return tag(
        "svg",
        tag("line", x1=zero, x2=zero, y1="0", y2=str(HEIGHT), class_="zero"),
        tag("line", x1=at(low), x2=at(high), y1=y, y2=y, class_="span"),
        tag("circle", cx=at(value), cy=y, r="4"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=str(WIDTH),
        height=str(HEIGHT),
        class_=f"interval {side(metric, low, high)}",
        role="img",
        aria_label={"good": "better than zero", "bad": "worse than zero"}.get(
            side(metric, low, high), "apart from zero" if low > 0 or high < 0 else "zero is inside"
        ),
    )


def side(metric: str, low: float, high: float) -> str:
    """good, bad or open: on which side of zero all of the interval lies."""
    if metric in COUNTS or low <= 0 <= high:
        return "open"
    return "good" if (high < 0) == (metric in LESS_IS_BETTER) else "bad"
