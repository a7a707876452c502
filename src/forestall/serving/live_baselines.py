"""Machines' own baselines in service: renewed from the store's readings when they are due, and then kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from forestall.features.baselines import OwnBaselines, own_baselines
from forestall.features.history import Floats, Ints
from forestall.serving.baselines import ALWAYS
from forestall.serving.bundle import Bundle
from forestall.serving.reach import before_baseline
from forestall.serving.store.baselines import At, shape_of, stored_baselines
from forestall.serving.store.database import Store
from forestall.serving.store.machines import Machine
from forestall.serving.stored_history import stored_history
from forestall.serving.times import decision_from


@dataclass(frozen=True)
class Renewed:
    """The baselines that hold for some machines, and those of them that are new, to be kept."""

    own: OwnBaselines
    new: Mapping[At, Floats]


def renewed(
    connection: Connection, store: Store, machines: Sequence[Machine], decisions: Ints, bundle: Bundle
) -> Renewed:
    """The machines' own baselines at their renewals before some decisions; in the machines' order."""
    every = bundle.reference.spans.baseline_every
    times = np.unique(decisions // every * every)
    numbers = [machine.number for machine in machines]
    stored = stored_baselines(connection, numbers, [ALWAYS, *times.tolist()], bundle)
    new: dict[At, Floats] = {}
    for time in times.tolist():
        missing = [
            machine
            for machine in machines
            if (machine.number, time) not in stored
            or (machine.unsettled is not None and machine.unsettled <= time)
        ]
        if missing:
            new |= _renew(connection, store, missing, time, bundle)
    values = np.stack(
        [[_held(one, time, {**stored, **new}, bundle) for time in times.tolist()] for one in machines]
    )
    own = OwnBaselines(times, values[..., 0], values[..., 1], values[..., 2:])
    return Renewed(own, new)


def _renew(
    connection: Connection, store: Store, machines: Sequence[Machine], time: int, bundle: Bundle
) -> dict[At, Floats]:
    """Baselines as of a renewal; NaN where the history before it is too short."""
    spans, nothing = bundle.reference.spans, np.full(shape_of(bundle), np.nan)
    result = {(machine.number, time): nothing for machine in machines}
    old = [one for one in machines if one.first is not None and one.first < time - spans.horizon]
    if not old:
        return result
    after = time - before_baseline(bundle)
    history = stored_history(connection, store, old, (after, decision_from(time, spans)), bundle)
    until = np.full(len(history.machines), time, dtype=np.int64)
    own = own_baselines(history, spans, bundle.reference.condition_places, until)
    number = {machine.name: machine.number for machine in old}
    if own.times.tolist() == [time]:
        values = np.concatenate([own.level[..., None], own.spread[..., None], own.slopes], axis=-1)[:, 0]
        result |= {(number[n], time): value for n, value in zip(history.machines, values, strict=True)}
    return result


def _held(machine: Machine, time: int, known: Mapping[At, Floats], bundle: Bundle) -> Floats:
    """The machine's baseline; what a bundle handed in stands in while the stored history is too short for one."""
    value = known[machine.number, time]
    handed = known.get((machine.number, ALWAYS))
    short = machine.first is None or machine.first > time - bundle.reference.spans.baseline
    if handed is None or not short:
        return value
    return np.where(np.isnan(value[:, :1]), handed, value)
