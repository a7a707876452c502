"""A fold as series: where each machine's data end, and what maintenance is a repair, by the clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.training.alarms import open_alarms
from forestall.training.judging import (
    fleet_weeks,
    machine_months,
    most_alarms,
    repair_span,
    rules_of,
    series_of_fold,
)
from forestall.training.series import Series, risk_matrix
from tests import engines, plant

LAST = engines.last_cycles()
ALIVE, FAILED = "23", "1"


def decisions(*machines: str) -> pd.DataFrame:
    frames = [pd.DataFrame({"machine": m, "time": range(30, LAST[m])}) for m in machines]
    return pd.concat(frames, ignore_index=True).astype({"machine": object})


def series(last: dict[str, int], **tables: pd.DataFrame) -> Series:
    events = replace(engines.events(), **tables)
    return series_of_fold(decisions(ALIVE, FAILED), events, engines.dataset(), "test", last)


def outcomes(found: Series, machine: str, opened: int) -> list[str]:
    frame = decisions(ALIVE, FAILED)
    high = (frame["machine"] == machine) & (frame["time"] == opened)
    risk = risk_matrix(found, frame, high.to_numpy().astype(np.float32)[:, None])
    return open_alarms(found, risk, 0.5, rules_of(engines.dataset(), 1))["outcome"].tolist()


def test_each_machines_data_end_with_its_own_history() -> None:
    found = series(LAST)
    assert dict(zip(found.machine, found.end.tolist(), strict=True)) == {m: LAST[m] for m in (ALIVE, FAILED)}
    assert LAST[ALIVE] < LAST[FAILED]
    assert outcomes(found, ALIVE, LAST[ALIVE] - engines.HORIZON) == ["false"]
    assert outcomes(found, ALIVE, LAST[ALIVE] - engines.HORIZON + 1) == ["undetermined"]
    assert outcomes(found, FAILED, LAST[FAILED] - 1) == ["right"]


def test_a_failure_after_the_last_reading_is_counted() -> None:
    found = series(LAST | {FAILED: LAST[FAILED] - 4})
    assert [failures.tolist() for failures in found.failures] == [[LAST[FAILED]], []]


def test_folds_by_time_end_together() -> None:
    frame = pd.DataFrame({"machine": ["m0", "m1"], "time": plant.START + 25 * plant.DAY})
    last = {"m0": plant.START + 40 * plant.DAY, "m1": plant.START + 35 * plant.DAY}
    found = series_of_fold(
        frame.astype({"machine": object}), plant.events(), plant.dataset(), "validation", last
    )
    assert set(found.end.tolist()) == {plant.START + 30 * plant.DAY}


def test_three_days_of_either_clock_are_a_repair() -> None:
    assert repair_span(plant.dataset()) == 3 * plant.DAY
    assert repair_span(engines.dataset()) == 6  # of 60 cycles a month


@pytest.mark.parametrize(("after", "planned"), [(6, []), (7, [47])])
def test_work_past_the_repair_is_planned(after: int, planned: list[int]) -> None:
    rows = {"machine": [FAILED], "time": [40], "component": ["machine"]}
    failures = pd.DataFrame(rows).astype({"machine": object, "component": object})
    found = series(LAST, failures=failures, maintenance=failures.assign(time=40 + after))
    assert [work.tolist() for work in found.replaced] == [planned, []]


def test_months_are_counted_by_the_rate_of_the_counter() -> None:
    assert machine_months(decisions(ALIVE), engines.dataset()) == (LAST[ALIVE] - 30) / 60


def test_weeks_of_the_fleet_are_the_calendars_or_a_mean_machines() -> None:
    times = np.tile(plant.START + 10800 * np.arange(2 * 7 * 8), 3)
    frame = pd.DataFrame({"machine": np.repeat(["a", "b", "c"], 2 * 7 * 8), "time": times})
    assert fleet_weeks(frame, plant.dataset()) == 2.0
    own = fleet_weeks(decisions(ALIVE), engines.dataset())
    assert own == pytest.approx((LAST[ALIVE] - 30) / 60 * 30.4375 / 7)
    assert most_alarms("alarms_per_week", 0.2, 5.0, frame, plant.dataset()) == 10.0
    assert most_alarms("recall", 0.2, 5.0, frame, plant.dataset()) == pytest.approx(0.2 * 42 / 30.4375)
