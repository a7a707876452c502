"""One machine's history, asked alone, is answered as the batch answers it; what cannot be used is named."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from forestall.serving.bundle import load_bundle
from forestall.serving.opinions import Opinion, history_of, opinions_of
from forestall.serving.stateless import FieldError, Stateless
from tests import plant
from tests.serving.conftest import Made, bundle_with_baselines
from tests.serving.feeding import stamp
from tests.serving.predict_body import END, EVENTS, TELEMETRY, body


@pytest.fixture(scope="module")
def stateless(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Stateless:
    """A bundle with the baselines of all machines but m4."""
    folder = tmp_path_factory.mktemp("bundle")
    bundle_with_baselines(folder, made, TELEMETRY, EVENTS, without=("m4",))
    return Stateless.of(folder, load_bundle(folder))


def ask(stateless: Stateless, request: dict[str, Any]) -> list[Opinion]:
    return stateless.opinions(stateless.asked.model_validate_json(json.dumps(request)))


def batch(stateless: Stateless) -> list[Opinion]:
    history = history_of(TELEMETRY, EVENTS, stateless.bundle, END)
    return opinions_of(history, stateless.known.of(history.machines), stateless.bundle)


def test_a_machine_alone_is_answered_to_the_bit_as_in_the_batch(stateless: Stateless) -> None:
    together = batch(stateless)
    alone = [one for number in range(6) for one in ask(stateless, body(f"m{number}"))]
    assert alone == together
    assert sum(bool(one.curve) for one in alone) > 6


def test_the_order_of_rows_and_copies_of_them_change_nothing(stateless: Stateless) -> None:
    request = body("m1")
    messy = {key: rows[::-1] + rows[:3] if isinstance(rows, list) else rows for key, rows in request.items()}
    assert ask(stateless, messy) == ask(stateless, request)


def test_readings_between_the_slots_are_cleaned_as_in_the_batch(stateless: Stateless) -> None:
    moved = TELEMETRY.assign(time=TELEMETRY["time"] - 600)
    history = history_of(moved[moved["machine"] == "m1"], EVENTS, stateless.bundle, END)
    together = opinions_of(history, stateless.known.of(["m1"]), stateless.bundle)
    request = body("m1")
    for row in request["readings"]:
        row["time"] = str(np.datetime64(row["time"][:-1]) - np.timedelta64(600, "s")) + "Z"
    assert ask(stateless, request | {"at": stamp(END)}) == together


def test_it_can_be_asked_of_an_earlier_time(stateless: Stateless) -> None:
    at = END - plant.DAY
    asked = ask(stateless, body("m2") | {"at": stamp(at)})
    assert asked == ask(stateless, body("m2", until=at) | {"at": stamp(at)})
    assert asked[0].time == at
    with pytest.raises(FieldError, match="at: before the first reading"):
        ask(stateless, body("m2") | {"at": "2020-01-01T00:00:00Z"})
    with pytest.raises(FieldError, match="at: the last reading is older"):
        ask(stateless, body("m2") | {"at": "2290-01-01T00:00:00Z"})


@pytest.mark.parametrize("hours", [1, 2, 5, 23])
def test_too_short_a_history_is_no_opinion(hours: int, stateless: Stateless) -> None:
    opinions = ask(stateless, body("m0", END - hours * plant.HOUR))
    assert [one.no_risk for one in opinions] == ["too short a history"] * 2
    assert not any(one.curve for one in opinions)


def test_a_part_that_a_machine_lacks_is_not_applicable(stateless: Stateless) -> None:
    for hours in (1, 60):
        opinions = ask(stateless, body("m5", END - hours * plant.HOUR))
        assert opinions[1].component == "seal"
        assert opinions[1].status == "not applicable"


def test_old_readings_do_not_matter_but_for_how_long_the_history_is(stateless: Stateless) -> None:
    request = body("m3")
    ancient = request["readings"][0] | {"time": "1971-01-01T00:00:00Z"}
    assert ask(stateless, request | {"readings": [ancient, *request["readings"]]}) == ask(stateless, request)
    short = body("m3", END - 5 * plant.HOUR)
    assert ask(stateless, short | {"readings": [ancient, *short["readings"]]})[0].no_risk == ""


def test_one_reading_after_a_long_silence_is_no_opinion(stateless: Stateless) -> None:
    machine, after = "m3", END + 600  # past the last decision, which therefore knows nothing of it
    request = body(machine, END - 23 * plant.DAY, END - 20 * plant.DAY)
    request["readings"].append({"time": stamp(after), "volt": 170.0})
    frame = TELEMETRY[TELEMETRY["machine"] == machine]
    frame = frame[frame["time"].between(END - 23 * plant.DAY, END - 20 * plant.DAY, "right")]
    whole = pd.concat([frame, frame.tail(1).assign(time=after, volt=170.0, spin=np.nan)], ignore_index=True)
    history = history_of(whole, EVENTS, stateless.bundle, after)
    expected = opinions_of(history, stateless.known.of(history.machines), stateless.bundle)
    found = ask(stateless, request)
    assert [(one.time, one.status, one.no_risk) for one in found] == [
        (END, "no opinion", "stale sensors")
    ] * 2
    assert found == [one for one in expected if one.machine == machine]


def test_a_machine_may_be_nameless_and_nothing_be_known_of_it(stateless: Stateless) -> None:
    (pump, seal) = ask(stateless, {"readings": body("m1")["readings"]})
    assert pump.machine == ""
    assert pump.curve
    assert seal.curve


WRONG = [
    ({"volt": 401.0}, "readings.3.volt", "less than or equal to 400"),
    ({"volt": "170"}, "readings.3.volt", "valid number"),
    ({"volt": 10**400}, "readings.3.volt", ""),
    ({"amps": 1.0}, "readings.3.amps", "not permitted"),
    ({"time": "2024-02-29T01:00:00+02:00"}, "readings.3.time", "not a timestamp in UTC"),
    ({"time": "2023-02-29T01:00:00Z"}, "readings.3.time", "no such time"),
    ({"time": 5}, "readings.3.time", "not a timestamp"),
    ({"running": 1}, "readings.3.running", "valid boolean"),
]


@pytest.mark.parametrize(("change", "field", "problem"), WRONG)
def test_what_is_wrong_with_a_reading_is_named(
    change: dict[str, Any], field: str, problem: str, stateless: Stateless
) -> None:
    request = body("m0")
    request["readings"][3] |= change
    with pytest.raises(ValidationError) as raised:
        stateless.asked.model_validate(request)
    (error,) = raised.value.errors()
    assert ".".join(map(str, error["loc"])) == field
    assert problem in error["msg"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"attributes": {"colour": "red"}}, "attributes.colour"),
        (
            {"maintenance": [{"time": "2024-01-01T00:00:00Z", "component": "wheel"}]},
            "maintenance.0.component",
        ),
        ({"readings": []}, "readings"),
        ({"colour": "red"}, "colour"),
        ({"errors": [{"time": "2024-01-01T00:00:00Z"}]}, "errors.0.code"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(
    change: dict[str, Any], field: str, stateless: Stateless
) -> None:
    with pytest.raises(ValidationError) as raised:
        stateless.asked.model_validate(body("m0") | change)
    assert [".".join(map(str, error["loc"])) for error in raised.value.errors()] == [field]


def test_two_different_readings_of_one_time_are_refused(stateless: Stateless) -> None:
    request = body("m0")
    request["readings"][5] = request["readings"][4] | {"volt": 1.0}
    with pytest.raises(FieldError, match=r"readings\[5\]\.time: another reading"):
        ask(stateless, request)


def test_a_stop_ends_after_it_began(stateless: Stateless) -> None:
    stop = {"start": stamp(END), "end": stamp(END - plant.HOUR)}
    with pytest.raises(FieldError, match=r"downtime\[0\]\.end"):
        ask(stateless, body("m0") | {"downtime": [stop]})
    (pump, _) = ask(stateless, body("m0") | {"downtime": [{"start": stamp(END - 2 * plant.HOUR)}]})
    assert (pump.status, pump.no_risk) == ("no opinion", "machine off")
