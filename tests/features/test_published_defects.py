"""The defects D1 to D7 of the published protocols, each planted and shown to be absent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.features import labels
from forestall.features.columns import Columns
from forestall.features.events import add_replacement_features
from forestall.features.history import History, lay_out, spans_of
from tests import plant
from tests.plant import DAY, HOUR, START

DATASET = plant.dataset()
SPANS = spans_of(DATASET)
FAILURE = START + 10 * DAY + 6 * HOUR


def events(
    failures: list[tuple[str, int, str]], maintenance: list[tuple[str, int, str]] | None = None
) -> Events:
    def frame(rows: list[tuple[str, int, str]]) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=["machine", "time", "component"]).astype({"time": "int64"})

    return replace(plant.events(), failures=frame(failures), maintenance=frame(maintenance or []))


def history(some: Events, dataset: Dataset = DATASET, machines: int = 2) -> History:
    telemetry = plant.clean_telemetry(machines, 40)
    return lay_out(telemetry, some, ["volt", "spin"], spans_of(dataset), int(telemetry["time"].max()))


def days_since_replacement(some: Events) -> pd.Series:
    laid = history(some)
    columns = Columns(["replacements"])
    add_replacement_features(columns, laid, ["pump"], SPANS, "s")
    return pd.Series(columns.values[0][0], index=laid.decisions(SPANS))


def positives(some: Events, component: str = "pump") -> list[list[int]]:
    """For each machine the times of its positive decisions."""
    laid = history(some)
    times = laid.decisions(SPANS)
    return [times[row > 0].tolist() for row in labels.labels(laid, component, set(), SPANS, laid.last)]


def test_d1_the_row_at_the_failure_is_not_a_warning_of_it() -> None:
    some = events([("m0", FAILURE, "pump")], [("m0", FAILURE, "pump")])
    assert max(positives(some)[0]) == FAILURE - 3 * HOUR
    assert days_since_replacement(some)[FAILURE] == 0.0


def test_d2_labels_do_not_cross_machines() -> None:
    first_hours_of_m1 = START + 2 * HOUR
    assert positives(events([("m1", first_hours_of_m1, "pump")]))[0] == []
    assert positives(events([("m0", START + 40 * DAY, "pump")]))[1] == []


def test_d3_days_are_counted_from_the_last_replacement_not_the_first() -> None:
    some = events([("m1", FAILURE, "pump")], [("m0", START + DAY, "pump"), ("m0", START + 20 * DAY, "pump")])
    assert days_since_replacement(some)[START + 25 * DAY] == 5.0


@pytest.mark.parametrize("every", ["3h", "6h", "12h"])
def test_d4_the_horizon_is_time_not_rows(every: str) -> None:
    decisions = DATASET.decisions.model_copy(update={"every": every, "horizons": ["7d"]})
    windows = DATASET.windows.model_copy(update={"sensors": ["24h"]})
    dataset = DATASET.model_copy(update={"decisions": decisions, "windows": windows})
    laid = history(events([("m0", FAILURE, "pump")]), dataset)
    spans = spans_of(dataset)
    warned = laid.decisions(spans)[labels.labels(laid, "pump", set(), spans, laid.last)[0] > 0]
    assert warned.min() >= FAILURE - 7 * DAY
    assert FAILURE - 7 * DAY + spans.every > warned.min()


def test_d5_components_that_fail_together_are_two_labels() -> None:
    some = events([("m0", FAILURE, "pump"), ("m0", FAILURE, "seal")])
    assert positives(some, "pump") == positives(some, "seal") != [[], []]


def test_d6_times_are_not_rounded_past_the_repair() -> None:
    odd = FAILURE + 17 * 60
    some = events([("m0", odd, "pump")], [("m0", odd, "pump")])
    since = days_since_replacement(some)
    assert np.isnan(since[FAILURE])
    assert since[FAILURE + 3 * HOUR] == pytest.approx((3 * HOUR - 17 * 60) / DAY)
    assert FAILURE in positives(some)[0]


def test_d7_no_fold_shares_a_failure_with_another() -> None:
    laid = history(events([("m0", FAILURE, "pump")]))
    times = laid.decisions(SPANS)
    end = START + 40 * DAY
    fold = labels.folds(laid.machines, times, end, DATASET)[0]
    ends = labels.fold_ends(end, DATASET)
    for name in (labels.TRAIN, labels.VALIDATION, labels.TEST):
        assert (times[fold == name] + SPANS.horizon).max() <= ends[name]
    assert times[fold == labels.VALIDATION].min() > times[fold == labels.TRAIN].max() + SPANS.horizon
    assert times[fold == labels.TEST].min() > times[fold == labels.VALIDATION].max() + SPANS.horizon
