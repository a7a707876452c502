"""Why the mean risk of a store's fleet changed: by what the store has, or by risks that are worked out again."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pandas as pd
import pytest

from forestall.monitoring.live_change import LiveChange, live_change, planned_work
from forestall.monitoring.periods import Periods, periods_of
from forestall.monitoring.rescored import rescored
from forestall.monitoring.stored_risks import CELLS, stored_risks
from forestall.monitoring.watched import WatchedInputs
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.export import write_bundle
from forestall.serving.live import Live
from forestall.serving.store.machines import known_machines
from tests import plant
from tests.serving.conftest import Made, empty_store, served
from tests.serving.store.stores import Addresses
from tests.serving.test_input_counts import END, play

ALL = 1000


@pytest.fixture(scope="module")
def live(addresses_of_a_kind: Addresses, bundle: Bundle, counter: WatchedInputs) -> Live:
    """Two weeks in service; no test changes what was scored."""
    return play(empty_store(addresses_of_a_kind.new(), bundle), bundle, counter)


@pytest.fixture
def periods(bundle: Bundle) -> Periods:
    return periods_of(bundle.reference.spans, END - 10 * plant.DAY, END)


@pytest.fixture(scope="module")
def other(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Another family's model of the same plant."""
    folder = tmp_path_factory.mktemp("other")
    write_bundle(folder, made.fit("hist_gradient_boosting"), made.reference, served())
    return load_bundle(folder)


def found_by(live: Live, periods: Periods, most: int = ALL, old: Bundle | None = None) -> LiveChange:
    with live.store.reading() as connection:
        found = live_change(connection, live, periods, most, old)
    assert found is not None
    return found


def as_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[CELLS].sort_values(CELLS[:3]).reset_index(drop=True)


def test_periods_are_a_horizon_long_and_apart(bundle: Bundle) -> None:
    spans = bundle.reference.spans
    found = periods_of(spans, END - 10 * plant.DAY, END)
    for times, end in ((found.before, END - 10 * plant.DAY), (found.after, END)):
        assert len(times) == 7 and len({b - a for a, b in itertools.pairwise(times)}) == 1
        assert end - spans.every < times[-1] <= end and times[-1] - times[0] < spans.horizon
    with pytest.raises(ValueError, match="has to be over"):
        periods_of(spans, END - spans.every, END)


def test_risks_worked_out_again_are_those_that_were_given(live: Live, periods: Periods) -> None:
    with live.store.reading() as connection:
        machines = list(known_machines(connection).values())
        again = rescored(connection, live.store, live.bundle, machines, periods.after)
        given = stored_risks(connection, live.bundle.components, live.model, periods.after)
    assert len(given) > 30
    pd.testing.assert_frame_equal(as_rows(again), as_rows(given), check_exact=True, check_dtype=False)


def test_one_model_s_change_is_of_mix_ages_and_data(live: Live, periods: Periods) -> None:
    found = found_by(live, periods)
    with live.store.reading() as connection:
        means = [
            stored_risks(connection, live.bundle.components, live.model, times)["risk"].mean()
            for times in (periods.before, periods.after)
        ]
    assert not found.is_rescored
    assert (found.change.before, found.change.after) == pytest.approx(means)
    assert found.change.shares["model"] == pytest.approx(0.0, abs=1e-12)
    assert sum(found.change.shares.values()) == pytest.approx(means[1] - means[0])
    assert max(abs(share) for share in found.change.shares.values()) > 1e-4


def test_another_model_s_share_is_what_it_makes_of_the_period_before(
    live: Live, periods: Periods, other: Bundle
) -> None:
    swapped = Live.over(live.store, other, None)
    found = found_by(swapped, periods)
    with live.store.reading() as connection:
        machines = list(known_machines(connection).values())
        new = rescored(connection, swapped.store, other, machines, periods.before)
        old = stored_risks(connection, live.bundle.components, live.model, periods.before)
    assert found.is_rescored
    assert found.change.before == pytest.approx(old["risk"].mean())
    assert found.change.shares["model"] == pytest.approx(new["risk"].mean() - old["risk"].mean())
    assert abs(found.change.shares["model"]) > 1e-3
    assert sum(found.change.shares.values()) == pytest.approx(found.change.after - found.change.before)


def test_with_the_old_bundle_both_models_judge_both_periods(
    live: Live, periods: Periods, other: Bundle
) -> None:
    swapped = Live.over(live.store, other, None)
    found, back = found_by(swapped, periods, old=live.bundle), found_by(live, periods, old=other)
    same = found_by(live, periods, old=live.bundle)
    assert found.change.before == pytest.approx(found_by(live, periods).change.before)
    assert sum(found.change.shares.values()) == pytest.approx(found.change.after - found.change.before)
    assert found.change.shares["model"] == pytest.approx(-back.change.shares["model"])
    assert same.change.shares["model"] == pytest.approx(0.0, abs=1e-12)


def test_of_a_large_fleet_some_are_worked_out_again(live: Live, periods: Periods, other: Bundle) -> None:
    assert found_by(Live.over(live.store, other, None), periods, most=3).machines <= (3, 3)


def test_a_repair_is_no_planned_work() -> None:
    work = [("m1", "pump", 5), ("m1", "pump", 12), ("m1", "pump", 13), ("m1", "seal", 12), ("m2", "pump", 30)]
    failed = [("m1", "pump", 10), ("m2", "pump", 20)]
    done, broke = (pd.DataFrame(rows, columns=CELLS[:3]) for rows in (work, failed))
    planned = planned_work(done, broke, 3)
    assert planned_work(done, broke[:0], 3).equals(done)
    assert list(planned.itertuples(index=False, name=None)) == [work[0], *work[2:]]


def test_nothing_is_said_of_a_period_without_readings(live: Live, bundle: Bundle) -> None:
    long_ago = periods_of(bundle.reference.spans, plant.START - 90 * plant.DAY, END)
    with live.store.reading() as connection:
        assert live_change(connection, live, long_ago, ALL) is None


def test_clocks_of_their_own_have_no_periods_in_common(live: Live, bundle: Bundle, periods: Periods) -> None:
    clocks = replace(bundle, reference=replace(bundle.reference, unit="cycles"))
    with live.store.reading() as connection:
        assert live_change(connection, replace(live, bundle=clocks), periods, ALL) is None
