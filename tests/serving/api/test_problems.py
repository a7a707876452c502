"""Errors read right, and alike under every Python."""

from __future__ import annotations

import json

import pytest

from forestall.serving.api.problem_json import answer
from forestall.serving.api.problems import Problem, named, sentence, unfit
from tests.serving.api.server import Running

SCOPE = {"path": "/v1/readings", "request_id": "7"}


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (413, "Content Too Large"),
        (422, "Unprocessable Content"),
        (404, "Not Found"),
        (429, "Too Many Requests"),
    ],
)
def test_titles_are_those_of_the_rfc(status: int, title: str) -> None:
    assert json.loads(bytes(answer(Problem(status, "No."), SCOPE).body))["title"] == title


def test_a_sentence_ends_once() -> None:
    assert [sentence(text) for text in ("so", "so.", "so?", "so!")] == ["so.", "so.", "so?", "so!"]
    assert unfit([("volt", "is its unit right?")]).detail == "volt: is its unit right?"
    assert (
        unfit([("volt", "must be a number"), ("time", "is missing")]).detail
        == "volt: must be a number (1 more)."
    )


def test_names_are_listed_up_to_a_bound() -> None:
    assert named(["a", "b"]) == "a, b"
    many = named([f"s{n}" for n in range(1000)])
    assert many.startswith("s0, s1, ") and many.endswith(" and 970 more") and len(many) < 300


def test_details_end_in_one_full_stop(api: Running) -> None:
    far = {"machine": "m1", "time": "2024-02-01T10:00:00Z", "volt": 1e9}
    for response in (
        api.send("/v1/readings", [far]),
        api.send("/v1/readings", "{"),
        api.client.get("/v1/machines?limit=0"),
        api.client.patch("/v1/alarms/1", json={"note": 7}, headers={"If-Match": '"1"'}),
    ):
        detail = response.json()["detail"]
        assert detail[-1] in ".?" and detail[-2] not in ".?!", detail


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/machines?limit=0", "limit: must be at least 1."),
        ("/v1/machines?limit=x", "limit: must be a whole number."),
        (
            "/v1/machines?sort=risk",
            "sort: is not known here; known are limit, cursor, search, status, component, min_risk, order.",
        ),
        (
            "/v1/alarms?state=opn",
            "state: must be 'open', 'acknowledged', 'in work' or 'closed'.",
        ),
        ("/nothing", "There is nothing at /nothing; /openapi.json lists what there is."),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(api: Running, path: str, detail: str) -> None:
    assert api.client.get(path).json()["detail"] == detail


@pytest.mark.parametrize(
    ("path", "kind", "sent", "detail"),
    [
        ("/predict", "application/json", "{}", "readings: is missing."),
        ("/predict", "application/json", '{"readings": []}', "readings: must hold at least 1."),
        (
            "/v1/events",
            "application/json",
            '[{"machine": "m1"}]',
            "events[0].kind: is missing; it is one of errors, maintenance, failures, downtime.",
        ),
        (
            "/v1/readings",
            "application/json",
            '[{"machine": 1, "time": "2024-02-01T10:00:00Z"}]',
            "readings[0].machine: must be the name of a machine, as text.",
        ),
        ("/v1/readings", "text/csv", "machine,time,voltm1,2024-02-01 10:00:00,1,1", "--data-binary"),
        ("/v1/readings", "application/x-ndjson", "{", "readings[0] cannot be used: no JSON"),
    ],
)
def test_what_cannot_be_sent_is_said_in_words(
    api: Running, path: str, kind: str, sent: str, detail: str
) -> None:
    assert detail in api.send(path, sent, kind).json()["detail"]
