"""POST /predict: what it answers is the bundle's answer, and what cannot be asked is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from forestall.serving.bundle import Bundle
from forestall.serving.history_request import MOST_ROWS
from tests.serving.api.server import Running, fields
from tests.serving.predict_body import body


@pytest.fixture(scope="module")
def bundle(api: Running) -> Bundle:
    assert api.service.champion.serving is not None
    return api.service.champion.serving.bundle


def test_vectors_are_answered_to_the_last_bit(api: Running, bundle: Bundle) -> None:
    rows = np.random.default_rng(0).normal(100, 90, (40, len(bundle.reference.features))).astype(np.float32)
    answer = api.send("/predict", {"features": rows.tolist()}).json()
    risk = np.array(answer["risk"], dtype=np.float32)
    assert (risk == bundle.risk(rows)).all()
    assert answer["components"] == bundle.components == ["pump", "seal"]
    assert answer["prediction"] == (risk >= np.float32(0.1)).any(axis=1).astype(int).tolist()
    alone = api.send("/predict", {"features": rows[0].tolist()}).json()
    assert (alone["prediction"], alone["risk"]) == (answer["prediction"][:1], answer["risk"][:1])


def vector(bundle: Bundle, **changes: Any) -> list[Any]:
    row: list[Any] = list(bundle.reference.fills)
    for place, value in changes.items():
        row[int(place[1:])] = value
    return row


def test_features_that_cannot_be(api: Running, bundle: Bundle) -> None:
    good = vector(bundle)
    for features, field in [
        (good[:-1], "features"),
        ([], "features"),
        ([[]], "features[0]"),
        ("1", "features"),
        (None, "features"),
        ([good, good[1:]], "features[1]"),
        ([good, 1], "features[1]"),
        ([1, good], "features"),
        (vector(bundle, _3="1"), "features[3]"),
        (vector(bundle, _3=None), "features[3]"),
        (vector(bundle, _3=True), "features[3]"),
        (vector(bundle, _3=1e39), "features[3]"),
        ([good, vector(bundle, _3=-1e39)], "features[1][3]"),
    ]:
        response = api.send("/predict", {"features": features})
        assert (response.status_code, fields(response)) == (422, [field]), features
    for token in ("NaN", "-Infinity", "1e999"):
        assert api.send("/predict", f'{{"features": [{token}]}}').status_code == 400
    assert fields(api.send("/predict", {"features": good, "machine": "m1"})) == ["machine"]
    assert fields(api.send("/predict", [good])) == ["body"]
    assert api.send("/predict", {"features": vector(bundle, _0=5e-324)}).status_code == 200


def test_a_history_is_answered_with_reasons_and_an_act(api: Running) -> None:
    answer = api.send("/predict", body("m1")).json()
    assert answer["machine"] == "m1"
    for one in answer["components"]:
        assert one["status"] in ("alarm", "normal")
        assert list(one["risk"]) == ["12h", "24h"]
        assert one["recommended_action"] and one["time"].endswith("Z")
    short = api.send("/predict", {"machine": "m1", "readings": body("m1")["readings"][-5:]}).json()
    assert {one["status_reason"] for one in short["components"]} == {"too short a history"}
    assert all(
        one["risk"] is None and one["recommended_action"].startswith("Wait") for one in short["components"]
    )


@pytest.mark.parametrize("table", ["readings", "errors", "maintenance", "failures", "downtime"])
def test_a_history_has_a_most_of_rows(api: Running, table: str) -> None:
    rows = {
        "readings": {"time": "2024-02-01T10:00:00Z"},
        "errors": {"time": "2024-02-01T10:00:00Z", "code": "e1"},
        "downtime": {"start": "2024-02-01T10:00:00Z"},
    }
    row = rows.get(table, {"time": "2024-02-01T10:00:00Z", "component": "pump"})
    history = body("m1")
    for count, status in ((MOST_ROWS, 200), (MOST_ROWS + 1, 422)):
        said = api.send("/predict", history | {table: [row] * count})
        assert said.status_code == status
    assert fields(said) == [table] and "at most 50000 items" in said.text


def test_a_history_that_cannot_be(api: Running) -> None:
    history = body("m1")
    history["readings"][3]["volt"] = 1e9
    assert fields(api.send("/predict", history)) == ["readings[3].volt"]
    assert fields(api.send("/predict", {"machine": "m1"})) == ["readings"]
    unknown = body("m1") | {"attributes": {"colour": "red"}}
    unknown["readings"][3]["humidity"] = 1
    errors = {one["field"]: one["problem"] for one in api.send("/predict", unknown).json()["errors"]}
    assert errors["readings[3].humidity"] == "is not known here; known are time, running, volt, spin"
    assert errors["attributes.colour"] == "is not known here; known are model, age"
    assert fields(api.send("/predict", {**body("m1"), "mood": 1})) == ["mood"]
