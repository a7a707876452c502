"""Remaining life, judged: did parts fail by the times that the fleet's list gives, and how far off was the median?

Of a quantile beyond the longest horizon only that is known; it is judged where it lies within. A decision counts if
it is known whether the part failed within the longest horizon; where it did not, it had not failed by any time given.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.evaluation.brier import brier_of_rates, brier_skill, integrated_brier
from forestall.evaluation.judge import Fold
from forestall.evaluation.probabilities import mean
from forestall.evaluation.resampling import drawn, interval, quantile
from forestall.features.history import spans_of
from forestall.training.remaining import LIFE, remaining_life
from forestall.training.series import Floats, Ints

MEDIAN = LIFE["life_p50"]
LEAST = 5  # machines; draws of fewer are too much alike for an interval
COLUMNS = ["component", "metric", "value", "low", "high", "decisions", "machines"]
Figure = tuple[
    str, Floats, Ints
]  # name; values in each draw; the machines of the decisions that they stand on


def life_table(fold: Fold, curves: npt.NDArray[np.floating]) -> pd.DataFrame:
    """One row a component and figure, with its 95 % interval; columns as in `COLUMNS`.

    An undefined value is missing, and `decisions`, on which it stands, says why; an interval is missing with fewer
    than `LEAST` machines too.

    Args:
        curves: [rows, components, horizons], risk of failure within each horizon, of the fold's decisions.
    """
    dataset, labels = fold.data.dataset, fold.horizon_labels()
    horizons, rows = spans_of(dataset).horizons, []
    whose, draws = fold.machines.get_indexer(pd.Index(fold.decisions["machine"])), drawn(len(fold.machines))
    for column, component in enumerate(dataset.components):
        known = labels[:, column] >= 0
        life = np.where(labels[:, column] > 0, time_to_failure(fold, component), np.inf)
        told = curves[known, column].astype(np.float64)
        for name, values, owners in life_figures(
            told, life[known], horizons, fold.data.hour, whose[known], draws
        ):
            rows.append(
                [component, name, *_with_interval(values, owners), len(owners), len(np.unique(owners))]
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def life_figures(
    curves: Floats, life: Floats, horizons: tuple[int, ...], hour: int, whose: Ints, draws: Floats
) -> Iterator[Figure]:
    """The figures of one component, each [D].

    Args:
        curves: [N, horizons]. life: [N], ticks to the failure, infinite beyond the longest horizon. hour: ticks in
            the unit of errors. whose: [N], each decision's machine, a column of `draws` [D, machines].
    """
    for name, share in LIFE.items():
        said = remaining_life(curves, horizons, share)
        given = np.isfinite(said)
        failed = mean(life[given] <= said[given], whose[given], draws)
        yield name.replace("life", "failed_by"), failed, whose[given]
    median, fails = remaining_life(curves, horizons, MEDIAN), np.isfinite(life)
    yield "foreseen", mean(np.isfinite(median[fails]), whose[fails], draws), whose[fails]
    both = fails & np.isfinite(median)
    error = np.abs(median[both] - life[both]) / hour
    yield "median_error_h", quantile(error, whose[both], draws, 0.5), whose[both]
    score = mean(integrated_brier(curves, life, horizons), whose, draws)
    yield "integrated_brier", score, whose
    yield "integrated_brier_skill", brier_skill(score, brier_of_rates(life, horizons, whose, draws)), whose


def time_to_failure(fold: Fold, component: str) -> Floats:
    """Ticks from each decision to the component's next failure, [rows]; infinite where none is recorded."""
    failures = fold.data.events.failures
    failures = failures[failures["component"] == component]
    decisions = _by_time(fold, fold.decisions)
    found = pd.merge_asof(
        decisions,
        _by_time(fold, failures).assign(failed=lambda rows: rows["time"]),
        on="time",
        by="machine",
        direction="forward",
        allow_exact_matches=False,
    )
    left = (found["failed"] - found["time"]).set_axis(decisions.index).sort_index()
    return left.fillna(np.inf).to_numpy(np.float64)


def _by_time(fold: Fold, rows: pd.DataFrame) -> pd.DataFrame:
    """machine (its place in the fold) and time, in order of time."""
    places = fold.machines.get_indexer(pd.Index(rows["machine"]))
    return pd.DataFrame({"machine": places, "time": rows["time"].to_numpy(np.int64)}).sort_values(
        "time", kind="stable"
    )


def _with_interval(values: Floats, owners: Ints) -> tuple[float, float, float]:
    """The fleet's own value, low and high; NaN where there is none."""
    found = interval(values) if len(np.unique(owners)) >= LEAST else None
    return found or (float(values[0]), np.nan, np.nan)
