"""Repairs of telemetry: each is counted, and none looks forward."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forestall.data.clean import Grid, clean_telemetry
from forestall.data.repairs import Repairs
from tests import plant
from tests.data.case import TELEMETRY, Case

NO_STOPS = pd.DataFrame({"machine": pd.Series(dtype=object), "start": [], "end": []})
NAN = float("nan")


def clean(volts: dict[int, float], carry_forward: int) -> tuple[list[float], dict[str, int]]:
    """One machine's volts by hour, cleaned; what is absent from `volts` has no row."""
    hours = np.array(list(volts))
    raw = pd.DataFrame(
        {
            "machine": pd.Series(["a"] * len(hours), dtype=object),
            "time": plant.START + hours * plant.HOUR,
            "running": True,
            "volt": list(volts.values()),
            "spin": 1.0,
        }
    )
    repairs = Repairs([])
    frame = clean_telemetry(raw, NO_STOPS, plant.dataset(), carry_forward, repairs)
    counted = repairs.frame()
    counted = counted[counted["column"] == "volt"]
    return frame["volt"].tolist(), dict(zip(counted["repair"], counted["cells"], strict=True))


def test_exact_duplicates_go_and_are_counted(case: Case) -> None:
    expected = case.run().telemetry
    case.write("telemetry", TELEMETRY + "".join(TELEMETRY.splitlines(keepends=True)[1:3]))
    found = case.run()
    pd.testing.assert_frame_equal(found.telemetry, expected)
    assert found.repairs[("telemetry", "", "exact duplicate removed")] == 2


def test_disorder_is_put_in_order_and_counted(case: Case) -> None:
    expected = case.run().telemetry
    lines = TELEMETRY.splitlines(keepends=True)
    case.write("telemetry", "".join([lines[0], lines[5], lines[2], lines[1], lines[4], lines[3]]))
    found = case.run()
    pd.testing.assert_frame_equal(found.telemetry, expected)
    assert found.repairs == {("telemetry", "", "row put in order of time"): 2}


@pytest.mark.parametrize("cell", ["-0.1", "400.1", "1e300", "inf", "-inf"])
def test_impossible_values_become_missing(case: Case, cell: str) -> None:
    case.write("telemetry", TELEMETRY.replace("171.5", cell))
    found = case.run()
    assert np.isnan(found.of("a")["volt"]).tolist() == [False, True, False]
    assert found.repairs == {("telemetry", "volt", "impossible value made missing"): 1}


def test_infinite_values_are_impossible_without_a_range(case: Case) -> None:
    case.write("telemetry", TELEMETRY.replace("451", "inf"))
    assert np.isnan(case.run().of("a")["spin"]).tolist() == [False, True, False]


def test_a_missing_row_becomes_a_missing_reading() -> None:
    assert clean({1: 5.0, 3: 7.0}, 0)[0] == pytest.approx([5.0, NAN, 7.0], nan_ok=True)


def test_a_gap_is_carried_forward_so_far_and_no_further() -> None:
    values, repairs = clean({1: 5.0, 2: NAN, 6: 9.0}, 2)
    assert values[:6] == pytest.approx([5.0, 5.0, 5.0, NAN, NAN, 9.0], nan_ok=True)
    assert repairs == {"gap carried forward": 2}


def test_a_last_value_is_kept_after_the_last_reading_as_in_a_gap() -> None:
    values, repairs = clean({1: 5.0, 2: 6.0, 3: NAN}, 2)
    assert values == pytest.approx([5.0, 6.0, 6.0, 6.0, NAN], nan_ok=True)
    assert repairs == {"gap carried forward": 1}


def test_a_gap_at_the_start_stays() -> None:
    assert clean({1: NAN, 2: 5.0}, 3)[0][:2] == pytest.approx([NAN, 5.0], nan_ok=True)


def test_nothing_is_carried_from_one_machine_to_the_next(case: Case) -> None:
    case.write("telemetry", TELEMETRY.replace("160.5", ""))
    assert np.isnan(case.run(carry_forward=3).of("b")["volt"]).tolist()[:2] == [True, False]


@given(
    values=st.lists(st.one_of(st.just(NAN), st.floats(0, 400)), min_size=2, max_size=30),
    cut=st.integers(1, 29),
    limit=st.integers(0, 4),
)
@settings(max_examples=60, deadline=None)
def test_what_comes_later_changes_nothing_before(values: list[float], cut: int, limit: int) -> None:
    whole, _ = clean(dict(enumerate(values)), limit)
    part, _ = clean(dict(enumerate(values[:cut])), limit)
    np.testing.assert_array_equal(part[:cut], whole[:cut])
    # As long as no later reading says otherwise, a gap is what it will have been.
    gap = [NAN] * limit
    np.testing.assert_array_equal(
        part, clean(dict(enumerate([*values[:cut], *gap, 1.0])), limit)[0][: len(part)]
    )


@pytest.mark.parametrize(
    ("time", "known"), [("06:00:00", 6), ("06:00:01", 7), ("06:07:00", 7), ("06:59:59", 7), ("07:00:00", 7)]
)
def test_a_reading_is_known_at_the_end_of_its_slot(case: Case, time: str, known: int) -> None:
    case.write("telemetry", TELEMETRY + f"c,2024-01-01 {time},1,2\n")
    assert case.run().of("c")["time"].tolist() == [plant.START + known * plant.HOUR]


def test_slots_are_shifted_by_the_offset_of_decisions() -> None:
    assert Grid(24, 6).ceil(np.array([5, 6, 7, 30, 31, -18, -17])).tolist() == [6, 6, 30, 30, 54, -18, 6]


def test_readings_of_one_slot_are_averaged(case: Case) -> None:
    case.write("telemetry", TELEMETRY + "a,2024-01-01 01:20:00,173.5,\na,2024-01-01 01:40:00,-5,453\n")
    found = case.run()
    assert found.of("a")["volt"].tolist() == [170.5, 172.5, 172.5]
    assert found.of("a")["spin"].tolist() == [450.0, 452.0, 452.0]
    assert found.repairs[("telemetry", "", "reading averaged with others of its interval")] == 2


def test_a_machine_runs_in_a_slot_if_it_ran_in_any_part_of_it(case: Case) -> None:
    case.tables["telemetry"]["running"] = {"column": "state", "values": ["on"]}
    rows = ["a,2024-01-01 01:20:00,1,2,on", "a,2024-01-01 01:40:00,2,3,off", "a,2024-01-01 02:40:00,2,3,off"]
    case.write("telemetry", "machine,time,volt,spin,state\n" + "\n".join(rows) + "\n")
    assert case.run().of("a")["running"].tolist() == [True, False]
