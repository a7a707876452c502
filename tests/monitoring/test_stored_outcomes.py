"""What the store tells of alarms and failures is what the evaluation says of the same alarms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from forestall.data.events import Events, absent_pairs
from forestall.evaluation.ledger import KEY, ledger
from forestall.evaluation.scores import ledger_scores
from forestall.monitoring.outcomes import Realised
from forestall.monitoring.service import Window
from forestall.monitoring.service_figures import KINDS
from forestall.monitoring.stored_estimates import stored_estimates
from forestall.monitoring.stored_outcomes import stored_outcomes, until_of
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.live import Live
from forestall.serving.store.alarm_changes import Change, change_alarm
from forestall.serving.store.alarms import AlarmFilter, list_alarms
from forestall.serving.store.database import Store, open_store
from forestall.serving.store.tables import machines
from forestall.training.alarms import open_alarms
from forestall.training.judging import machine_months, repair_span, rules_of
from forestall.training.series import Series, risk_matrix, series_of
from tests import engines, plant
from tests.serving.feeding import Batch, batch_of, between, events_between, send, send_events
from tests.serving.store.stores import Addresses
from tests.serving.test_live import END, EVENTS, FRAME, LATELY, STEP, replay

HORIZON = plant.DAY
EVER = Window(plant.START - plant.DAY, END)
COLUMNS = [*KEY, "kind", "lead"]
FAILED = ("caught", "missed", "unforeseen", "warned", "named")


@pytest.fixture(scope="module")
def batch(bundle: Bundle) -> Batch:
    return batch_of(FRAME, EVENTS, bundle)


def evaluated(
    batch: Batch, events: Events, bundle: Bundle, end: int | dict[str, int]
) -> tuple[pd.DataFrame, pd.DataFrame, Series]:
    """The evaluation's ledger of the batch's alarms, and the decisions that it rests on."""
    spot = np.argwhere(batch.no_opinion == "")
    decisions = pd.DataFrame(
        {"machine": np.array(batch.machines, dtype=object)[spot[:, 0]], "time": batch.decisions[spot[:, 1]]}
    )
    dataset, rules = bundle.plant.dataset, rules_of(bundle.plant.dataset, bundle.plant.quiet)
    absent = absent_pairs(events.machines, dataset)
    span = repair_span(dataset)
    series = series_of(decisions, bundle.components, absent, events.failures, events.maintenance, end, span)
    risk = risk_matrix(series, decisions, batch.curves[spot[:, 0], spot[:, 1], :, -1])
    return ledger(series, open_alarms(series, risk, bundle.thresholds, rules), rules), decisions, series


def within(frame: pd.DataFrame, window: Window) -> pd.DataFrame:
    return between(frame, window.after, window.until - HORIZON)


def assert_same_rows(found: Realised, expected: pd.DataFrame) -> None:
    ours = found.rows[~found.rows["kind"].isin(KINDS)]
    one, other = (frame[COLUMNS].sort_values(COLUMNS, ignore_index=True) for frame in (ours, expected))
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def assert_same_figures(figures: dict[str, float], rows: pd.DataFrame, months: float, bundle: Bundle) -> None:
    hour = 1 if bundle.plant.dataset.own_clocks else plant.HOUR
    expected = ledger_scores(rows, bundle.plant.dataset.costs, months, hour)
    assert {name: figures.get(name) for name in expected} == pytest.approx(expected)
    assert figures["machine_months"] == pytest.approx(months)


def between_failure_and_repair() -> Window:
    pairs = EVENTS.failures.merge(EVENTS.maintenance, on=["machine", "component"], suffixes=("", "_work"))
    gap = pairs["time_work"] - pairs["time"]
    lately = pairs["time"] > plant.START + 5 * plant.DAY
    found = pairs[(gap > 0) & (gap < 3 * plant.DAY) & lately & (pairs["time_work"] < END - 2 * plant.DAY)]
    return Window(int(found["time"].iloc[0]), END)


WINDOWS = {
    "between a failure and its repair": between_failure_and_repair(),
    "all": EVER,
    "two weeks": Window(plant.START + 12 * plant.DAY, plant.START + 27 * plant.DAY),
    "over the end of a month": Window(plant.START + 25 * plant.DAY + 1, END - 1),
}


def test_a_mature_period_is_as_the_evaluation_has_it(store: Store, bundle: Bundle, batch: Batch) -> None:
    live = replay(store, bundle, steps=20)
    dataset = bundle.plant.dataset
    with store.reading() as connection:
        assert until_of(live, connection) == END
        told = {name: stored_outcomes(connection, bundle, window) for name, window in WINDOWS.items()}
    for name, window in WINDOWS.items():
        rows, decisions, series = evaluated(batch, EVENTS, bundle, window.until)
        rows, decisions, found = within(rows, window), within(decisions, window), told[name]
        assert_same_rows(found, rows)
        assert_same_figures(found.fleet, rows, machine_months(decisions, dataset), bundle)
        for component in bundle.components:
            having = decisions["machine"].isin(series.machine[series.component == component])
            own = rows[rows["component"] == component]
            months = machine_months(decisions[having], dataset)
            assert_same_figures(found.components[component], own, months, bundle)
        for month, figures in found.months.items():
            of = [frame[_month(frame) == month] for frame in (rows, decisions)]
            assert_same_figures(figures, of[0], machine_months(of[1], dataset), bundle)
    assert {"right", "false", "undetermined", "caught", "missed", "replaced"} <= set(told["all"].rows["kind"])
    assert list(told["all"].months) == ["2024-01", "2024-02"]


def _month(frame: pd.DataFrame) -> pd.Series[str]:
    return pd.to_datetime(frame["time"], unit="s").dt.strftime("%Y-%m")


def test_what_came_after_the_window_changes_nothing(store: Store, bundle: Bundle) -> None:
    window = Window(plant.START - 1, plant.START + 20 * plant.DAY)
    sent = replace(EVENTS)
    live = Live.over(store, bundle, lambda: window.until)
    send(store, between(FRAME, plant.START - 1, window.until), bundle)
    for time in range(plant.START, window.until + 1, 30 * STEP):
        Live.over(store, bundle, lambda time=time: time).score_due()  # type: ignore[misc]
    send_events(store, events_between(sent, 0, window.until), bundle)
    live.score_due()
    with store.reading() as connection:
        before = stored_outcomes(connection, bundle, window)
    send_events(store, events_between(sent, window.until, END), bundle)
    with store.reading() as connection:
        after = stored_outcomes(connection, bundle, window)
    assert before.fleet == after.fleet
    assert before.fleet["alarms"] > 10
    pd.testing.assert_frame_equal(before.rows, after.rows)


def test_a_confirmed_fault_that_the_plant_books_later_is_one_failure(store: Store, bundle: Bundle) -> None:
    replay(store, bundle, steps=40)
    with store.reading() as connection:
        before = stored_outcomes(connection, bundle, EVER)
        kept = {one.id: one for one in list_alarms(connection, AlarmFilter(), 1000).alarms}
    told = before.alarms[before.alarms["outcome"] == "false"].iloc[0]
    (number,) = [
        one.id
        for one in kept.values()
        if (one.machine, one.component, one.opened) == (told["machine"], told["component"], told["opened"])
    ]
    found = int(told["opened"]) + 5 * plant.HOUR
    said = Change("tester", 0, "closed", "confirmed", found=found, replaced=True)
    booked = pd.DataFrame(
        {"machine": [told["machine"]], "time": [found + 4 * plant.HOUR], "component": [told["component"]]}
    )
    with store.writing() as connection:
        change_alarm(connection, store, number, None, said, bundle.reference)
    with store.reading() as connection:
        reported = stored_outcomes(connection, bundle, EVER).fleet
    send_events(store, replace(events_between(EVENTS, 0, 0), failures=booked, maintenance=booked), bundle)
    with store.reading() as connection:
        twice = stored_outcomes(connection, bundle, EVER).fleet
    assert reported["caught"] == before.fleet["caught"] + 1
    assert reported["right"] >= before.fleet["right"] + 1
    counts = ("failures", "caught", "missed", "unforeseen", "right", "false", "undetermined")
    assert {name: twice[name] for name in counts} == {name: reported[name] for name in counts}
    assert twice["replacements_per_machine_month"] == reported["replacements_per_machine_month"]


def test_alarms_that_late_readings_withdrew_were_raised(store: Store, bundle: Bundle) -> None:
    late = FRAME[np.random.default_rng(5).random(len(FRAME)) < 0.3]
    late = late[late["time"].between(LATELY, END, inclusive="left")]
    replay(store, bundle, steps=2, late=late, since=LATELY)
    with store.reading() as connection:
        found = stored_outcomes(connection, bundle, EVER)
        kept = list_alarms(connection, AlarmFilter(), 10_000).alarms
    mature = [one for one in kept if one.opened <= END - HORIZON]
    withdrawn = [one for one in mature if one.end_reason == "withdrawn"]
    assert len(withdrawn) > 3
    assert found.fleet["withdrawn"] == len(withdrawn)
    assert found.fleet["alarms"] == len(mature)


def test_an_empty_store_has_no_figures(store: Store, bundle: Bundle) -> None:
    with store.reading() as connection:
        assert until_of(Live.over(store, bundle, None), connection) is None
        found = stored_outcomes(connection, bundle, EVER)
        estimates = stored_estimates(connection, bundle, 1, found, 0.001, 5)
        assert len(connection.execute(select(machines.c.id)).all()) == 6
    assert found.fleet["failures"] == 0 == found.fleet["machine_months"]
    assert not {"event_recall", "alarm_precision", "cost_per_machine_month"} & set(found.fleet)
    assert all(one.coming is None and one.decisions.withheld for one in estimates.values())


def test_machines_with_clocks_of_their_own(addresses_of_a_kind: Addresses, counting_folder: Path) -> None:
    bundle = load_bundle(counting_folder)
    store, names = open_store(addresses_of_a_kind.new(), bundle), ["1", "3", "7", "9", "31"]
    frame, events, last = engines.telemetry(), engines.events(), engines.last_cycles()
    frame = frame[frame["machine"].isin(names)].reset_index(drop=True)
    events = replace(events, failures=events.failures[events.failures["machine"].isin(names[:3])])
    live = Live.over(store, bundle, None)
    for start in range(0, int(frame["time"].max()), 10):
        send(store, between(frame, start, start + 10), bundle)
        live.score_due()
    send_events(store, events, bundle)
    live.score_due()
    with store.reading() as connection:
        window = Window(-1, until_of(live, connection) or 0)
        found = stored_outcomes(connection, bundle, window)
        assert stored_estimates(connection, bundle, live.model, found, 0.001, 5) == {}
    store.close()
    ends = {name: last[name] for name in names}
    rows, decisions, _ = evaluated(batch_of(frame, events, bundle), events, bundle, ends)
    horizon = bundle.reference.spans.horizon
    limit = {name: end - (0 if name in names[:3] else horizon) for name, end in ends.items()}
    rows, decisions = (one[one["time"] <= one["machine"].map(limit)] for one in (rows, decisions))
    # A service has no opinion of an engine at the cycle at which it failed.
    rows, decisions = (
        one[
            (one["time"] < one["machine"].map(last))
            | one.get("kind", pd.Series(index=one.index)).isin(FAILED)
        ]
        for one in (rows, decisions)
    )
    assert_same_rows(found, rows)
    assert_same_figures(found.fleet, rows, machine_months(decisions, bundle.plant.dataset), bundle)
    assert found.fleet["failures"] == 3
    assert found.months == {}
