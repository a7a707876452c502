"""The ledger: what happened in a fold under some alarms, one row a thing that is counted or paid for.

Counts of any part of it (a machine, a component, a month) are those of its rows; every figure comes from counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.dataset import Costs
from forestall.training.alarms import FALSE, NONE, RIGHT, UNDETERMINED, foreseeable
from forestall.training.series import Floats, Ints, Rules, Series

CAUGHT, MISSED, UNFORESEEN, REPLACED = "caught", "missed", "unforeseen", "replaced"
WARNED, NAMED = "warned", "named"
KINDS = (CAUGHT, MISSED, UNFORESEEN, REPLACED, RIGHT, FALSE, UNDETERMINED, WARNED, NAMED)
KEY = ["machine", "component", "time"]
Counts = Mapping[str, Floats]


@dataclass(frozen=True)
class Spent:
    """What a policy pays for; all of one shape. The same three things are paid for under every policy."""

    breakdowns: Floats
    replacements: Floats
    inspections: Floats

    def cost(self, costs: Costs) -> Floats:
        """Its price."""
        return (
            costs.failure * self.breakdowns
            + costs.planned * self.replacements
            + costs.inspection * self.inspections
        )


def spent(counts: Counts, prevented: float) -> Spent:
    """What failures, alarms and the plant's own planned work come to.

    Of the failures caught a share `prevented` becomes planned work, the others break down all the same.
    """
    return Spent(
        counts[MISSED] + counts[UNFORESEEN] + (1 - prevented) * counts[CAUGHT],
        counts[REPLACED] + prevented * counts[CAUGHT],
        counts[FALSE] + counts[UNDETERMINED],
    )


def ledger(series: Series, alarms: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """machine, component, time, kind, lead (ticks; -1 for all but caught failures).

    Failures that count are `caught` or `missed`, others of the judged span `unforeseen`; of those that count the
    ones before which the machine had an alarm are `warned`, and `named` if one named the failed part. Alarms are
    of their outcome, at the time they opened. `replaced` is what the plant replaced as planned in the judged span.
    """
    failures = counted_failures(series, rules)
    first = caught_failures(alarms, rules)
    found = failures.merge(
        first[["machine", "component", "failure", "lead"]],
        how="left",
        left_on=KEY,
        right_on=["machine", "component", "failure"],
    )
    found["lead"] = found["lead"].fillna(NONE).astype(np.int64)
    found["kind"] = np.where(found["lead"] >= 0, CAUGHT, MISSED)
    opened = alarms.rename(columns={"opened": "time", "outcome": "kind"})
    warned = warnings(failures, alarms, rules)
    parts = [
        found,
        _kind(_times(series, _unforeseen(series, rules)), UNFORESEEN),
        _kind(_times(series, _inside(series, series.replaced, rules)), REPLACED),
        opened.assign(lead=NONE),
        _kind(warned[KEY], WARNED),
        _kind(warned.loc[warned["right"], KEY], NAMED),
    ]
    columns = [*KEY, "kind", "lead"]
    return pd.concat([part[columns] for part in parts if len(part)] or [found[columns]], ignore_index=True)


def counts_by(rows: pd.DataFrame, group: npt.NDArray[np.integer], groups: int) -> dict[str, Floats]:
    """How many of each kind a ledger's rows hold, by group (a number for each row): kind -> [groups]."""
    kind = rows["kind"].to_numpy()
    return {
        name: np.bincount(group[kind == name], minlength=groups).astype(np.float64)[:groups] for name in KINDS
    }


def judged_spans(series: Series, rules: Rules) -> tuple[Ints, Ints]:
    """Between which times failures are counted, by series: what an alarm of the fold could be in time for."""
    width = series.present.shape[1]
    if not width:
        return series.end, series.end
    first = series.time[series.present.argmax(axis=1)]
    last = series.time[width - 1 - series.present[:, ::-1].argmax(axis=1)]
    start = first + rules.min_lead
    return start, np.maximum(start, np.minimum(last + rules.horizon, series.end))


def counted_failures(series: Series, rules: Rules) -> pd.DataFrame:
    """machine, component, time of every failure that could have been foreseen."""
    counted = foreseeable(series, rules)
    return _times(
        series, [failures[counts] for failures, counts in zip(series.failures, counted, strict=True)]
    )


def caught_failures(alarms: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """One row a caught failure: the first right alarm that opened in time, with its lead."""
    right = alarms[(alarms["outcome"] == RIGHT) & (alarms["lead"] >= rules.min_lead)]
    ordered = right.sort_values(["machine", "component", "failure", "opened"], kind="stable")
    return ordered.drop_duplicates(["machine", "component", "failure"])


def warnings(failures: pd.DataFrame, alarms: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """machine, component, time of the failures before which the machine had an alarm; right: one named the part.

    An alarm counts that opened in [failure - horizon, failure - min_lead] for any component of the machine
    and had not closed before failure - min_lead; one that is right for this failure counts even if it had.
    """
    pairs = failures.merge(alarms, on="machine", suffixes=("", "_alarm"))
    early = pairs["time"] - pairs["opened"]
    latest = pairs["time"] - rules.min_lead
    in_time = (early <= rules.horizon) & (pairs["opened"] <= latest)
    right = (pairs["component"] == pairs["component_alarm"]) & (pairs["failure"] == pairs["time"])
    still_open = (pairs["closed"] < 0) | (pairs["closed"] >= latest)
    warned = pairs[in_time & (right | still_open)].assign(right=right)
    return warned.groupby(KEY, sort=True)["right"].any().reset_index()


def _unforeseen(series: Series, rules: Rules) -> list[Ints]:
    inside = _inside(series, series.failures, rules)
    return [
        np.setdiff1d(failures, all_[counts])
        for failures, all_, counts in zip(inside, series.failures, foreseeable(series, rules), strict=True)
    ]


def _inside(series: Series, times: tuple[Ints, ...], rules: Rules) -> list[Ints]:
    """The times that lie in each series' judged span."""
    spans = zip(times, *judged_spans(series, rules), strict=True)
    return [one[(one >= start) & (one <= stop)] for one, start, stop in spans]


def _times(series: Series, times: list[Ints]) -> pd.DataFrame:
    lengths = [len(one) for one in times]
    return pd.DataFrame(
        {
            "machine": np.repeat(series.machine, lengths),
            "component": np.repeat(series.component, lengths),
            "time": np.concatenate([np.empty(0, np.int64), *times]),
        }
    )


def _kind(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    return rows.assign(kind=kind, lead=NONE)
