"""The population stability index (PSI) of binned counts, and how large it becomes by chance.

PSI = sum over bins of (q - p) ln(q / p), p the reference's shares and q the current ones. Half a count is added to
every bin, so that an empty one has a share.

Rows are autocorrelated: decisions of one machine in one week say nearly the same, and a machine's weeks resemble each
other. A test that takes rows as independent finds a shift every week. So the threshold is the quantile of PSI between
draws of the reference: current weeks are as many blocks, a machine's week each, as there are now, and the reference
is its machines, each with all its weeks, both drawn with replacement. Drawing single blocks for both would hold the
level only where a machine's weeks are independent of each other. What all machines have in common in a week (the
season's heat) these draws do not know; so the threshold is also at least what one of the reference's own weeks differs
from its others by (`between_weeks`). A season beyond those weeks is found, as a shift.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from forestall.errors import ForestallError

Counts = npt.NDArray[np.number[Any]]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
SMOOTHING = 0.5
SEED = 20240101


def psi(reference: Counts, current: Counts, starts: Ints) -> Floats:
    """PSI of each quantity, [..., Q], of counts [..., N] of bins that lie side by side.

    Args:
        starts: where each quantity's bins begin, [Q + 1]; the last is N.
    """
    p, q = shares(reference, starts), shares(current, starts)
    found: Floats = np.add.reduceat((q - p) * np.log(q / p), starts[:-1], axis=-1)
    return found.astype(np.float64)


def shares(counts: Counts, starts: Ints) -> Counts:
    """Each bin's share of its quantity's counts, smoothed; [..., N]."""
    bins = np.diff(starts)
    total = np.add.reduceat(counts, starts[:-1], axis=-1) + (SMOOTHING * bins).astype(np.float32)
    smoothed: Counts = (counts + np.float32(SMOOTHING)) / np.repeat(total, bins, axis=-1)
    return smoothed


def psi_thresholds(
    counts: Counts, machine: Ints, starts: Ints, blocks: int, level: float, draws: int
) -> Floats:
    """PSI that draws of the reference exceed with probability `level`, [Q].

    Args:
        counts: of each block of the reference, [B, N].
        machine: the blocks' machines as numbers from 0 on, [B].
        blocks: how many blocks are compared with the reference.

    Raises:
        ForestallError: nothing to draw, or a level that so few draws cannot tell.
    """
    if not len(counts) or blocks < 1 or level * draws < 1:
        raise ForestallError(
            f"{blocks} of {len(counts)} blocks, {draws} draws for a level of {level}: too few."
        )
    rng, each = np.random.default_rng(SEED), counts.astype(np.float32)
    machines = int(machine.max()) + 1
    whole = (np.arange(machines)[:, None] == machine).astype(np.float32) @ each
    current = _multiplicities(rng, draws, blocks, len(counts)) @ each
    reference = _multiplicities(rng, draws, machines, machines) @ whole
    found: Floats = np.quantile(psi(reference, current, starts), 1 - level, axis=0, method="higher")
    return found


def between_weeks(counts: Counts, start: Ints, starts: Ints) -> Floats:
    """The largest PSI of one of the reference's weeks against its others, [Q]; 0 if there are no two.

    A week with less than half the counts of the fullest, cut by the reference's ends, is no week.

    Args:
        counts: of each block of the reference, [B, N]. start: the blocks' weeks, [B].
    """
    week, place = np.unique(start, return_inverse=True)
    total = (np.arange(len(week))[:, None] == place).astype(np.float32) @ counts.astype(np.float32)
    size = total.sum(axis=1)
    whole = total[2 * size >= size.max(initial=0)]
    if len(whole) < 2:
        return np.zeros(len(starts) - 1)
    found: Floats = psi(whole.sum(axis=0) - whole, whole, starts).max(axis=0)
    return found


def _multiplicities(rng: np.random.Generator, draws: int, size: int, among: int) -> npt.NDArray[np.float32]:
    """How often each of so many is drawn, with replacement: [draws, among]."""
    at = rng.integers(among, size=(draws, size)) + among * np.arange(draws)[:, None]
    times = np.bincount(at.ravel(), minlength=draws * among)
    return times.reshape(draws, among).astype(np.float32)


def contributions(reference: Counts, blocks: Counts, starts: Ints) -> Floats:
    """What each current block adds to PSI, [B, Q]: they add up to it, but for the smoothing.

    Args:
        reference: [N]. blocks: the current blocks' counts, [B, N].
    """
    p, q = shares(reference, starts), shares(blocks.sum(axis=0), starts)
    own = np.add.reduceat(blocks, starts[:-1], axis=1)
    over = blocks - np.repeat(own, np.diff(starts), axis=1) * p
    total = np.maximum(own.sum(axis=0), 1)
    found: Floats = np.add.reduceat(over * np.log(q / p), starts[:-1], axis=1) / total
    return found
