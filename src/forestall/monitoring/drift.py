"""Drift: what the last weeks show beside the reference, of alarms, risks, inputs and abstentions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forestall.errors import ForestallError
from forestall.monitoring.blocks import OPINIONS, Blocks, Counts, Ints
from forestall.monitoring.persistence import holds
from forestall.monitoring.psi import Floats, between_weeks, contributions, psi, psi_thresholds
from forestall.monitoring.rates import RateChange, dispersion, rate_change
from forestall.monitoring.reference import MonitoringReference
from forestall.monitoring.thresholds import Thresholds

MOST = 5  # machines that are named
Shares = tuple[tuple[str, float], ...]  # machines by what they contribute, the most first


@dataclass(frozen=True)
class AlarmDrift:
    """Of a component's alarm rate. change: of the latest window; None where no machine-time was judged in it, and then
    nothing is beyond. threshold: of its p. machines: alarms in the window.
    """

    component: str
    change: RateChange | None
    threshold: float
    beyond: bool
    holds: bool
    machines: Shares


@dataclass(frozen=True)
class Shift:
    """Of what a quantity's values are. psi: of the latest week; None where nothing was counted in it.

    machines: what each adds to the PSI.
    """

    name: str
    psi: float | None
    threshold: float | None
    beyond: bool
    holds: bool
    machines: Shares


@dataclass(frozen=True)
class Drift:
    """By component, by component, by source of inputs; and of opinions and why there was none."""

    alarms: tuple[AlarmDrift, ...]
    risks: tuple[Shift, ...]
    inputs: tuple[Shift, ...]
    opinions: Shift


def drift(
    reference: MonitoringReference,
    blocks: Blocks,
    ago: Ints,
    thresholds: Thresholds,
    own_clocks: bool = False,
) -> Drift:
    """What the last weeks show.

    Args:
        blocks: of the current weeks.
        ago: how many blocks before the latest one each is, [B]; 0 for the latest whole week. Machines that share a
            calendar share it; those with clocks of their own have each its own (`ago_of`).
        own_clocks: machines have clocks of their own: then no week of the reference is one for all of them.

    Raises:
        ForestallError: the blocks were counted in other bins.
    """
    if (blocks.risks.shape[1], blocks.inputs.shape[1]) != (reference.risks.size, reference.inputs.size):
        raise ForestallError("The current weeks are not counted in the reference's bins: count them again.")
    risks, inputs, one = reference.risks, reference.inputs, np.array([0, len(OPINIONS)])

    def shifts(table: str, names: Sequence[str], starts: Ints, least: float) -> tuple[Shift, ...]:
        known, counts = getattr(reference.blocks, table), getattr(blocks, table)
        usual = 0.0 if own_clocks else between_weeks(known, reference.blocks.start, starts)
        at_least = np.broadcast_to(np.maximum(usual, least), len(names))
        weeks = _Weeks(names, starts, known, reference.machines, counts, thresholds, at_least)
        return weeks.shifts(blocks.machine, ago)

    return Drift(
        alarms=tuple(_alarms(reference, blocks, ago, thresholds)),
        risks=shifts("risks", risks.names, risks.starts, thresholds.risk_least),
        inputs=shifts("inputs", inputs.names, inputs.starts, thresholds.input_least),
        opinions=shifts("opinions", ["opinions"], one, thresholds.input_least)[0],
    )


def ago_of(blocks: Blocks, length: int, latest: int | None) -> Ints:
    """How many blocks before the latest each is, [B]; negative after it.

    Args:
        latest: the start of the latest whole week; None where each machine has a clock, and its own latest block.
    """
    if latest is not None:
        return (latest - blocks.start) // length
    machine, row = np.unique(blocks.machine.astype(str), return_inverse=True)
    last = np.full(len(machine), np.iinfo(np.int64).min)
    np.maximum.at(last, row, blocks.start)
    return (last[row] - blocks.start) // length


@dataclass(frozen=True)
class _Weeks:
    """The last weeks' counts of some quantities beside the reference's.

    names, starts: the quantities and where their bins begin. known, counts: by block, of the reference and now. least:
    what each quantity's threshold is at least, [Q].
    """

    names: Sequence[str]
    starts: Ints
    known: Counts
    machines: Ints
    counts: Counts
    thresholds: Thresholds
    least: Floats

    def shifts(self, machine: npt.NDArray[np.object_], ago: Ints) -> tuple[Shift, ...]:
        """Of each quantity, by the counts' machines and weeks."""
        k, n = self.thresholds.k, self.thresholds.n
        weeks = [self.counts[(ago == back) & (self.counts.sum(axis=1) > 0)] for back in reversed(range(n))]
        limits = {size: self._limits(size) for size in {len(week) for week in weeks}}
        reference = self.known.sum(axis=0)
        found = np.array([psi(reference, week.sum(axis=0), self.starts) for week in weeks])
        beyond = np.array([values > limits[len(week)] for values, week in zip(found, weeks, strict=True)])
        latest = (ago == 0) & (self.counts.sum(axis=1) > 0)
        added = contributions(reference, self.counts[latest], self.starts)
        shown = len(weeks[-1]) > 0
        return tuple(
            Shift(
                name=name,
                psi=float(found[-1, q]) if shown else None,
                threshold=float(limits[len(weeks[-1])][q]) if shown else None,
                beyond=bool(beyond[-1, q]),
                holds=holds(beyond[:, q].tolist(), k, n),
                machines=_most(machine[latest], added[:, q]),
            )
            for q, name in enumerate(self.names)
        )

    def _limits(self, size: int) -> Floats:
        """What the PSI of a week of so many blocks must exceed, by quantity; nothing is beyond without any."""
        if not size:
            return np.full(len(self.names), np.inf)
        level, draws = self.thresholds.psi_level, self.thresholds.psi_draws
        found = psi_thresholds(self.known, self.machines, self.starts, size, level, draws)
        return np.maximum(found, self.least)


def _alarms(
    reference: MonitoringReference, blocks: Blocks, ago: Ints, thresholds: Thresholds
) -> Iterator[AlarmDrift]:
    weeks, n, level = thresholds.alarm_rate_weeks, thresholds.n, thresholds.alarm_rate_level
    known, now = reference.exposure(reference.blocks), reference.exposure(blocks)
    ends = [(ago >= back) & (ago < back + weeks) for back in reversed(range(n))]
    for place, component in enumerate(reference.components):
        alarms, time = reference.blocks.alarms[:, place], known[:, place]
        spread = dispersion(*windows(reference, alarms, time, weeks))
        usual = (int(alarms.sum()), float(time.sum()))
        changes = [_change(blocks.alarms[end, place], now[end, place], usual, spread) for end in ends]
        flags = [change is not None and change.p <= level for change in changes]
        most = _most(blocks.machine[ends[-1]], blocks.alarms[ends[-1], place])
        yield AlarmDrift(component, changes[-1], level, flags[-1], holds(flags, thresholds.k, n), most)


def _change(alarms: Counts, time: Floats, usual: tuple[int, float], spread: float) -> RateChange | None:
    total = float(time.sum())
    return rate_change(int(alarms.sum()), total, *usual, spread) if min(total, usual[1]) > 0 else None


def windows(reference: MonitoringReference, alarms: Counts, time: Floats, weeks: int) -> tuple[Ints, Floats]:
    """A component's alarms and machine-time in each machine's whole windows, [machines, windows], the latest weeks.

    What is left over at the beginning, and windows in which a machine had hardly any time, do no harm: counts are
    compared with what their time lets expect.
    """
    place = (reference.blocks.start - reference.blocks.start.min()) // reference.length
    back = (place.max() - place) // weeks
    shape = (int(reference.machines.max()) + 1, int(back.max()) + 1)
    counted, lasted = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    np.add.at(counted, (reference.machines, back), alarms)
    np.add.at(lasted, (reference.machines, back), time)
    return counted, lasted


def _most(machine: npt.NDArray[np.object_], added: npt.NDArray[np.number]) -> Shares:
    names, row = np.unique(machine.astype(str), return_inverse=True)
    total = np.bincount(row, weights=added, minlength=len(names))
    order = np.argsort(-total, kind="stable")[:MOST]
    return tuple((str(names[at]), float(total[at])) for at in order if total[at] > 0)
