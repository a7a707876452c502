"""How far back readings matter, in ticks: what is asked of the store, kept in it, and looked at in a request."""

from __future__ import annotations

from forestall.serving.bundle import Bundle


def before_decision(bundle: Bundle) -> int:
    """How far before a decision the readings lie that its risks depend on; whole slots."""
    spans = bundle.reference.spans
    slots = -(-max(spans.lookback, spans.stale + spans.interval) // spans.interval)
    return slots * spans.interval + _carried(bundle)


def before_baseline(bundle: Bundle) -> int:
    """How far before its renewal the readings lie that a baseline depends on."""
    return bundle.reference.spans.baseline + _carried(bundle)


def before_end(bundle: Bundle) -> int:
    """How far before a machine's last reading its readings are kept: enough for every decision of the last horizon."""
    spans = bundle.reference.spans
    longest = max(before_decision(bundle), before_baseline(bundle) + spans.baseline_every)
    return spans.horizon + 2 * spans.every + longest


def _carried(bundle: Bundle) -> int:
    """How far before a slot the reading may be whose value stands in for a missing one."""
    return bundle.plant.carry_forward * bundle.reference.spans.interval
