"""A machine in service is compared by the pattern that the batch would see, with failures before its decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.features.baselines import own_baselines, own_frame
from forestall.features.build import decisions_of
from forestall.features.matrix import feature_matrix
from forestall.serving.baselines import known_baselines
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.live import Live
from forestall.serving.opinions import history_of
from forestall.serving.past_failures import (
    PAST_FAILURES,
    bundle_past_failures,
    past_failures,
    write_past_failures,
)
from forestall.serving.patterns import PastFailures
from forestall.serving.similar import similar_failures
from forestall.serving.store.database import Store, open_store
from tests import engines, plant
from tests.serving.feeding import between, events_between, send, send_events
from tests.serving.store.stores import Addresses

EVENTS = plant.events(6, 60)
FRAME = plant.with_signal(plant.telemetry(6, 60), EVENTS)


def past_of(
    frame: pd.DataFrame, events: Events, dataset: Dataset, bundle: Bundle, until: int
) -> PastFailures:
    """The past failures of a whole history, by the baselines that held at a time."""
    reference, end = bundle.reference, int(frame["time"].max())
    history = history_of(frame, events, bundle, end)
    features = feature_matrix(history, own_baselines(history, reference.spans, ()), reference)
    times = np.full(len(history.machines), until)
    held = own_baselines(history, reference.spans, (), times)
    known = known_baselines(own_frame(history.machines, held, times, list(reference.sensors), ()), reference)
    decisions = decisions_of(history, events, dataset, end)
    return past_failures(decisions, features.reshape(-1, features.shape[2]), events, known, bundle)


def planted(past: PastFailures, row: int, machine: str, earlier: int) -> PastFailures:
    """With one decision again, as if another machine had been there, and failed, earlier."""
    copies: dict[str, Any] = {
        one.name: np.concatenate([getattr(past, one.name), getattr(past, one.name)[[row]]])
        for one in fields(past)
        if one.name != "own_clocks"
    }
    copies["machine"][-1], copies["time"][-1] = machine, past.time[row] - earlier
    return replace(past, **copies)


def test_a_planted_run_up_is_found_first_and_the_machines_own_future_is_not(
    store: Store, bundle: Bundle
) -> None:
    first = past_of(FRAME, EVENTS, plant.dataset(), bundle, plant.START + 40 * plant.DAY)
    row = int(np.argmax(first.risk))
    machine, component, now = first.machine[row], first.component[row], int(first.time[row])
    past = planted(past_of(FRAME, EVENTS, plant.dataset(), bundle, now), row, "twin", 5 * plant.DAY)
    send(store, between(FRAME, 0, now), bundle)
    send_events(store, events_between(EVENTS, 0, now), bundle)
    live = Live.over(store, bundle, lambda: now)
    live.score_due()
    with store.reading() as connection:
        found = similar_failures(connection, live, past, machine)[component]
        every = [similar_failures(connection, live, past, f"m{n}") for n in range(6)]
    assert (found[0].machine, found[0].took) == ("twin", past.took[row])
    assert found[0].similarity == pytest.approx(1.0, abs=1e-6)
    assert any((past.time + past.took)[past.component == component] >= now)
    assert all(one.failed < now for of in every for some in of.values() for one in some)


def test_a_machine_that_nothing_is_thought_of_has_none(store: Store, bundle: Bundle) -> None:
    past = past_of(FRAME, EVENTS, plant.dataset(), bundle, plant.START + 40 * plant.DAY)
    live = Live.over(store, bundle, lambda: int(FRAME["time"].max()))
    with store.reading() as connection:
        assert similar_failures(connection, live, past, "m0") == {}  # never scored
        assert similar_failures(connection, live, past, "nobody") == {}
    live.score_due()
    with store.reading() as connection:
        assert similar_failures(connection, live, past, "m0") == {}  # no reading, no opinion


@pytest.fixture
def garage(addresses_of_a_kind: Addresses, counting_folder: Path) -> Iterator[Store]:
    store = open_store(addresses_of_a_kind.new(), load_bundle(counting_folder))
    yield store
    store.close()


def test_engines_are_compared_across_their_own_clocks(
    garage: Store, counting_folder: Path, tmp_path: Path
) -> None:
    bundle, cycles, events = load_bundle(counting_folder), engines.telemetry(), engines.events()
    past = past_of(cycles, events, engines.dataset(), bundle, int(cycles["time"].max()))
    write_past_failures(tmp_path, past, bundle)
    named = replace(bundle, manifest=bundle.manifest | {"sha256": {PAST_FAILURES: ""}})
    past = bundle_past_failures(tmp_path, named)
    engine, cycle = str(past.machine[0]), int((past.time + past.took)[0]) - 10
    live = Live.over(garage, bundle, None)
    send(garage, between(cycles[cycles["machine"] == engine], 0, cycle), bundle)
    live.score_due()
    with garage.reading() as connection:
        found = similar_failures(connection, live, past, engine)["machine"]
    ends = engines.lives()
    assert len(found) == 3
    assert all(one.failed == ends[one.machine] and one.machine != engine for one in found)
    assert all(abs(one.took - 10) < engines.HORIZON for one in found)
