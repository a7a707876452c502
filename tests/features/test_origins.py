"""An origin knows nothing of what came after it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from forestall.data.events import Events
from forestall.features.labels import TEST, TRAIN, VALIDATION
from forestall.features.origins import events_until, features_at, origin_ends, rolling, with_split
from forestall.features.reference import Matrix, Reference
from tests.plant import DAY, HOUR, START, clean_telemetry, dataset, events

END = START + 30 * DAY


def made(frame: pd.DataFrame, some: Events) -> tuple[Reference, pd.DataFrame, Matrix]:
    def chunks() -> Iterator[pd.DataFrame]:
        yield frame

    plant = with_split(dataset(), "6d", "6d")
    return features_at(chunks, some, plant, ("sensors", "errors", "replacements"), 3, END)


def test_what_comes_after_an_origin_changes_nothing() -> None:
    frame, some = clean_telemetry(), events()
    reference, decisions, features = made(frame, some)
    later = frame["time"] > END
    changed = frame.assign(volt=np.where(later, 0.0, frame["volt"]))
    other_reference, other_decisions, other_features = made(changed, events_until(some, END))
    assert reference == other_reference
    pd.testing.assert_frame_equal(decisions, other_decisions)
    np.testing.assert_array_equal(features, other_features)


def test_an_origin_has_all_three_folds_and_ends_with_its_data() -> None:
    _, decisions, _ = made(clean_telemetry(), events())
    assert {TRAIN, VALIDATION, TEST} <= set(decisions["fold"])
    assert decisions["time"].max() <= END


def test_origins_end_before_the_test_fold() -> None:
    plant = with_split(dataset(), "90d", "90d")
    last = {"m0": START + 365 * DAY, "m1": START + 300 * DAY}
    found = rolling(plant, last)
    assert list(found) == ["1", "2", "3", "all"]
    assert [(at - START) // DAY for _, at in found.values()] == [185, 230, 275, 365]
    assert origin_ends(10 * HOUR, 2 * HOUR, 2) == [8 * HOUR, 10 * HOUR]


def test_another_horizon_brings_a_gap_as_long() -> None:
    plant = with_split(dataset(), "6d", "6d", "48h")
    assert plant.decisions.horizon == "48h"
    assert plant.split.gap == "48h"
