"""Past failures before which it looked as it does for a machine now, from the store's history of it."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection

from forestall.data.events import absent_pairs
from forestall.serving.healthy import healthy_reference
from forestall.serving.live import Live
from forestall.serving.live_baselines import renewed
from forestall.serving.opinions import Latest, latest
from forestall.serving.patterns import PastFailures, SimilarFailure, patterns
from forestall.serving.reach import before_decision
from forestall.serving.store.machines import Machine, machine_named, machines_frame
from forestall.serving.stored_history import stored_history
from forestall.serving.times import decision_at

Similar = dict[str, list[SimilarFailure]]


def similar_failures(
    connection: Connection, live: Live, past: PastFailures, machine: str, most: int = 3
) -> Similar:
    """Of each component of a machine, the past failures most similar to its latest decision, the most similar first.

    Only components with some: of one without an opinion, with a low risk or without a reason there are none, nor of a
    machine that is not known or was never scored. A failure since the bundle was exported is not among them.
    """
    one = machine_named(connection, machine)
    if one is None or one.scored_until is None or not len(past.time):
        return {}
    now, bundle = _latest(connection, live, one, one.scored_until), live.bundle
    if now.no_opinion[0]:
        return {}
    healthy = healthy_reference(now.features, now.normal, bundle.reference)
    seen, time = patterns(now.features, healthy, bundle), int(now.time[0])
    absent = absent_pairs(machines_frame(connection, [machine], bundle), bundle.plant.dataset)
    found = {
        component: past.similar(machine, component, seen.of(0, place), time, most)
        for place, component in enumerate(bundle.components)
        if (machine, component) not in absent
    }
    return {component: some for component, some in found.items() if some}


def _latest(connection: Connection, live: Live, machine: Machine, scored_until: int) -> Latest:
    """The machine at the last decision at which it was scored."""
    bundle = live.bundle
    decision = decision_at(scored_until, bundle.reference.spans)
    span = (decision - before_decision(bundle), decision)
    history = stored_history(connection, live.store, [machine], span, bundle)
    held = renewed(connection, live.store, [machine], np.array([decision], dtype=np.int64), bundle)
    return latest(history, held.own, bundle)
