"""What is known of the model in service: which it is, and why something is not known yet, or is not of just now."""

from __future__ import annotations

import time
from collections.abc import Mapping

from forestall.serving.api.change_state import KnownChange
from forestall.serving.api.drift_state import KnownDrift
from forestall.serving.api.outcome_state import KnownOutcomes
from forestall.serving.api.service import Service, Serving
from forestall.serving.api.state import Collector
from forestall.serving.api.watch import Known, Watch
from forestall.serving.page.service_rows import Model

OLD_ENOUGH = ("machine_months", "failures", "unforeseen", "alarms")  # where each is 0, nothing is judged yet


def unknown(serving: Serving, watch: Watch, known: Known) -> Mapping[str, str]:
    """Why there is nothing to tell, by part of the page; the ends of the keys `page.service_unknown_`."""
    own_clocks = serving.bundle.reference.own_clocks
    outcomes = _outcomes(serving, watch, known.outcomes)
    found = {"drift": _drift(serving, watch, known.drift), "outcomes": outcomes}
    found["estimates"] = "own_clocks" if own_clocks else outcomes
    found["change"] = "own_clocks" if own_clocks else _change(serving, watch, known.change)
    return {part: why for part, why in found.items() if why}


def _drift(serving: Serving, watch: Watch, found: KnownDrift) -> str:
    its_own = found.version == serving.version
    if its_own and found.drift is not None:
        return ""
    if its_own and found.reference is None:
        return "no_reference"
    none = "no_span" if serving.bundle.reference.own_clocks else "no_week"
    return _waits(watch, watch.drift, its_own) or ("no_readings" if found.week < 0 else none)


def _outcomes(serving: Serving, watch: Watch, found: KnownOutcomes) -> str:
    its_own = found.version == serving.version
    if found.realised is None or not its_own:
        return _waits(watch, watch.outcomes, its_own) or "no_readings"
    figures = found.realised.fleet
    return "" if any(figures[name] for name in OLD_ENOUGH) else "too_young"


def _change(serving: Serving, watch: Watch, found: KnownChange) -> str:
    its_own = found.version == serving.version
    if its_own and found.change is not None:
        return ""
    return _waits(watch, watch.change, its_own) or ("no_readings" if found.until is None else "no_risks")


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


def model_of(service: Service, serving: Serving, watch: Watch, known: Known) -> Model:
    """What answers, and when the plant's outcomes were last worked out."""
    since = watch.outcomes.now() - known.outcomes.at
    return Model(
        version=serving.version,
        dataset=str(serving.bundle.manifest.get("dataset", "")),
        data_hash=str(serving.bundle.manifest.get("data_hash", "")),
        revision=str(serving.bundle.manifest.get("revision", "")),
        accepted=int(service.champion.accepted_at),
        looked=int(time.time() - since) if known.outcomes.version == serving.version else None,
    )
