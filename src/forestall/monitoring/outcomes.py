"""What became of alarms and failures in service, by the definitions of docs/reference/metrics.md.

The ledger of the evaluation is kept over the alarms as they were raised. Figures are of what is **mature**: of
(after, until - horizon], so that alarms, failures, work and machine-months are of one span, whose outcomes are known
and whose late reports had a horizon to come in. What is younger is pending, and counted apart. A machine with its own
clock is mature up to a horizon before its end, or up to its end if it ended with a failure.

An alarm counts if it was raised, also if later data withdrew it: people were told. What they found settles what the
times leave open: `confirmed` is right and `no fault found` is false, unless a failure followed within the horizon.
Whether a failure was caught stays a matter of times. An alarm after which the part was replaced is undetermined: acting
on it hid what would have come. That gives worst-case bounds (Manski, "Nonparametric Bounds on Treatment Effects",
American Economic Review 80, 1990) around the settled figure; with u undetermined alarms, h replacements that followed
them, and l of these after alarms that may have been too late:

- right / (right + false + u) <= alarm_precision <= (right + u) / (right + false + u)
- caught / (failures + l) <= event_recall <= (caught + h) / (failures + h)
- false_alarms_per_machine_month <= (false + u) / machine-months

That planned work without an alarm hid failures, too, is in no bound. Times are ticks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.evaluation.ledger import CAUGHT, KEY, MISSED, UNFORESEEN, ledger
from forestall.monitoring.merged import merged
from forestall.monitoring.service import ALARMS, Service, Window, is_mature, mature_until
from forestall.monitoring.service_figures import (
    HIDDEN,
    HIDDEN_LATE,
    NOT_JUDGED,
    PENDING_ALARM,
    PENDING_FAILURE,
    WITHDRAWN,
    Figures,
    figures_by,
)
from forestall.serving.plant import Plant
from forestall.training.alarms import FALSE, NONE, OUTCOMES, RIGHT, UNDETERMINED, fates
from forestall.training.judging import month_ticks, repair_span, rules_of
from forestall.training.series import Ints, Rules, Series, series_of

SERIES_AT_A_TIME = 1000
PENDING = "pending"


@dataclass(frozen=True)
class Realised:
    """What became of it.

    alarms: those opened in the window, with outcome (`right`, `false`, `undetermined` or `pending`), failure (when,
    else -1), lead (else -1) and replaced (when the part next was as planned, else -1). rows: the ledger of the mature
    span and what is counted beside it: machine, component, time, kind, lead. fleet, components, months: see
    `service_figures.figures_by`. failures: all that were given, each once: machine, time, component, source.
    """

    window: Window
    failures: pd.DataFrame
    alarms: pd.DataFrame
    rows: pd.DataFrame
    fleet: Figures
    components: dict[str, Figures]
    months: dict[str, Figures]


def realised(service: Service, plant: Plant, window: Window) -> Realised:
    """What became of the alarms and failures of a window; figures that are not defined are left out."""
    dataset, rules = plant.dataset, rules_of(plant.dataset, plant.quiet)
    failures, series = _laid_out(service, plant, window)
    alarms = _judged(service.alarms[service.alarms["opened"] <= window.until], series, rules)
    rows = pd.concat([ledger(series, alarms, rules), _beside(alarms, failures, rules)])
    limit = mature_until(failures, service.ends, rules.horizon, window.until)
    rows = _of_window(rows, limit, window)
    every = dataset.ticks(dataset.decisions.every)
    months = service.decided.assign(months=service.decided["decisions"] * every / month_ticks(dataset))
    pairs = pd.DataFrame({"machine": series.machine, "component": series.component})
    by = figures_by(rows, months, pairs, dataset)
    return Realised(window, failures, _shown(alarms, limit, window), rows, *by)


def _laid_out(service: Service, plant: Plant, window: Window) -> tuple[pd.DataFrame, Series]:
    """The failures, each once, and the series of the decisions."""
    span, dataset = repair_span(plant.dataset), plant.dataset
    failures, maintenance = (
        merged(frame[frame["time"] <= window.until], span)
        for frame in (service.failures, service.maintenance)
    )
    opened = service.alarms[["machine", "opened"]].rename(columns={"opened": "time"})
    decisions = pd.concat([service.decisions[["machine", "time"]], opened])
    decisions = decisions[decisions["time"] <= window.until].astype({"machine": object, "time": np.int64})
    end: Mapping[str, int] | int = window.until
    if service.ends:
        end = {name: min(time, window.until) for name, time in service.ends.items()}
    components = list(dataset.components)
    return failures, series_of(decisions, components, service.absent, failures, maintenance, end, span)


def _judged(alarms: pd.DataFrame, series: Series, rules: Rules) -> pd.DataFrame:
    """The alarms with closed, outcome, failure, lead, and when the part was replaced as planned (else -1).

    Alarms about parts that are not judged (any more) are left out.
    """
    pairs = pd.MultiIndex.from_arrays([series.machine, series.component])
    number = pairs.get_indexer(pd.MultiIndex.from_frame(alarms[["machine", "component"]]))
    alarms, number = alarms[number >= 0].reset_index(drop=True), number[number >= 0]
    opened = alarms["opened"].to_numpy(dtype=np.int64)
    outcome, failure = np.empty(len(alarms), dtype=np.int64), np.full(len(alarms), NONE, dtype=np.int64)
    for rows in _pieces(number):
        outcome[rows], failure[rows] = _fates(series, number[rows], opened[rows], rules)
    found = alarms.assign(
        closed=alarms["ended"].astype(np.int64),
        outcome=np.array(OUTCOMES, dtype=object)[outcome],
        failure=failure,
        lead=np.where(failure >= 0, failure - opened, NONE),
        replaced=[_next(series.replaced[row], time) for row, time in zip(number, opened, strict=True)],
    )
    return _settled(found)


def _pieces(number: npt.NDArray[np.int_]) -> list[npt.NDArray[np.int_]]:
    """Positions of alarms, those of a few series at a time."""
    order = np.argsort(number, kind="stable")
    cuts = np.searchsorted(number[order], np.unique(number)[SERIES_AT_A_TIME::SERIES_AT_A_TIME])
    return [rows for rows in np.split(order, cuts) if len(rows)]


def _fates(series: Series, number: Ints, opened: Ints, rules: Rules) -> tuple[Ints, Ints]:
    """What becomes of alarms by their times alone: the position of the outcome, and when the failure was."""
    which = np.zeros(len(series), dtype=np.bool_)
    which[number] = True
    times, step = np.unique(opened, return_inverse=True)
    some = replace(series.take(which), time=times)
    known, row = fates(some, rules), (np.cumsum(which) - 1)[number]
    place = known.failure[row, step]
    when = [some.failures[r][p] if p >= 0 else NONE for r, p in zip(row, place, strict=True)]
    return known.outcome[row, step].astype(np.int64), np.array(when, dtype=np.int64)


def _next(times: Ints, after: int) -> int:
    place = int(np.searchsorted(times, after, side="right"))
    return int(times[place]) if place < len(times) else NONE


def _settled(alarms: pd.DataFrame) -> pd.DataFrame:
    """With what people found, where no failure says it."""
    open_, finding = alarms["outcome"] != RIGHT, alarms["finding"]
    outcome = alarms["outcome"].mask(open_ & (finding == "confirmed"), RIGHT)
    return alarms.assign(outcome=outcome.mask(open_ & (finding == "no fault found"), FALSE))


def _beside(alarms: pd.DataFrame, failures: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """What the ledger has no kind for: what replacements hid, alarms that were withdrawn, failures that it may lack."""
    hidden = alarms[(alarms["outcome"] == UNDETERMINED) & (alarms["replaced"] >= 0)]
    early = hidden["replaced"] - hidden["opened"] >= rules.min_lead
    hidden = hidden[["machine", "component"]].assign(time=hidden["replaced"], early=early)
    hidden = hidden.groupby(KEY, sort=True)["early"].any().reset_index()
    withdrawn = alarms[alarms["end_reason"] == "withdrawn"].rename(columns={"opened": "time"})
    # Which of them the ledger has is known only there: `_of_window` takes those out again.
    parts = [
        hidden.assign(kind=HIDDEN),
        hidden[~hidden["early"].astype(bool)].assign(kind=HIDDEN_LATE),
        withdrawn.assign(kind=WITHDRAWN),
        failures.assign(kind=NOT_JUDGED),
    ]
    return pd.concat([part.assign(lead=NONE)[[*KEY, "kind", "lead"]] for part in parts])


def _of_window(rows: pd.DataFrame, limit: Mapping[str, int] | int, window: Window) -> pd.DataFrame:
    """The rows of the mature span; of what is younger, how many alarms and failures are pending."""
    rows = rows[rows["time"] > window.after]
    known = rows.loc[rows["kind"].isin([CAUGHT, MISSED, UNFORESEEN]), KEY]
    counted = pd.MultiIndex.from_frame(rows[KEY]).isin(pd.MultiIndex.from_frame(known))
    rows = rows[~((rows["kind"] == NOT_JUDGED) & counted)]
    mature = is_mature(rows, "time", limit)
    kinds = dict.fromkeys(OUTCOMES, PENDING_ALARM)
    kinds |= dict.fromkeys((CAUGHT, MISSED, UNFORESEEN, NOT_JUDGED), PENDING_FAILURE)
    pending = rows[~mature].assign(kind=rows.loc[~mature, "kind"].map(kinds)).dropna(subset="kind")
    whole = pd.concat([rows[mature], pending], ignore_index=True)
    return whole.astype({"time": np.int64, "lead": np.int64})


def _shown(alarms: pd.DataFrame, limit: Mapping[str, int] | int, window: Window) -> pd.DataFrame:
    """The alarms of the window; those that are younger are pending, whatever has followed by now."""
    alarms = alarms[alarms["opened"] > window.after]
    young = ~is_mature(alarms, "opened", limit)
    told = alarms.assign(outcome=alarms["outcome"].mask(young, PENDING))
    return told[[*ALARMS, "outcome", "failure", "lead", "replaced"]].reset_index(drop=True)
