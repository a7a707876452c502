"""Why something of the model in service is not known yet."""

from __future__ import annotations

from collections.abc import Mapping

from forestall.serving.api.service import Serving
from forestall.serving.api.state import Collector
from forestall.serving.api.watch import Watch

OLD_ENOUGH = ("machine_months", "failures", "unforeseen", "alarms")  # where each is 0, nothing is judged yet


def unknown(serving: Serving, watch: Watch) -> Mapping[str, str]:
    """Why there is nothing to tell, by part of the page; the ends of the keys `page.service_unknown_`."""
    own_clocks = serving.bundle.reference.own_clocks
    outcomes = _outcomes(serving, watch)
    found = {"drift": _drift(serving, watch), "outcomes": outcomes}
    found["estimates"] = "own_clocks" if own_clocks else outcomes
    found["change"] = "own_clocks" if own_clocks else _change(serving, watch)
    return {part: why for part, why in found.items() if why}


def _drift(serving: Serving, watch: Watch) -> str:
    state = watch.drift
    if state.drift is not None and state.version == serving.version:
        return ""
    known = state.version == serving.version
    if known and state.reference is None:
        return "no_reference"
    none = "no_span" if serving.bundle.reference.own_clocks else "no_week"
    return _waits(watch, state, known) or ("no_readings" if state.week < 0 else none)


def _outcomes(serving: Serving, watch: Watch) -> str:
    state = watch.outcomes
    known = state.version == serving.version
    if state.realised is None or not known:
        return _waits(watch, state, known) or "no_readings"
    figures = state.realised.fleet
    return "" if any(figures[name] for name in OLD_ENOUGH) else "too_young"


def _change(serving: Serving, watch: Watch) -> str:
    state = watch.change
    known = state.seen is not None and state.seen[0] == serving.version
    if state.change is not None and known:
        return ""
    if state.seen is None and not watch.state.busy and watch.state.read_at is not None:
        return "failed" if state in watch.state.untold else "no_readings"
    return _waits(watch, state, known) or "no_risks"


def _waits(watch: Watch, collector: Collector, known: bool) -> str:
    """Whether it is still being worked out, or could not be. known: it has looked at what answers now."""
    state = watch.state
    if collector in state.untold and not state.busy:
        return "failed"
    if state.read_at is None and not state.busy:
        return "away"
    return "" if known and not state.busy else "working"
