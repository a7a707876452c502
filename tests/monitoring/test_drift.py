"""A shift is found, held after k windows and named by its machines; without one, or without data, nothing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forestall.errors import ForestallError
from forestall.monitoring.bins import Bins
from forestall.monitoring.blocks import OPINIONS, Blocks
from forestall.monitoring.drift import Drift, ago_of, drift
from forestall.monitoring.reference import MonitoringReference
from forestall.monitoring.thresholds import Thresholds

MACHINES, WEEKS, DECISIONS, LENGTH = 40, 12, 14, 7 * 86400
RISKS = Bins({"pump": (0.3, 0.6)})
INPUTS = Bins({"volt": (-1.0, 0.0, 1.0), "spin": (-1.0, 0.0, 1.0)})


def blocks(
    first: int, weeks: int, seed: int, faulty: int = 10**9, much: float = 2.0, rate: float = 0.1
) -> Blocks:
    """A fleet's weeks; from week `faulty` on volt is off by `much` on the first ten machines, and alarms are many."""
    random = np.random.default_rng(seed)
    count = MACHINES * weeks
    week = np.tile(np.arange(first, first + weeks), MACHINES)
    machine = np.repeat(np.arange(MACHINES), weeks)
    bad = week >= faulty
    values = random.normal(size=(count, DECISIONS, 2)) / 2 + random.normal(size=(count, 1, 2)) / 2
    values[bad & (machine < 10), :, 0] += much
    group = np.repeat(np.arange(count), DECISIONS)
    risks = random.random((count * DECISIONS, 1))
    opinions = np.zeros((count, len(OPINIONS)), dtype=np.int32)
    opinions[:, 0] = DECISIONS
    return Blocks(
        machine=np.array([f"m{number:02d}" for number in machine], dtype=object),
        start=week * LENGTH,
        alarms=random.poisson(np.where(bad, 8 * rate, rate))[:, None].astype(np.int32),
        risks=RISKS.counts(risks, group, count),
        inputs=INPUTS.counts(values.reshape(-1, 2), group, count),
        opinions=opinions,
    )


REFERENCE = MonitoringReference(LENGTH, 43200, ("pump",), RISKS, INPUTS, blocks(0, WEEKS, 0))


def at(current: Blocks, week: int) -> Drift:
    """What is found at the end of a week."""
    ago = ago_of(current, LENGTH, week * LENGTH)
    return drift(REFERENCE, current.take(ago >= 0), ago[ago >= 0], Thresholds())


def test_nothing_is_beyond_where_nothing_changed() -> None:
    found = at(blocks(20, 10, 1), 29)
    shifts = (*found.risks, *found.inputs, found.opinions)
    assert not any(one.beyond for one in shifts) and not found.alarms[0].beyond
    assert found.opinions.psi is not None and found.opinions.psi < 0.01


def test_a_fault_is_beyond_at_once_holds_after_two_weeks_and_names_its_machines() -> None:
    current = blocks(20, 12, 2, faulty=27)
    before, first, second = (at(current, week) for week in (26, 27, 28))
    volt, spin = range(2)
    assert not before.inputs[volt].beyond
    assert (first.inputs[volt].beyond, first.inputs[volt].holds) == (True, False)
    assert (second.inputs[volt].beyond, second.inputs[volt].holds) == (True, True)
    assert not second.inputs[spin].beyond and not second.risks[0].beyond
    assert {name for name, _ in second.inputs[volt].machines} <= {f"m{number:02d}" for number in range(10)}
    assert (first.alarms[0].beyond, first.alarms[0].holds, second.alarms[0].holds) == (True, False, True)
    change = second.alarms[0].change
    assert change is not None and change.ratio is not None and change.ratio > 3
    month = (current.start // LENGTH >= 25) & (current.start // LENGTH <= 28)
    assert change.alarms == current.alarms[month, 0].sum()


def test_a_fault_that_is_over_no_longer_holds() -> None:
    sick, well = blocks(20, 12, 3, faulty=26), blocks(20, 12, 3)
    over = sick.start // LENGTH >= 29
    mixed = {
        name: np.where(
            over.reshape(-1, *[1] * (getattr(sick, name).ndim - 1)), getattr(well, name), getattr(sick, name)
        )
        for name in ("inputs", "alarms")
    }
    current = replace(sick, **mixed)
    assert at(current, 28).inputs[0].holds and not at(current, 29).inputs[0].holds


def test_a_shift_too_small_to_be_worth_anything_is_none() -> None:
    current = blocks(20, 10, 4, faulty=20)
    ago = ago_of(current, LENGTH, 29 * LENGTH)
    sure = drift(REFERENCE, current, ago, Thresholds()).inputs[0]
    assert sure.beyond and sure.psi is not None and sure.psi < 10
    found = drift(REFERENCE, current, ago, replace(Thresholds(), input_least=10.0)).inputs[0]
    assert (found.beyond, found.threshold, found.psi) == (False, 10.0, sure.psi)


def test_what_the_reference_had_in_a_week_of_its_own_is_no_shift() -> None:
    """A season that all machines share is not chance, but a week of it, which the reference has seen, is no news."""
    hot = blocks(0, WEEKS, 9, faulty=9, much=4.0)
    reference = replace(REFERENCE, blocks=hot)
    again = blocks(20, 10, 10, faulty=27, much=4.0)
    ago = ago_of(again, LENGTH, 29 * LENGTH)
    found = drift(reference, again.take(ago >= 0), ago[ago >= 0], Thresholds())
    unaware = drift(reference, again.take(ago >= 0), ago[ago >= 0], Thresholds(), own_clocks=True)
    assert not found.inputs[0].beyond and unaware.inputs[0].beyond
    assert found.inputs[1].threshold == unaware.inputs[1].threshold


def test_without_data_nothing_is_said() -> None:
    found = at(blocks(20, 3, 5), 40)
    assert found.alarms[0].change is None and not found.alarms[0].beyond
    for one in (*found.risks, *found.inputs, found.opinions):
        assert (one.psi, one.threshold, one.beyond, one.holds, one.machines) == (None, None, False, False, ())


def test_machines_that_fall_silent_are_a_shift_of_opinions() -> None:
    current = blocks(20, 10, 6)
    late = current.start // LENGTH >= 28
    silent = current.opinions.copy()
    silent[late] = silent[late][:, [2, 1, 0, 3, 4]]
    assert at(replace(current, opinions=silent), 29).opinions.holds


def test_machines_with_clocks_of_their_own_are_each_at_their_latest() -> None:
    current = blocks(20, 4, 7).take(np.arange(7))
    assert current.machine.tolist() == ["m00"] * 4 + ["m01"] * 3
    assert ago_of(current, LENGTH, None).tolist() == [3, 2, 1, 0, 2, 1, 0]


def test_counts_of_other_bins_are_refused() -> None:
    current = blocks(20, 2, 8)
    other = replace(current, inputs=current.inputs[:, :-1])
    with pytest.raises(ForestallError, match="count them again"):
        drift(REFERENCE, other, ago_of(other, LENGTH, 21 * LENGTH), Thresholds())
