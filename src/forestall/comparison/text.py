"""Names, values and figures as a report writes them, for Markdown and for HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PLAIN = re.compile(r"[^\W_]+(?:[_./-]+[^\W_]+)*")


def verbatim(text: Any) -> str:
    """A name or a value that people gave, so that Markdown shows it as it is: as code, unless it is plain words."""
    line = " ".join(str(text).split())
    return line if PLAIN.fullmatch(line) else coded(line)


def coded(text: Any) -> str:
    """As code, whatever backticks it holds, in one line."""
    line = " ".join(str(text).split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    room = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{room}{line}{room}{fence}"


def called(one: Mapping[str, str | None]) -> str:
    """A revision as it was named, and its commit."""
    return _with_commit(str(one["name"]), one)


def called_verbatim(one: Mapping[str, str | None]) -> str:
    """As `called`, for Markdown."""
    return _with_commit(verbatim(one["name"]), one)


def span(low: float | None, high: float | None) -> str:
    """A 95 % interval; empty where there is none."""
    return "" if low is None else f"{signed(low)} to {signed(high)}"


def signed(value: float | None) -> str:
    """A difference to three digits, with its sign."""
    return "-" if value is None else f"{'+' if value > 0 else ''}{number(value)}"


def number(value: float | None) -> str:
    """A figure to three digits, or a dash where it is undefined."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"


def _with_commit(text: str, one: Mapping[str, str | None]) -> str:
    short = (one["commit"] or "")[:7]
    return f"{text} ({short})" if short and not str(one["name"]).startswith(short) else text
