"""Faults change what they should and no more; episodes, delays and plants where nothing was found are told right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from _trials import (
    DAY,
    dead,
    delay,
    delay_from_silence,
    episodes,
    ks_critical,
    ks_distance,
    offset,
    over_all,
    stuck,
)
from scipy.stats import ks_2samp

START = 300
RAW = pd.DataFrame(
    {
        # In the order of a file: one row late, one machine whose readings begin after the fault.
        "machine": ["a", "a", "a", "a", "b", "b", "c"],
        "time": [100, 300, 200, 400, 200, 300, 300],
        "running": True,
        "volt": [1.0, 3.0, 9999.0, np.nan, 5.0, 6.0, 7.0],
        "spin": 0.5,
    }
)


def test_an_offset_begins_at_its_start_on_its_machines() -> None:
    found = offset("volt", {"a": 0.5, "c": 2.0}, START)(RAW)
    assert found["volt"].tolist() == pytest.approx([1.0, 3.5, 9999.0, np.nan, 5.0, 6.0, 9.0], nan_ok=True)


def test_a_dead_sensor_gives_nothing() -> None:
    found = dead("volt", ["b"], START)(RAW)
    assert found["volt"].tolist() == pytest.approx([1.0, 3.0, 9999.0, np.nan, 5.0, np.nan, 7.0], nan_ok=True)


def test_a_stuck_sensor_repeats_the_last_that_it_can_have_measured() -> None:
    found = stuck("volt", ["a", "c"], START, (0.0, 100.0))(RAW)
    # Machine a's last before the start is the first row: 9999 is no reading. Of c nothing is known before.
    assert found["volt"].tolist() == pytest.approx([1.0, 1.0, 9999.0, 1.0, 5.0, 6.0, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    "fault",
    [offset("volt", {"a": 1.0}, START), dead("volt", ["a"], START), stuck("volt", ["a"], START, (0, 9))],
)
def test_all_else_stays_as_it_was(fault: object) -> None:
    before = RAW.copy()
    assert callable(fault)
    found = fault(RAW)
    pd.testing.assert_frame_equal(RAW, before)
    pd.testing.assert_frame_equal(found.drop(columns="volt"), RAW.drop(columns="volt"))
    other = (RAW["machine"] != "a") | (RAW["time"] < START)
    pd.testing.assert_series_equal(found.loc[other, "volt"], RAW.loc[other, "volt"])


@pytest.mark.parametrize(
    ("alarmed", "count"), [([], 0), ([False], 0), ([True, True], 1), ([True, False, True, True, False], 2)]
)
def test_weeks_one_after_the_other_are_one_episode(alarmed: list[bool], count: int) -> None:
    assert episodes(alarmed) == count


ENDS = np.arange(1, 5) * 7 * int(DAY)
NOTHING, SEASON, FAULT = frozenset[str](), frozenset({"season"}), frozenset({"season", "fault"})


def test_a_delay_counts_from_the_start_to_the_end_of_a_week_that_ends_after_it() -> None:
    said = [frozenset({"fault"})] * 4
    assert delay(ENDS, said, [NOTHING] * 4, int(ENDS[1]) - 3600) == pytest.approx(1 / 24)
    assert delay(ENDS, said, [NOTHING] * 4, int(ENDS[1])) == 7


def test_what_is_said_without_the_fault_too_does_not_find_it() -> None:
    start = int(ENDS[0])
    assert delay(ENDS, [SEASON] * 4, [SEASON] * 4, start) == np.inf
    assert delay(ENDS, [SEASON, SEASON, FAULT, FAULT], [SEASON] * 4, start) == 14
    assert delay_from_silence(ENDS, [SEASON, SEASON, FAULT, FAULT], [SEASON] * 3 + [NOTHING], start) == 21


def test_a_plant_in_which_it_is_never_found_waits_for_ever() -> None:
    delays = np.array([5.0, 9.0, np.inf, 7.0])
    assert (over_all(delays, 0.5), over_all(delays, 0.9)) == (9.0, np.inf)


@pytest.mark.parametrize("digits", [0, 1, 8])
def test_the_tests_of_features_decide_as_scipys_do(digits: int) -> None:
    random = np.random.default_rng(digits)
    for moved in (0.0, 0.2, 0.5):
        few = np.sort(random.normal(moved, size=(20, 90)).round(digits), axis=1)
        many = np.sort(random.normal(size=(20, 700)).round(digits), axis=1)
        theirs = [ks_2samp(one, other, method="asymp") for one, other in zip(few, many, strict=True)]
        found = ks_distance(few, many)
        assert found == pytest.approx([one.statistic for one in theirs], abs=1e-12)
        for level in (0.01, 0.05 / 218):
            expected = [one.pvalue < level for one in theirs]
            assert (found > ks_critical(level, 90, 700)).tolist() == expected
