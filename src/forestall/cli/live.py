"""`forestall explain-change --live`: why the risk of the fleet in service changed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from forestall.cli.common import add_bundle, add_database, open_live
from forestall.errors import ForestallError

if TYPE_CHECKING:
    from forestall.features.reference import Reference
    from forestall.monitoring.periods import Periods
    from forestall.serving.live import Live


def add_live(explain: argparse.ArgumentParser) -> None:
    """The options of the fleet in service."""
    live = explain.add_argument_group("the fleet in service")
    live.add_argument(
        "--live", action="store_true", help="what moved the mean risk of the service's fleet, of no revisions"
    )
    add_database(live)
    add_bundle(live, "the model that answers")
    live.add_argument(
        "--old",
        type=Path,
        metavar="FOLDER",
        help="the bundle that answered before it, to judge both periods, too",
    )
    live.add_argument(
        "--before", metavar="TIME", help="the end of the first period (default: 4 horizons earlier)"
    )
    live.add_argument(
        "--after", metavar="TIME", help="the end of the second period (default: the latest reading)"
    )


def explain_live(chosen: argparse.Namespace) -> tuple[str, dict[str, object]]:
    """The report, and the same for machines.

    Raises:
        ForestallError: there is no store, the times are none, or a period has no risks.
    """
    from forestall.monitoring.change_report import as_json, markdown
    from forestall.monitoring.live_change import live_change
    from forestall.monitoring.thresholds import THRESHOLDS
    from forestall.serving.bundle import load_bundle

    bundle = load_bundle(chosen.bundle)
    old = None if chosen.old is None else load_bundle(chosen.old)
    reference = bundle.reference
    if reference.own_clocks:
        raise ForestallError("Machines with clocks of their own have no periods in common to compare.")
    live = open_live(chosen.database, bundle)
    with live.store.reading() as connection:
        latest = live.time(connection)
        if latest is None:
            raise ForestallError(f"{_named(chosen.database)} has no readings.")
        periods = _periods(chosen, latest, live)
        found = live_change(connection, live, periods, THRESHOLDS.change_machines, old)
    if found is None:
        raise ForestallError(
            f"The store has no readings to judge the period before by, {_said(periods, reference)}."
        )
    return markdown(found, reference), as_json(found, reference)


def _named(url: str) -> str:
    """Without a password."""
    return url.rsplit("@", 1)[-1]


def _periods(chosen: argparse.Namespace, latest: int, live: Live) -> Periods:
    from forestall.monitoring.periods import periods_of
    from forestall.monitoring.thresholds import THRESHOLDS

    spans = live.bundle.reference.spans
    after = latest if chosen.after is None else _ticks("--after", chosen.after)
    if after > latest:
        raise ForestallError(f"--after {chosen.after}: the latest reading is of {_time(latest, live)}.")
    before = after - THRESHOLDS.change_horizons * spans.horizon
    if chosen.before is not None:
        before = _ticks("--before", chosen.before)
    try:
        return periods_of(spans, before, after)
    except ValueError as error:
        raise ForestallError(
            f"{error} Each is {spans.horizon // spans.every * spans.every / 3600:g} h long."
        ) from error


def _ticks(option: str, text: str) -> int:
    """A date, or a timestamp as the service writes it."""
    from pydantic_core import PydanticCustomError

    from forestall.serving.times import ticks_of

    try:
        return ticks_of(f"{text}T00:00:00Z" if len(text) == len("2024-12-01") else text)
    except PydanticCustomError as error:
        raise ForestallError(f"{option} {text}: {error.message()}, nor a date such as 2024-12-30.") from error


def _time(ticks: int, live: Live) -> str:
    from forestall.serving.times import time_of

    return str(time_of(ticks, live.bundle.reference))


def _said(periods: Periods, reference: Reference) -> str:
    from forestall.serving.times import time_of

    return f"{time_of(periods.before[0], reference)} to {time_of(periods.before[-1], reference)}"
