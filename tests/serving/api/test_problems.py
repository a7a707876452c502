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
