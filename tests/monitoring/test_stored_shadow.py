"""What the store tells of two models is what became of the alarms that were raised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from forestall.errors import ForestallError
from forestall.monitoring.service import Window
from forestall.monitoring.stored_outcomes import stored_outcomes
from forestall.monitoring.stored_shadow import stored_comparison
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.live import Live
from forestall.serving.store.database import Store, open_store
from forestall.serving.store.shadow_tables import shadow_risks
from tests import engines, plant
from tests.serving import challengers
from tests.serving.challengers import beside
from tests.serving.feeding import between, events_between, send, send_events
from tests.serving.store.stores import Addresses
from tests.serving.test_live import END, EVENTS, FRAME, STEP, Clock

COUNTS = ("right", "false", "undetermined", "caught", "failures", "machine_months", "cost_per_machine_month")


def in_shadow(store: Store, bundle: Bundle, challenger: Bundle, days: int = 0) -> tuple[Live, Live]:
    """The history in service, by the day; the challenger comes after so many days."""
    clock = Clock(plant.START)
    live = Live.over(store, bundle, clock)
    found = beside(store, challenger, clock)
    for time in range(plant.START, END + 1, 8 * STEP):
        low, clock.time = clock.time, time
        send(store, between(FRAME, low - 1, time), bundle)
        send_events(store, events_between(EVENTS, low - 1, time), bundle)
        (replace(live, beside=found) if time >= plant.START + days * plant.DAY else live).score_due()
    assert found.problems == []
    return live, found.challenger.live


def test_the_same_model_in_shadow_is_fit_and_is_as_what_was_raised(
    store: Store, bundle: Bundle, bundle_folder: Path, tmp_path: Path
) -> None:
    live, challenger = in_shadow(
        store, bundle, load_bundle(challengers.same(tmp_path / "same", bundle_folder))
    )
    with store.reading() as connection:
        found = stored_comparison(connection, live, challenger)
        assert found.span is not None
        raised = stored_outcomes(connection, bundle, Window(plant.START, found.span[1]))
    assert found.is_fit and found.champion == found.challenger and found.both > 1000
    assert found.champion_alone == found.challenger_alone == {}
    assert all(one.largest == 0 and one.same_side == 1 for one in found.differences.values())
    assert {name: found.champion.figures[name] for name in COUNTS} == pytest.approx(
        {name: raised.fleet[name] for name in COUNTS}
    )
    assert found.champion.figures["right"] > 3 < found.champion.figures["caught"]
    assert found.champion.alarms == len(raised.alarms)
    assert found.work.machines > 6 * 30 and found.work.failures == 0


def test_it_begins_when_the_challenger_came_and_not_beside_another_champion(
    store: Store, bundle: Bundle, bundle_folder: Path, tmp_path: Path
) -> None:
    other = load_bundle(challengers.same(tmp_path / "same", bundle_folder))
    live, challenger = in_shadow(store, bundle, other, days=20)
    third = load_bundle(challengers.same(tmp_path / "third", bundle_folder))
    with store.reading() as connection:
        found = stored_comparison(connection, live, challenger)
    assert found.span is not None and found.span[0] == plant.START + 20 * plant.DAY + STEP
    assert found.is_fit and found.champion_alone == {}
    third_live = Live.over(store, third, None)
    with store.reading() as connection:
        beside_another = stored_comparison(connection, third_live, challenger)
        unknown = stored_comparison(connection, live, third_live)
    for nothing in (beside_another, unknown):
        assert nothing.span is None and nothing.both == 0 and not nothing.is_fit


def test_damaged_rows_are_a_sentence(
    store: Store, bundle: Bundle, bundle_folder: Path, tmp_path: Path
) -> None:
    other = load_bundle(challengers.same(tmp_path / "same", bundle_folder))
    live, challenger = in_shadow(store, bundle, other, days=20)
    with store.writing() as connection:
        connection.execute(shadow_risks.update().values(curves=b"cut"))
    with store.reading() as connection, pytest.raises(ForestallError, match="Rows of shadow_risks"):
        stored_comparison(connection, live, challenger)


def test_machines_with_clocks_of_their_own(
    addresses_of_a_kind: Addresses, counting_folder: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(counting_folder)
    store, frame = open_store(addresses_of_a_kind.new(), bundle), engines.telemetry()
    frame = frame[frame["machine"].isin(["1", "3", "7"])].reset_index(drop=True)
    found = beside(store, load_bundle(challengers.same(tmp_path / "same", counting_folder)), None)
    live = Live.over(store, bundle, None)
    for start in range(0, int(frame["time"].max()), 10):
        send(store, between(frame, start, start + 10), bundle)
        (replace(live, beside=found) if start >= 50 else live).score_due()
    with store.reading() as connection:
        one = stored_comparison(connection, live, found.challenger.live)
    store.close()
    assert one.champion_alone == one.challenger_alone == {} and one.both > 100
    assert one.champion == one.challenger and one.champion.figures["machine_months"] > 0
