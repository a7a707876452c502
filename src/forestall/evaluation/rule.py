"""The one-line rule: the best that can be said of a component in one line, found on the training fold.

Any model is shown beside it. Candidates are one feature above or below a level, and an error code seen
lately, perhaps only if it came in a certain hour of the day. They are judged by the same alarms as a model.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import is_counter
from forestall.data.dataset import Costs
from forestall.evaluation.ranking import f1, leading_features
from forestall.features.columns import span_name, span_text
from forestall.training.alarms import Outcomes, judge
from forestall.training.series import Bools, Ints, Rules, Series, laid_out

Matrix = npt.NDArray[np.float32]
By = Literal["cost", "recall"]
FEATURES, LEVELS = 8, 12
CODES, HOURS, ERRORS = 30, 3, 8
DAY, HOUR = 86400, 3600


@dataclass(frozen=True)
class Rule:
    """A rule of one line for a component.

    kind feature: `column` is at least (sign 1) or at most (sign -1) `level`. kind error: `code` was recorded
    in (t - within, t], in ticks; where `hour` is given, only records of that hour of the day count.
    """

    component: str
    text: str
    kind: Literal["feature", "error"]
    column: str = ""
    sign: int = 1
    level: float = 0.0
    code: str = ""
    within: int = 0
    hour: int | None = None

    def fires(
        self, features: Matrix, names: list[str], decisions: pd.DataFrame, errors: pd.DataFrame
    ) -> Bools:
        """Whether the rule fires at each decision, [rows].

        Args:
            features: [rows, features], named by `names`.
            decisions: machine, time. errors: machine, time, code; of any period.
        """
        if self.kind == "feature":
            values = features[:, names.index(self.column)]
            return values >= np.float32(self.level) if self.sign > 0 else values <= np.float32(self.level)
        return _seen(decisions, _picked(errors, self.code, self.hour), self.within)


Candidates = dict[str, tuple[list[Rule], Outcomes]]


def picked(tried: Candidates, costs: Costs, by: By) -> dict[str, Rule]:
    """The best rule of each component. by: `cost`, lowest event cost; `recall`, most failures caught."""
    return {component: some[best(total, costs, by)] for component, (some, total) in tried.items()}


def candidates(
    features: Matrix,
    names: list[str],
    decisions: pd.DataFrame,
    errors: pd.DataFrame,
    series: Series,
    rules: Rules,
    spans: Collection[int],
    unit: str,
) -> Candidates:
    """The rules that are worth judging of each component, and what they do on the training fold, [K].

    Args:
        features: [rows, features] of `decisions` (machine, time), named by `names`.
        series: of the same decisions.
        spans: in which an error may have been seen, in ticks.
        unit: the clock's: `s` for timestamps, which have an hour of the day, or a counter's.
    """
    longest_first, hours = sorted(set(spans), reverse=True), not is_counter(unit)
    known = errors[errors["machine"].isin(series.machine) & (errors["time"] <= series.end.max(initial=0))]
    labels = np.column_stack([_labels(series, decisions, name, rules) for name in series.components])
    leading = leading_features(features, labels, FEATURES)
    seen = _code_hours(known, hours)
    found = {}
    for number, component in enumerate(series.components):
        tried = [
            rule
            for column, sign in leading[number]
            for rule in _feature_rules(component, names, features, column, sign)
        ]
        tried += [
            _error_rule(component, *one, span, unit)
            for one in _telling(seen, known, decisions, longest_first[0], labels[:, number])
            for span in longest_first
        ]
        fired = np.column_stack([rule.fires(features, names, decisions, known) for rule in tried])
        found[component] = tried, _judged(series.take(series.component == component), decisions, fired, rules)
    return found


def best(total: Outcomes, costs: Costs, by: By) -> int:
    """Position of the best candidate; of equal ones the one with fewer alarms, then the first."""
    alarms = total.right + total.false + total.undetermined
    precision = total.right / np.maximum(total.right + total.false, 1)
    keys = (alarms, total.cost(costs)) if by == "cost" else (alarms, -precision, -total.caught)
    return int(np.lexsort(keys)[0])


def _judged(series: Series, decisions: pd.DataFrame, fired: Bools, rules: Rules) -> Outcomes:
    """Counts [K] of K rules that fired at decisions, [rows, K]."""
    grid = np.ascontiguousarray(laid_out(series, decisions, fired, np.False_).transpose(1, 0, 2))
    return judge(series, lambda step: grid[step], fired.shape[1], rules).over()


def _labels(series: Series, decisions: pd.DataFrame, component: str, rules: Rules) -> Bools:
    """Whether the component fails within the horizon after each decision, [rows]."""
    one = series.take(series.component == component)
    grid = np.array([_fails(one.time, failures, rules.horizon) for failures in one.failures], dtype=np.bool_)
    row = pd.Index(one.machine).get_indexer(pd.Index(decisions["machine"]))
    step = np.searchsorted(one.time, decisions["time"].to_numpy(dtype=np.int64))
    if not len(one):
        return np.zeros(len(decisions), dtype=np.bool_)
    result: Bools = grid[row, step] & (row >= 0)
    return result


def _fails(time: Ints, failures: Ints, horizon: int) -> Bools:
    first = np.searchsorted(failures, time, side="right")
    return np.searchsorted(failures, time + horizon, side="right") > first


def _feature_rules(component: str, names: list[str], features: Matrix, column: int, sign: int) -> list[Rule]:
    """One feature at levels that thin out towards its extreme."""
    values = np.sort(features[:, column])[::-sign]
    ranks = np.round(np.geomspace(0.001, 0.5, LEVELS) * len(values)).astype(np.int64)
    levels = sorted({float(f"{level:.6g}") for level in values[np.minimum(ranks, len(values) - 1)]})
    name, relation = names[column], ">=" if sign > 0 else "<="
    return [
        Rule(component, f"{name} {relation} {level:g}", "feature", column=name, sign=sign, level=level)
        for level in levels
    ]


def _error_rule(component: str, code: str, hour: int | None, within: int, unit: str) -> Rule:
    at = "" if hour is None else f" at {hour:02d}:00"
    text = f"{code}{at} within {span_text(span_name(within, unit), unit)}"
    return Rule(component, text, "error", code=code, within=within, hour=hour)


def _code_hours(errors: pd.DataFrame, hours: bool) -> list[tuple[str, int | None]]:
    """The most frequent codes, each at any hour and at the hours in which it comes most often."""
    counts = errors["code"].value_counts()
    codes = sorted(counts.index, key=lambda code: (-counts[code], code))[:CODES]
    found: list[tuple[str, int | None]] = [(code, None) for code in codes]
    for code in codes if hours else []:
        often = np.bincount(_hour(errors.loc[errors["code"] == code, "time"]), minlength=DAY // HOUR)
        found += [(code, int(hour)) for hour in np.argsort(-often, kind="stable")[:HOURS] if often[hour]]
    return found


def _telling(
    seen: list[tuple[str, int | None]],
    errors: pd.DataFrame,
    decisions: pd.DataFrame,
    within: int,
    label: Bools,
) -> list[tuple[str, int | None]]:
    """Of codes, perhaps at an hour, those that tell most of a label [rows], if seen within so many ticks."""
    return sorted(seen, key=lambda one: -f1(_seen(decisions, _picked(errors, *one), within), label))[:ERRORS]


def _hour(time: pd.Series[int]) -> Ints:
    return np.asarray(time.to_numpy(dtype=np.int64) // HOUR % (DAY // HOUR), dtype=np.int64)


def _picked(errors: pd.DataFrame, code: str, hour: int | None) -> pd.DataFrame:
    rows = errors[errors["code"] == code]
    return rows if hour is None else rows[_hour(rows["time"]) == hour]


def _seen(decisions: pd.DataFrame, errors: pd.DataFrame, within: int) -> Bools:
    """Whether the machine had such an error in (t - within, t], [rows]."""
    machines = pd.Index(decisions["machine"]).unique()
    known = errors[errors["machine"].isin(machines)]
    # Machine and time as one sorted number: times span less than 2^40 ticks.
    key = np.sort(
        machines.get_indexer(pd.Index(known["machine"])) * 2**40 + known["time"].to_numpy(dtype=np.int64)
    )
    now = machines.get_indexer(pd.Index(decisions["machine"])) * 2**40 + decisions["time"].to_numpy(
        dtype=np.int64
    )
    first, last = (np.searchsorted(key, at, side="right") for at in (now - within, now))
    result: Bools = last > first
    return result
