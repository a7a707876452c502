"""Scores of probabilities in every draw of machines: those of `scores.row_scores`, from sums by machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forestall.evaluation.resampling import ratio
from forestall.evaluation.row_scores import BINS, ROW_SCORES, bin_edges
from forestall.training.series import Bools, Floats, Ints


def row_figures(
    labels: npt.NDArray[np.int8], risk: npt.NDArray[np.floating], whose: Ints, draws: Floats
) -> dict[str, Floats]:
    """average_precision, brier and calibration_error in each draw, averaged over the components that define them.

    Args:
        labels, risk: [N, C], labels -1 where a row is not applicable. whose: [N], each row's machine, a column of
            `draws` [D, machines].
    """
    found: dict[str, list[Floats]] = {name: [] for name in ROW_SCORES}
    for column in range(labels.shape[1]):
        rows = labels[:, column] >= 0
        label, chance = labels[rows, column] == 1, risk[rows, column].astype(np.float64)
        found["average_precision"].append(average_precision(label, chance, whose[rows], draws))
        found["brier"].append(mean((chance - label) ** 2, whose[rows], draws))
        found["calibration_error"].append(calibration_error(label, chance, whose[rows], draws))
    return {name: _average(values) for name, values in found.items()}


def average_precision(label: Bools, risk: Floats, whose: Ints, draws: Floats) -> Floats:
    """[D]: sum over the risks of failures of precision there times the recall gained; NaN with one label only."""
    levels = np.unique(risk[label])
    failed, every = (_at_least(levels, risk[which], whose[which], draws) for which in (label, label | True))
    gained = failed - np.concatenate([failed[:, 1:], np.zeros((len(draws), 1))], axis=1)
    precision = np.divide(failed, every, out=np.zeros_like(failed), where=every > 0)
    one_label = (failed[:, :1].sum(axis=1) == 0) | (failed[:, :1].sum(axis=1) == _sum(whose, draws))
    found = ratio((gained * precision).sum(axis=1), failed[:, :1].sum(axis=1))
    return np.where(one_label, np.nan, found)


def calibration_error(label: Bools, risk: Floats, whose: Ints, draws: Floats) -> Floats:
    """[D]: as `scores.calibration_error`; the bins stay those of the fleet itself, whatever is drawn."""
    if not len(risk):
        return np.full(len(draws), np.nan)
    number = np.searchsorted(bin_edges(risk, BINS), risk, side="right")
    machines, bins = draws.shape[1], int(number.max()) + 1
    cell = number * machines + whose
    gap = np.bincount(cell, weights=label - risk, minlength=bins * machines).reshape(bins, machines)
    return ratio(np.abs(draws @ gap.T).sum(axis=1), _sum(whose, draws))


def _at_least(levels: Floats, risk: Floats, whose: Ints, draws: Floats) -> Floats:
    """How many rows have at least each level of risk, in each draw: [D, levels]."""
    machines, count = draws.shape[1], len(levels)
    place = np.searchsorted(levels, risk, side="right")  # rows at or above that many levels
    cell = whose * (count + 1) + place
    by_machine = np.bincount(cell, minlength=machines * (count + 1)).reshape(machines, count + 1)
    return draws @ by_machine[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:].astype(np.float64)


def mean(values: Floats | Bools, whose: Ints, draws: Floats) -> Floats:
    """[D]: the mean of values [rows] in each draw of machines; NaN where a draw has none of the rows."""
    total = np.bincount(whose, weights=values, minlength=draws.shape[1])
    return ratio(draws @ total, _sum(whose, draws))


def _sum(whose: Ints, draws: Floats) -> Floats:
    counts: Floats = draws @ np.bincount(whose, minlength=draws.shape[1]).astype(np.float64)
    return counts


def _average(values: list[Floats]) -> Floats:
    """The mean over components of what is defined, in each draw."""
    stacked = np.stack(values)
    defined = np.isfinite(stacked)
    return ratio(np.where(defined, stacked, 0.0).sum(axis=0), defined.sum(axis=0))
