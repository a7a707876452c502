"""A feature at t knows what was recorded at or before t, and no telemetry or error before t - lookback."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forestall.data.events import Events
from forestall.errors import InputError
from forestall.features import build, matrix
from forestall.features.baselines import OwnBaselines, own_baselines
from forestall.features.history import History, lay_out, spans_of
from forestall.features.reference import Reference
from tests import plant

DATASET = plant.dataset()
SPANS = spans_of(DATASET)
TELEMETRY, EVENTS = plant.clean_telemetry(), plant.events()
END = int(TELEMETRY["time"].max())
GROUPS = ("sensors", "levels", "gaps", "errors", "replacements", "schedule", "machine")


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build.fit_reference(lambda: iter([TELEMETRY]), EVENTS, DATASET, GROUPS, 3, END)


def history_of(telemetry: pd.DataFrame, events: Events, end: int) -> History:
    return lay_out(telemetry, events, ["volt", "spin"], SPANS, end)


WHOLE = history_of(TELEMETRY, EVENTS, END)
PLACES = build.condition_places(DATASET)
OWN = own_baselines(WHOLE, SPANS, PLACES)


def features_at(history: History, own: OwnBaselines, reference: Reference, time: int) -> bytes:
    """Every machine's features at one decision, as bytes."""
    column = history.decisions(SPANS).tolist().index(time)
    return matrix.feature_matrix(history, own, reference)[:, column].tobytes()


def cut_events(events: Events, *, after: int | None = None, before: int | None = None) -> Events:
    """Without what is later than `after`, and errors without what is not later than `before`."""
    tables = {name: getattr(events, name) for name in ("errors", "maintenance", "failures")}
    if after is not None:
        tables = {name: frame[frame["time"] <= after] for name, frame in tables.items()}
    if before is not None:
        tables["errors"] = tables["errors"][tables["errors"]["time"] > before]
    return replace(events, **tables)


DECISIONS = st.sampled_from(WHOLE.decisions(SPANS)[8:].tolist())


@settings(max_examples=40, deadline=None)
@given(time=DECISIONS)
def test_the_future_changes_nothing(time: int, reference: Reference) -> None:
    past = TELEMETRY[TELEMETRY["time"] <= time]
    cut = history_of(past, cut_events(EVENTS, after=time), time)
    own = own_baselines(cut, SPANS, PLACES)
    assert features_at(cut, own, reference, time) == features_at(WHOLE, OWN, reference, time)


@settings(max_examples=40, deadline=None)
@given(time=DECISIONS)
def test_what_is_older_than_the_lookback_changes_nothing(time: int, reference: Reference) -> None:
    before = time - SPANS.lookback
    recent = TELEMETRY[(TELEMETRY["time"] > before) & (TELEMETRY["time"] <= time)]
    cut = history_of(recent, cut_events(EVENTS, after=time, before=before), time)
    assert features_at(cut, OWN, reference, time) == features_at(WHOLE, OWN, reference, time)


@settings(max_examples=10, deadline=None)
@given(time=DECISIONS)
def test_a_value_inside_the_window_does_change_them(time: int, reference: Reference) -> None:
    changed = TELEMETRY.copy()
    changed.loc[(changed["time"] == time) & (changed["machine"] == "m0"), ["volt", "running"]] = [399.0, True]
    other = history_of(changed, EVENTS, END)
    assert features_at(other, OWN, reference, time) != features_at(WHOLE, OWN, reference, time)


def test_machines_computed_apart_and_together_agree(reference: Reference) -> None:
    whole = matrix.feature_matrix(WHOLE, OWN, reference)
    for number, machine in enumerate(WHOLE.machines):
        alone = history_of(TELEMETRY[TELEMETRY["machine"] == machine], EVENTS, END)
        features = matrix.feature_matrix(alone, own_baselines(alone, SPANS, PLACES), reference)
        assert features[0].tobytes() == whole[number].tobytes()


def test_errors_before_the_layout_of_a_machine_alone_count_as_they_do_among_others(
    reference: Reference,
) -> None:
    late = TELEMETRY[(TELEMETRY["machine"] != "m1") | (TELEMETRY["time"] > plant.START + 6 * plant.DAY)]
    together = history_of(late, EVENTS, END)
    alone = history_of(late[late["machine"] == "m1"], EVENTS, END)
    columns = [n for n, feature in enumerate(reference.features) if feature.group == "errors"]
    steps = len(alone.decisions(SPANS))
    one, among = (
        matrix.feature_matrix(laid, own_baselines(laid, SPANS, PLACES), reference)[row, -steps:][:, columns]
        for laid, row in ((alone, 0), (together, 1))
    )
    assert among[:8].any()
    assert one.tobytes() == among.tobytes()


def test_groups_that_give_no_feature_are_refused() -> None:
    silent = replace(EVENTS, errors=EVENTS.errors.iloc[:0])
    with pytest.raises(InputError, match="the groups of features that are on give none"):
        build.fit_reference(lambda: iter([TELEMETRY]), silent, DATASET, ("errors",), 3, END)


def test_features_are_finite_float32(reference: Reference) -> None:
    whole = matrix.feature_matrix(WHOLE, OWN, reference)
    assert whole.dtype == np.float32
    assert np.isfinite(whole).all()


def test_the_schedule_group_is_switched_off_as_a_whole(reference: Reference) -> None:
    without = build.fit_reference(
        lambda: iter([TELEMETRY]), EVENTS, DATASET, tuple(g for g in GROUPS if g != "schedule"), 3, END
    )
    gone = {f.name for f in reference.features} - {f.name for f in without.features}
    assert gone == {"visit.days", "visit.known"}
