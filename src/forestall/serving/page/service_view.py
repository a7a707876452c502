"""What monitoring found last, as rows of the page of the model in service; nothing is worked out here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from forestall.data.clock import hour_of
from forestall.features.reference import Reference
from forestall.monitoring.drift import AlarmDrift, Drift, Shift
from forestall.monitoring.estimate import FEWER, MORE, TOO_FEW, Check, Estimate, Estimated
from forestall.monitoring.live_change import LiveChange
from forestall.monitoring.outcomes import Realised
from forestall.monitoring.service_figures import Figures
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.serving.api.drift_state import KnownDrift
from forestall.serving.api.service import Service, Serving
from forestall.serving.api.watch import Watch
from forestall.serving.page.drift_rows import DriftRows, Finding, Found, RateRow, ShiftRow, Weeks
from forestall.serving.page.record_rows import Month, Record
from forestall.serving.page.record_tables import MODEL
from forestall.serving.page.service_known import kept, model_of, unknown
from forestall.serving.page.service_rows import (
    EstimateRow,
    Guess,
    KeptBack,
    OutcomeRow,
    Outcomes,
    RiskChange,
    ServiceView,
    Share,
)

WITHHELD = {"": "", TOO_FEW: "few", MORE: "more", FEWER: "fewer"}


def service_view(service: Service, serving: Serving, watch: Watch, record: Record | None) -> ServiceView:
    """All that is known now of what answers.

    Args:
        record: what was measured of this very model; None without.
    """
    reference, known = serving.bundle.reference, watch.known
    why, realised, change = unknown(serving, watch, known), known.outcomes.realised, known.change.change
    estimates = {} if "estimates" in why else known.outcomes.estimates
    drift = None if "drift" in why else known.drift.drift
    return ServiceView(
        model=model_of(service, serving, watch, known),
        findings=[one for one in findings(drift, estimates) if one.parts],
        drift=None if drift is None else drift_of(drift, weeks_of(known.drift, reference)),
        outcomes=None if "outcomes" in why or realised is None else outcomes_of(realised, reference, record),
        estimates=[estimate_row(name, one) for name, one in estimates.items()] or None,
        change=None if "change" in why or change is None else change_of(change),
        unknown=why,
        kept=kept(watch),
    )


def weeks_of(found: KnownDrift, reference: Reference) -> Weeks:
    """What is compared with what."""
    known, limits = found.reference, THRESHOLDS
    assert known is not None  # drift was found against it
    length, started = known.length, known.blocks.start
    ends: tuple[int | None, int | None, int | None] = (None, None, None)
    if not reference.own_clocks:
        ends = (found.week * length, int(started.min()), int(started.max()) + length)
    return Weeks(length, *ends, limits.alarm_rate_weeks, limits.k, limits.n)


def findings(drift: Drift | None, estimates: Mapping[str, Estimated]) -> Iterator[Finding]:
    """What deserves a look, what is most plainly wrong first; drift of inputs is none of it."""
    for withheld, kind in ((MORE, "more_failures"), (FEWER, "fewer_failures")):
        checks = [(name, one.decisions) for name, one in estimates.items()]
        refuted = [(name, one) for name, one in checks if one.withheld == withheld]
        yield Finding(kind, "failures", [Found(name, one.failures, one.expected) for name, one in refuted])
    if drift is None:
        return
    rates = [(one.component, one.change) for one in drift.alarms if one.holds]
    alarms = [Found(name, one.alarms, one.expected) for name, one in rates if one is not None]
    yield Finding("more_alarms", "alarms", [one for one in alarms if one.now > one.usual])
    yield Finding("fewer_alarms", "alarms", [one for one in alarms if one.now <= one.usual])
    yield Finding("risks", "psi", [_shifted(one.name, one) for one in drift.risks if one.holds])
    yield Finding("opinions", "psi", [_shifted("", drift.opinions)] if drift.opinions.holds else [])


def _shifted(name: str, one: Shift) -> Found:
    return Found(name, one.psi or 0.0, one.threshold or 0.0)


def drift_of(drift: Drift, weeks: Weeks) -> DriftRows:
    """Of each component and quantity; inputs by how far they are beyond their thresholds."""
    inputs = [shift_row(*_source(one.name), one) for one in drift.inputs]
    return DriftRows(
        weeks=weeks,
        rates=[rate_row(one) for one in drift.alarms],
        risks=[shift_row("risk", one.name, one) for one in drift.risks],
        inputs=sorted(inputs, key=lambda one: -(one.psi or 0.0) / (one.threshold or 1.0)),
        opinions=shift_row("opinions", "", drift.opinions),
    )


def rate_row(one: AlarmDrift) -> RateRow:
    """A component's alarm rate."""
    state, change = _state(one, one.change is not None), one.change
    if change is None:
        return RateRow(one.component, None, None, None, None, state, one.machines)
    return RateRow(one.component, change.alarms, change.expected, change.ratio, change.p, state, one.machines)


def shift_row(kind: str, name: str, one: Shift) -> ShiftRow:
    """A quantity's values."""
    return ShiftRow(kind, name, one.psi, one.threshold, _state(one, one.psi is not None), one.machines)


def _source(name: str) -> tuple[str, str]:
    """What a source of inputs is, and what the plant calls it."""
    if name == "errors":
        return "codes", ""
    for start, kind in (("error ", "code"), ("age of ", "age")):
        if name.startswith(start):
            return kind, name.removeprefix(start)
    return "sensor", name


def _state(one: AlarmDrift | Shift, counted: bool) -> str:
    if one.holds:
        return "holds"
    if one.beyond:
        return "beyond"
    return "usual" if counted else "none"


def outcomes_of(found: Realised, reference: Reference, record: Record | None) -> Outcomes:
    """Of the outcome window, beside what was measured of the same model."""
    window, hour = found.window, hour_of(reference.unit)[0]
    tested = {} if record is None else kept_back_by(record, hour)
    components = [outcome_row(name, one, hour, tested.get(name)) for name, one in found.components.items()]
    span: tuple[int | None, int | None, int | None] = (None, None, None)
    if not reference.own_clocks:
        span = (window.after, window.until, window.until - reference.spans.horizon)
    return Outcomes(
        *span,
        withdrawn=int(found.fleet["withdrawn"]),
        not_judged=int(found.fleet["not_judged_failures"]),
        fleet=outcome_row("", found.fleet, hour, tested.get("")),
        components=components,
        months=[month_of(name, one) for name, one in found.months.items()],
    )


def month_of(name: str, figures: Figures) -> Month:
    """As the record's plot takes it."""
    return Month(name, MODEL, int(figures["caught"]), int(figures["missed"]), int(figures["false"]))


def kept_back_by(record: Record, hour: int) -> dict[str, KeptBack]:
    """The record's figures by component, and of the fleet under the empty name."""
    found = {
        name: KeptBack(one.recall, one.precision, one.false_alarms, one.cost)
        for name, one in record.components.items()
    }
    fleet = record.policy(MODEL)
    if fleet is not None:
        lead = None if fleet.lead_time is None else fleet.lead_time * hour
        found[""] = KeptBack(fleet.recall, fleet.precision, fleet.false_alarms, fleet.cost, lead)
    return found


def outcome_row(name: str, figures: Figures, hour: int, tested: KeptBack | None) -> OutcomeRow:
    """One component's figures, or the fleet's. hour: ticks in the unit of lead times."""
    lead = figures.get("lead_time_median_h")
    return OutcomeRow(
        name=name,
        caught=int(figures["caught"]),
        missed=int(figures["missed"]),
        unforeseen=int(figures["unforeseen"]),
        pending_failures=int(figures["pending_failures"]),
        right=int(figures["right"]),
        false=int(figures["false"]),
        undetermined=int(figures["undetermined"]),
        pending=int(figures["pending_alarms"]),
        recall=share_of(figures, "event_recall"),
        precision=share_of(figures, "alarm_precision"),
        false_rate=figures.get("false_alarms_per_machine_month"),
        lead=None if lead is None else lead * hour,
        cost=figures.get("cost_per_machine_month"),
        tested=tested,
    )


def share_of(figures: Figures, name: str) -> Share:
    """A share with its interval and its bounds."""
    return Share(*(figures.get(name + ending) for ending in ("", "_low", "_high", "_at_least", "_at_most")))


def estimate_row(name: str, one: Estimated) -> EstimateRow:
    """One component's estimates, and how its risks did so far."""
    check: Check = one.decisions
    return EstimateRow(
        name=name,
        coming=_guess(one.coming),
        precision=_guess(one.alarm_precision),
        recall=_guess(one.event_recall),
        withheld=WITHHELD[check.withheld],
        alarms_withheld=WITHHELD[one.alarms.withheld],
        known=check.count,
        expected=Guess(check.expected, check.sd),
        came=check.failures,
        p_value=check.p_value,
    )


def _guess(one: Estimate | None) -> Guess | None:
    return None if one is None else Guess(one.value, one.sd)


def change_of(found: LiveChange) -> RiskChange:
    """The two periods and what moved the mean risk between them."""
    ends: Sequence[tuple[int, int]] = [
        (times[0], times[-1]) for times in (found.periods.before, found.periods.after)
    ]
    return RiskChange(
        earlier=ends[0],
        later=ends[1],
        before=found.change.before,
        after=found.change.after,
        shares=dict(found.change.shares),
        planned=found.planned,
        failed=found.failed,
        machines=found.machines,
        is_rescored=found.is_rescored,
    )
