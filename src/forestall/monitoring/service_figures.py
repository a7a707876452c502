"""Figures of what became of alarms and failures: of the fleet, by component, by month."""

from __future__ import annotations

from math import inf, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import hour_of
from forestall.data.dataset import Costs, Dataset
from forestall.evaluation.ledger import CAUGHT, MISSED, UNFORESEEN, Counts, counts_by
from forestall.evaluation.resampling import ratio
from forestall.evaluation.scores import LEADS, event_scores
from forestall.training.alarms import FALSE, RIGHT, UNDETERMINED
from forestall.training.series import Floats

HIDDEN, HIDDEN_LATE, NOT_JUDGED, WITHDRAWN = "hidden", "hidden late", "not judged", "withdrawn"
PENDING_ALARM, PENDING_FAILURE = "pending alarm", "pending failure"
KINDS = (HIDDEN, HIDDEN_LATE, NOT_JUDGED, WITHDRAWN, PENDING_ALARM, PENDING_FAILURE)
COUNTED = {
    "caught": CAUGHT,
    "missed": MISSED,
    "unforeseen": UNFORESEEN,
    "right": RIGHT,
    "false": FALSE,
    "undetermined": UNDETERMINED,
    "withdrawn": WITHDRAWN,
    "not_judged_failures": NOT_JUDGED,
    "pending_alarms": PENDING_ALARM,
    "pending_failures": PENDING_FAILURE,
}
LEVEL = 0.95
Figures = dict[str, float]
Texts = npt.NDArray[np.object_]


def figures_by(
    rows: pd.DataFrame, months: pd.DataFrame, pairs: pd.DataFrame, dataset: Dataset
) -> tuple[Figures, dict[str, Figures], dict[str, Figures]]:
    """Figures of the fleet, by component, and by calendar month (none where machines have clocks of their own).

    A failure or replacement is of its own month, an alarm of that of its opening. Each has, where it is defined:
    event_recall and alarm_precision, with `_low` and `_high` (95 %, `wilson`) and the bounds `_at_least` and
    `_at_most`; false_alarms_per_machine_month and its `_at_most`; lead_time_median_h, lead_time_p10_h;
    right_component_rate; cost, breakdowns, replacements and inspections `_per_machine_month`; and always the counts
    failures, alarms, `COUNTED` and machine_months.

    Args:
        rows: machine, component, time, kind, lead. months: machine, month, months. pairs: machine, component that
            exist.
    """
    costs, hour = dataset.costs, hour_of(dataset.clock.unit)[0]
    whole = np.full(len(rows), "", dtype=object)
    fleet = _figures(rows, whole, {"": float(months["months"].sum())}, costs, hour)[""]
    of = months.merge(pairs, on="machine").groupby("component", sort=False)["months"].sum()
    names = {name: float(of.get(name, 0.0)) for name in dataset.components}
    components = _figures(rows, rows["component"].to_numpy(dtype=object), names, costs, hour)
    if dataset.own_clocks:
        return fleet, components, {}
    key, watched = months_of(rows["time"].to_numpy(dtype=np.int64)), months.groupby("month")["months"].sum()
    every = {name: float(watched.get(name, 0.0)) for name in sorted({*key, *watched.index})}
    return fleet, components, _figures(rows, key, every, costs, hour)


def months_of(times: npt.NDArray[np.int64]) -> Texts:
    """The calendar month of each time, such as 2024-12."""
    found: Texts = times.astype("datetime64[s]").astype("datetime64[M]").astype(str).astype(object)
    return found


def wilson(part: int, whole: int, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a share, part / whole, by Wilson's score, with whole > 0.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927; recommended for small
    counts by Brown, Cai, DasGupta, "Interval Estimation for a Binomial Proportion", Statistical Science 16, 2001. It
    takes the trials for independent: where a few machines have most of the alarms it is too narrow.
    """
    z, share = NormalDist().inv_cdf((1 + level) / 2), part / whole
    middle, width = (
        share + z * z / (2 * whole),
        z * sqrt(share * (1 - share) / whole + (z / (2 * whole)) ** 2),
    )
    scale = 1 + z * z / whole
    # Rounding must not push a share of 0 or 1 out of its own interval.
    low = (middle - width) / scale if part else 0.0
    high = (middle + width) / scale if part < whole else 1.0
    return low, high


def _figures(
    rows: pd.DataFrame, key: Texts, months: dict[str, float], costs: Costs, hour: float
) -> dict[str, Figures]:
    """The figures of each value of a key, by rows; months: what each was watched for, of every value."""
    names, watched = list(months), np.array(list(months.values()), dtype=np.float64)
    group = pd.Index(names, dtype=object).get_indexer(pd.Index(key, dtype=object)).astype(np.int64)
    counts = _counts(rows[group >= 0], group[group >= 0], len(names))
    found = event_scores(counts, watched, costs) | _bounds(counts, watched) | {"machine_months": watched}
    found |= {figure: counts[kind] for figure, kind in COUNTED.items()}
    leads = pd.Series(rows["lead"].to_numpy(dtype=np.float64) / hour)[(rows["kind"] == CAUGHT).to_numpy()]
    result = {}
    for number, name in enumerate(names):
        one = {figure: float(values[number]) for figure, values in found.items()}
        own = leads[group[leads.index] == number]
        one |= {figure: float(np.quantile(own, share)) for figure, share in LEADS.items() if len(own)}
        one |= _intervals(one)
        result[name] = {figure: value for figure, value in one.items() if abs(value) < inf}
    return result


def _counts(rows: pd.DataFrame, group: npt.NDArray[np.int64], groups: int) -> dict[str, Floats]:
    """How many of each kind, also of those beside the ledger, by group."""
    kind = rows["kind"].to_numpy()
    beside = {one: np.bincount(group[kind == one], minlength=groups).astype(np.float64) for one in KINDS}
    return counts_by(rows, group, groups) | beside


def _bounds(counts: Counts, months: Floats) -> dict[str, Floats]:
    """The worst cases of what replacements hid, as `outcomes` says them."""
    failures, judged = counts[CAUGHT] + counts[MISSED], counts[RIGHT] + counts[FALSE]
    unknown, hidden = counts[UNDETERMINED], counts[HIDDEN]
    return {
        "event_recall_at_least": ratio(counts[CAUGHT], failures + counts[HIDDEN_LATE]),
        "event_recall_at_most": ratio(counts[CAUGHT] + hidden, failures + hidden),
        "alarm_precision_at_least": ratio(counts[RIGHT], judged + unknown),
        "alarm_precision_at_most": ratio(counts[RIGHT] + unknown, judged + unknown),
        "false_alarms_per_machine_month_at_most": ratio(counts[FALSE] + unknown, months),
    }


def _intervals(one: Figures) -> Figures:
    found: Figures = {}
    for figure, part, whole in (
        ("event_recall", one["caught"], one["failures"]),
        ("alarm_precision", one["right"], one["right"] + one["false"]),
    ):
        if whole:
            found[f"{figure}_low"], found[f"{figure}_high"] = wilson(int(part), int(whole))
    return found
