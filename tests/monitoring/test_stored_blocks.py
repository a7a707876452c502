"""The current weeks as the store has them are counted as the reference's are, and none is looked at half."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select

from forestall.data.events import absent_pairs
from forestall.monitoring.blocks import OPINIONS
from forestall.monitoring.drift import Drift
from forestall.monitoring.reference import MonitoringReference
from forestall.monitoring.stored_blocks import stored_blocks, stored_drift
from forestall.monitoring.thresholds import THRESHOLDS
from forestall.monitoring.watched import WatchedInputs
from forestall.serving.api.drift_state import samples
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.store.database import Store
from forestall.serving.store.tables import alarms, models, risks
from tests import plant
from tests.serving.test_input_counts import END, EVENTS, play

WEEK = 7 * plant.DAY


@pytest.fixture
def live(store: Store, bundle: Bundle, counter: WatchedInputs) -> Live:
    return play(store, bundle, counter)


def test_whole_weeks_are_counted_and_no_other(
    live: Live, monitored: MonitoringReference, counter: WatchedInputs
) -> None:
    end = END // WEEK * WEEK
    with live.store.reading() as connection:
        blocks, ago = stored_blocks(connection, live.bundle, live.model, (monitored, counter), END, 2)
        decided = connection.execute(select(risks.c.time, risks.c.no_opinion)).all()
        opened = connection.execute(select(alarms.c.opened)).scalars().all()
    assert end < END and set(blocks.start) <= {end - WEEK, end - 2 * WEEK}
    assert (ago == (end - WEEK - blocks.start) // WEEK).all() and set(ago) == {0, 1}
    within = [reason for time, reason in decided if end - 2 * WEEK <= time < end]
    assert blocks.opinions.sum() == len(within) > 50
    assert blocks.opinions[:, 0].sum() == within.count(OPINIONS[0])
    assert blocks.alarms.sum() == sum(end - 2 * WEEK <= time < end for time in opened)
    starts = counter.bins.starts
    counted = np.add.reduceat(blocks.inputs, starts[:-1], axis=1)
    assert (counted == counted[:, :1]).all() and (counted[:, 0] == blocks.opinions[:, 0])[ago == 0].all()


def test_what_a_machine_lacks_is_no_exposure(
    live: Live, monitored: MonitoringReference, counter: WatchedInputs
) -> None:
    absent = absent_pairs(EVENTS.machines, live.bundle.plant.dataset)
    with live.store.reading() as connection:
        blocks, _ = stored_blocks(connection, live.bundle, live.model, (monitored, counter), END, 2)
    time = monitored.exposure(blocks)
    for place, component in enumerate(monitored.components):
        lacking = np.array([(machine, component) in absent for machine in blocks.machine])
        assert absent and not time[lacking, place].any() and time[~lacking, place].any()


def test_what_another_model_thought_is_not_compared(
    live: Live, monitored: MonitoringReference, counter: WatchedInputs
) -> None:
    with live.store.reading() as connection:
        blocks, ago = stored_blocks(connection, live.bundle, live.model + 1, (monitored, counter), END, 2)
        other = replace(live, model=live.model + 1)
        assert stored_drift(connection, other, monitored, END, THRESHOLDS) is None
    assert len(blocks) == len(ago) == 0


def test_the_week_in_which_a_model_began_is_not_counted(
    live: Live, monitored: MonitoringReference, counter: WatchedInputs
) -> None:
    week = END // WEEK * WEEK - 2 * WEEK
    with live.store.writing() as connection:
        before = models.insert().values(digest="another", components=[], horizons=[])
        number = connection.execute(before.returning(models.c.id)).scalar_one()
        for began, counted in ((1, {0, 1}), (3, {0})):
            since = week + began * live.bundle.reference.spans.every
            connection.execute(risks.update().where(risks.c.time < since).values(model_id=number))
            _, ago = stored_blocks(connection, live.bundle, live.model, (monitored, counter), END, 3)
            assert set(ago) == counted


def test_drift_of_the_store(live: Live, monitored: MonitoringReference) -> None:
    with live.store.reading() as connection:
        found = stored_drift(connection, live, monitored, END, THRESHOLDS)
    assert isinstance(found, Drift)
    assert [one.component for one in found.alarms] == list(monitored.components)
    assert {one.name for one in found.risks} == set(monitored.components)
    assert all(one.psi is not None and one.psi >= 0 for one in (*found.risks, *found.inputs, found.opinions))


def test_metrics_tell_it(live: Live, monitored: MonitoringReference) -> None:
    with live.store.reading() as connection:
        found = stored_drift(connection, live, monitored, END, THRESHOLDS)
    assert found is not None
    said = {(one.metric.name, *one.labels): one.value for one in samples(found)}
    assert len(said) == len(list(samples(found))) > 20
    for one in found.alarms:
        assert said["forestall_alarm_rate_changed", one.component] == one.holds
    for shift in found.inputs:
        assert said["forestall_drift_psi", "input", shift.name] == shift.psi
    assert ("forestall_drifted", "opinions", "") in said
