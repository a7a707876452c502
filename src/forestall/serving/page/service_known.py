"""What is known of the model in service: which it is, and why something is not known yet, or is not of just now."""

from __future__ import annotations

import time
from collections.abc import Mapping

from forestall.serving.api.service import Service, Serving
from forestall.serving.api.state import Collector
from forestall.serving.api.watch import Watch
from forestall.serving.page.service_rows import Model

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


def kept(watch: Watch) -> str:
    """Why what is told is not of just now: it is worked out again, or the database is away; else empty."""
    state = watch.state
    if state.read_at is None or (state.up and not state.busy):
        return ""
    return "busy" if state.busy else "away"


def model_of(service: Service, serving: Serving, watch: Watch) -> Model:
    """What answers, and when the plant's outcomes were last worked out."""
    since = watch.outcomes.now() - watch.outcomes.read_at
    return Model(
        version=serving.version,
        dataset=str(serving.bundle.manifest.get("dataset", "")),
        data_hash=str(serving.bundle.manifest.get("data_hash", "")),
        revision=str(serving.bundle.manifest.get("revision", "")),
        accepted=int(service.champion.accepted_at),
        looked=int(time.time() - since) if watch.outcomes.version == serving.version else None,
    )
