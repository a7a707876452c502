"""What is wrong with a request is said with the exact status and field."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.serving.api.server import Running, fields

TIME = "2024-02-01T10:00:00Z"
BEGUN = f'{{"readings": [{{"machine": "m1", "time": "{TIME}", '
GOOD: dict[str, Any] = {"machine": "m1", "time": TIME, "volt": 170.0}


def reading(**changes: Any) -> dict[str, Any]:
    return {"readings": [{**GOOD, "time": "2024-02-01T09:00:00Z"}, {**GOOD, **changes}]}


@pytest.mark.parametrize(
    ("sent", "status", "field"),
    [
        (BEGUN + '"volt": NaN}]}', 400, "body"),
        (BEGUN + '"volt": Infinity}]}', 400, "body"),
        (BEGUN + '"volt": 1e999}]}', 400, "body"),
        (BEGUN + '"volt": 1, "volt": 2}]}', 400, "body"),
        (BEGUN + '"volt" :1, "vo\\u006ct": 2}]}', 400, "body"),
        ('{"readings": ' + "[" * 21 + "]" * 21 + "}", 400, "body"),
        ("[" * 100_000, 400, "body"),
        ("[" * 100_000 + "]" * 100_000, 400, "body"),
        (b'{"readings": [{"machine": "\xff"}]}', 400, "body"),
        (b"\xff\xfe" + '{"readings": []}'.encode("utf-16-le"), 400, "body"),
        (b"\xef\xbb\xbf[]", 400, "body"),
        (b'["\\ud800"]', 400, "body"),
        (b"", 400, "body"),
        (b"[1] [2]", 400, "body"),
        (b"[" + b"9" * 5000 + b"]", 400, "body"),
        (b"[" + b"9" * 300 + b"]", 422, "readings[0]"),
        (b"1", 422, "readings"),
        (b"null", 422, "readings"),
        (b'{"reading": []}', 422, "reading"),
        (b"[[]]", 422, "readings[0]"),
        (reading(volt=1e300), 422, "readings[1].volt"),
        (reading(volt=401), 422, "readings[1].volt"),
        (reading(volt=-1e-300), 422, "readings[1].volt"),
        (reading(volt="170"), 422, "readings[1].volt"),
        (reading(volt=True), 422, "readings[1].volt"),
        (reading(volt=[1]), 422, "readings[1].volt"),
        (reading(machine="m99"), 422, "readings[1].machine"),
        (reading(machine=7), 422, "readings[1].machine"),
        (reading(machine=""), 422, "readings[1].machine"),
        (reading(machine="m1\0"), 422, "readings[1].machine"),
        (reading(machine="m" * 201), 422, "readings[1].machine"),
        (reading(humidity=1), 422, "readings[1].humidity"),
        (reading(running="yes"), 422, "readings[1].running"),
        (reading(time="2124-02-01T10:00:00Z"), 422, "readings[1].time"),
        (reading(time="2024-02-01T10:00:00+02:00"), 422, "readings[1].time"),
        (reading(time="2024-02-30T10:00:00Z"), 422, "readings[1].time"),
        (reading(time="2024-02-01"), 422, "readings[1].time"),
        (reading(time="1969-12-31T23:00:00Z"), 422, "readings[1].time"),
        (reading(time=1706781600), 422, "readings[1].time"),
        (reading(time=None), 422, "readings[1].time"),
        ([{"machine": "m1", "volt": 1}], 422, "readings[0].time"),
        (reading(time="2024-02-01T09:00:00Z", volt=171.0), 409, "readings[1].time"),
    ],
)
def test_a_reading_that_cannot_be(api: Running, sent: Any, status: int, field: str) -> None:
    response = api.send("/v1/readings", sent)
    assert (response.status_code, fields(response)[:1]) == (status, [field]), response.text


def test_nothing_of_a_refused_batch_is_stored(api: Running) -> None:
    first = {**GOOD, "time": "2024-02-02T10:00:00Z"}
    assert api.send("/v1/readings", [first, reading(volt=1e300)["readings"][1]]).status_code == 422
    assert api.send("/v1/readings", [first]).json() == {"received": 1, "new": 1, "known": 0}


def test_rows_may_come_late_and_twice(api: Running) -> None:
    later = [{**GOOD, "time": f"2024-02-03T{hour:02}:00:00Z"} for hour in (9, 7, 8, 7)]
    assert api.send("/v1/readings", later).json() == {"received": 4, "new": 3, "known": 1}
    assert api.send("/v1/readings", later[:2]).json() == {"received": 2, "new": 0, "known": 2}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ("machine,time,volt\nm1,2024-02-04T10:00:00Z,170.5\n\n", 200, ""),
        ("\ufeffmachine,time,volt,spin\r\nm1,2024-02-04T10:00:00Z,170.5,\r\n", 200, ""),
        ("machine,time,volt,running\nm1,2024-02-04T11:00:00Z,,false\n", 200, ""),
        ("machine,time,volt\nm1,2024-02-04T10:00:00Z,nan\n", 422, "readings[0].volt"),
        ("machine,time,volt\nm1,2024-02-04T10:00:00Z,inf\n", 422, "readings[0].volt"),
        ("machine,time,volt\nm1,2024-02-04T10:00:00Z,1_0\n", 422, "readings[0].volt"),
        ("machine,time,volt\nm1,2024-02-04T10:00:00Z,1e999\n", 422, "readings[0].volt"),
        ("machine,time,volt\nm1,2024-02-04T10:00:00Z,170;5\n", 422, "readings[0].volt"),
        ("machine,time,volt\nm1,2024-02-04T10:00:00Z,1,2\n", 422, "readings[0]"),
        ("machine,time,volt,volt\nm1,2024-02-04T10:00:00Z,1,2\n", 400, "volt"),
        ("machine;time;volt\nm1;2024-02-04T10:00:00Z;1,5\n", 400, "body"),
        ('machine,time,volt\nm1,2024-02-04T10:00:00Z,"1,5"\n', 422, "readings[0].volt"),
        ('machine,time,volt\n"m1,2024-02-04T10:00:00Z,1\n', 400, "body"),
        (b"machine,time,volt\nm\xfc,2024-02-04T10:00:00Z,1\n", 400, "body"),
        (b"machine,time,volt\nm\0,2024-02-04T10:00:00Z,1\n", 400, "body"),
    ],
)
def test_readings_as_csv(api: Running, body: Any, status: int, field: str) -> None:
    response = api.send("/v1/readings", body, "text/csv")
    assert response.status_code == status, response.text
    assert field == "" or fields(response)[0] == field


def test_readings_as_ndjson(api: Running) -> None:
    lines = [f'{{"machine":"m2","time":"2024-02-04T{hour:02}:00:00Z","volt":1}}' for hour in range(3)]
    response = api.send("/v1/readings", "\n".join(lines) + "\n\n", "application/x-ndjson")
    assert response.json() == {"received": 3, "new": 3, "known": 0}
    bad = api.send("/v1/readings", lines[0] + "\n" + lines[1] + "],[\n", "application/x-ndjson")
    assert (bad.status_code, fields(bad)) == (400, ["readings[1]"])


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("", "identity"),
        ("text/plain", "identity"),
        ("application/json; charset=latin-1", "identity"),
        ("application/json", "gzip"),
    ],
)
def test_other_types_and_encodings(api: Running, kind: str, encoding: str) -> None:
    response = api.send("/v1/readings", "[]", kind, **{"Content-Encoding": encoding})
    assert response.status_code == 415
    assert fields(response)[0].startswith("Content-")


def test_ten_megabytes_are_too_large_declared_or_streamed(api: Running) -> None:
    large = b"[" + b" " * 10_000_000 + b"]"
    for content in (large, iter([large[:1_000_000]] * 12)):
        response = api.client.post(
            "/v1/readings", content=content, headers={"Content-Type": "application/json"}
        )
        assert (response.status_code, fields(response)) == (413, ["body"])
    assert api.client.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"kind": "errors", "machine": "m1", "time": TIME, "code": "e1"}, ""),
        ({"kind": "maintenance", "machine": "m1", "time": TIME, "component": "pump"}, ""),
        ({"kind": "failures", "machine": "m1", "time": TIME, "component": "seal"}, ""),
        ({"kind": "downtime", "machine": "m1", "start": TIME}, ""),
        ({"kind": "downtime", "machine": "m1", "start": TIME, "end": "2024-02-01T12:00:00Z"}, ""),
        (
            {"kind": "downtime", "machine": "m1", "start": TIME, "end": "2024-01-01T12:00:00Z"},
            "events[0].end",
        ),
        ({"kind": "downtime", "machine": "m1", "start": TIME, "code": "e1"}, "events[0].code"),
        ({"kind": "failures", "machine": "m1", "time": TIME, "component": "gear"}, "events[0].component"),
        ({"kind": "failures", "machine": "m1", "time": TIME}, "events[0].component"),
        ({"kind": "errors", "machine": "m1", "time": TIME, "code": 5}, "events[0].code"),
        ({"kind": "errors", "machine": "m1", "time": TIME, "code": [["e1"]]}, "events[0].code"),
        ({"kind": "errors", "machine": "m9", "time": TIME, "code": "e1"}, "events[0].machine"),
        ({"kind": "failures", "machine": "m5", "time": TIME, "component": "seal"}, "events[0].component"),
        ({"kind": "mistakes", "machine": "m1", "time": TIME, "code": "e1"}, "events[0].kind"),
        ({"kind": "errors", "machine": "m1", "time": "2124-01-01T00:00:00Z", "code": "e1"}, "events[0].time"),
        ({"machine": "m1", "time": TIME, "code": "e1"}, "events[0].kind"),
    ],
)
def test_events(api: Running, event: dict[str, Any], field: str) -> None:
    response = api.send("/v1/events", {"events": [event]})
    assert response.status_code == (422 if field else 200), response.text
    assert not field or fields(response)[0] == field


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_delimiter_is_named(api: Running, sign: str, name: str) -> None:
    lines = [("machine", "time", "volt"), ("m1", "2024-02-04T10:00:00Z", "170,5")]
    response = api.send("/v1/readings", "\n".join(map(sign.join, lines)), "text/csv")
    assert (response.status_code, fields(response)) == (400, ["body"])
    assert name in response.json()["detail"] and "decimal point" in response.json()["detail"]


def test_a_decimal_comma_is_named(api: Running) -> None:
    start = "machine,time,volt\nm1,2024-02-04T10:00:00Z,"
    quoted, bare = (api.send("/v1/readings", start + cell, "text/csv") for cell in ('"170,5"', "170,5"))
    assert "decimal point" in quoted.json()["detail"]
    assert "decimal comma" in bare.json()["detail"]


@pytest.mark.parametrize(
    ("event", "missing"),
    [
        ({"kind": "errors", "machine": "m1", "time": TIME}, "code"),
        ({"kind": "errors", "machine": "m1", "code": "e1"}, "time"),
        ({"kind": "failures", "machine": "m1", "time": TIME, "component": None}, "component"),
        ({"kind": "downtime", "machine": "m1"}, "start"),
        ({"kind": "errors", "time": TIME, "code": "e1"}, "machine"),
        ({"machine": "m1", "time": TIME, "code": "e1"}, "kind"),
    ],
)
def test_what_is_missing_is_said_once_and_of_its_row(
    api: Running, event: dict[str, Any], missing: str
) -> None:
    good = {"kind": "maintenance", "machine": "m1", "time": TIME, "component": "pump"}
    whole = missing in ("kind", "machine")  # those are looked at in all rows at once
    response = api.send("/v1/events", [event] if whole else [good, event])
    assert fields(response) == [f"events[{0 if whole else 1}].{missing}"]
    assert "missing" in response.json()["errors"][0]["problem"]


@pytest.mark.parametrize(
    ("path", "row", "allowed"),
    [
        ("/v1/events", {"kind": "mistakes", "machine": "m1"}, "errors, maintenance, failures, downtime"),
        (
            "/v1/events",
            {"kind": "failures", "machine": "m1", "time": TIME, "component": "gear"},
            "pump, seal",
        ),
        ("/v1/readings", {**GOOD, "humidity": 1}, "machine, time, running, volt, spin"),
    ],
)
def test_what_is_not_known_is_answered_with_what_is(
    api: Running, path: str, row: dict[str, Any], allowed: str
) -> None:
    response = api.send(path, [row])
    assert response.status_code == 422
    assert response.json()["errors"][0]["problem"].endswith(allowed)


def test_an_error_names_the_row_of_the_whole_batch(api: Running) -> None:
    good = {"kind": "errors", "machine": "m1", "time": TIME, "code": "e1"}
    bad = {"kind": "failures", "machine": "m1", "time": TIME, "component": "gear"}
    assert fields(api.send("/v1/events", [good, good, bad])) == ["events[2].component"]


@pytest.mark.parametrize(
    ("path", "body", "kind", "problem"),
    [
        ("/v1/readings", [{f"k{n}": 1} for n in range(8_000)], "application/json", "different names"),
        ("/v1/readings", [{f"k{n}": 1 for n in range(20_000)}], "application/json", "different names"),
        ("/v1/readings", ",".join(f"c{n}" for n in [*range(50_000), 7]), "text/csv", "stands twice"),
        ("/v1/readings", ",".join(f"c{n}" for n in range(50_000)), "text/csv", "different names"),
        ("/v1/events", [{"kind": f"k{n}", "machine": "m1"} for n in range(40_000)], "application/json", "none of"),
        ("/v1/readings", [{"machine": f"\a{n}", "time": TIME} for n in range(40_000)], "application/json", "no name"),
    ],
    ids=["columns", "names", "header", "long header", "kinds", "machines"],
)  # fmt: skip
def test_no_small_body_takes_long_or_much_memory(
    api: Running, path: str, body: Any, kind: str, problem: str
) -> None:
    begun = time.monotonic()
    response = api.send(path, body, kind)
    assert time.monotonic() - begun < 8
    assert response.status_code in (400, 422)
    assert problem in response.json()["errors"][0]["problem"]
