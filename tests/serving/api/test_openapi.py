"""The document says what the service does: nothing is answered that it does not say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forestall.serving.api.app import openapi_text
from tests import plant
from tests.serving.api.conftest import END
from tests.serving.api.replay import send
from tests.serving.api.server import Running, fields, opened, running

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docs" / "reference" / "openapi.json"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
)


@pytest.fixture(scope="module")
def document(api: Running) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get("/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def filled(whole_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that has something to say."""
    service = opened(whole_bundle, tmp_path_factory.mktemp("store") / "forestall.sqlite")
    service.rate.per_second = 1e6
    with running(service) as api:
        send(api, END - 20 * plant.DAY, END)
        for number in range(6):
            api.client.get(f"/v1/machines/m{number}")
        yield api


def test_the_published_document_is_that_of_the_code() -> None:
    write = "python -c 'from forestall.serving.api.app import *; print(openapi_text(), end=\"\")'"
    assert FILE.read_text(encoding="utf-8") == openapi_text(), f"write it again: {write}"


def test_every_example_keeps_to_its_schema(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    checked = 0
    for name, schema in schemas.items():
        for example in schema.get("examples", []):
            whole = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
            jsonschema.Draft202012Validator(whole).validate(example)
            checked += 1
    assert checked > 20


def test_every_body_and_answer_has_an_example(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"] and operation["description"], path
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in [content for body in bodies for content in body.get("content", {}).items()]:
                assert _has_example(content[1], document), (path, content)


def test_every_operation_can_be_tried_as_it_stands(document: dict[str, Any]) -> None:
    """Each parameter that a request must have comes with an example that keeps to its schema."""
    checked = 0
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for one in operation.get("parameters", []):
                examples = one["schema"].get("examples", [])
                assert examples or not one["required"], (path, one["name"])
                for example in examples:
                    jsonschema.Draft202012Validator(one["schema"]).validate(example)
                    checked += 1
    assert checked > 15


TIMES = (
    "time",
    "opened",
    "ended",
    "raised_at",
    "at",
    "found",
    "start",
    "end",
    "first_reading",
    "last_reading",
)


def test_every_time_says_that_it_is_one(document: dict[str, Any]) -> None:
    checked = 0
    for name, schema in document["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            if field in (*TIMES, "latest", "last_replacement"):
                assert "'format': 'date-time'" in str(about), (name, field)
                checked += 1
    for operation in document["paths"]["/v1/machines/{machine}/readings"].values():
        times = [one for one in operation["parameters"] if one["name"] in ("after", "until")]
        assert [one["schema"]["anyOf"][0]["format"] for one in times] == ["date-time"] * 2
        assert all("later" in one["description"] for one in times)
    assert checked > 20


def test_every_list_is_paged_alike(document: dict[str, Any]) -> None:
    paged = 0
    for path, operations in document["paths"].items():
        names = {one["name"] for one in operations.get("get", {}).get("parameters", [])}
        if "limit" in names:
            assert "cursor" in names, path
            answer = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            properties = document["components"]["schemas"][answer.rsplit("/", 1)[1]]["properties"]
            assert {"type": "string"} in properties["next"]["anyOf"], path
            paged += 1
    assert paged == 4


def test_shares_of_reasons_are_explained(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["Reason"]["properties"]
    assert "more than 1" in properties["share"]["description"]
    assert "no normal of this machine" in properties["healthy"]["description"]


def _has_example(content: dict[str, Any], document: dict[str, Any]) -> bool:
    schema = content["schema"]
    refs = [one.get("$ref", "") for one in (schema, *schema.get("anyOf", []))]
    named = [document["components"]["schemas"][ref.rsplit("/", 1)[1]] for ref in refs if ref]
    return "example" in content or (bool(named) and all("examples" in one for one in named))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
CELL = JSON | st.sampled_from(["m1", "2024-02-01T10:00:00Z", "pump", "e1", "errors", 170.0, None])
KEYS = st.sampled_from(
    ["machine", "time", "volt", "spin", "running", "kind", "code", "component", "start", "end"]
)
ROWS = st.lists(st.dictionaries(KEYS | st.text(max_size=5), CELL, max_size=6), max_size=4)
INFER = "/v2/models/forestall/infer"
SENT = st.sampled_from(["/v1/readings", "/v1/events", "/predict", INFER])


def says_what(response: httpx.Response) -> bool:
    """Whether a refusal names a field, in the form of its route."""
    if response.url.path == INFER:
        return bool(response.json()["error"])
    return bool(fields(response))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=SENT, rows=ROWS | JSON, wrapped=st.sampled_from(["", "readings", "events", "features", "inputs"]))
def test_any_json_is_taken_or_refused_with_a_field(api: Running, path: str, rows: Any, wrapped: str) -> None:
    content = json.dumps({wrapped: rows} if wrapped else rows).encode("utf-8", "replace")
    response = api.send(path, content)
    if response.status_code != 200:
        assert response.status_code in (400, 409, 422)
        assert says_what(response)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=SENT,
    content=st.binary(max_size=60),
    kind=st.sampled_from(["application/json", "text/csv", "application/x-ndjson"]),
)
def test_any_bytes_are_taken_or_refused(api: Running, path: str, content: bytes, kind: str) -> None:
    response = api.send(path, content, kind)
    if response.status_code != 200:
        assert response.status_code in (400, 415, 422)
        assert says_what(response)


@pytest.mark.slow
def test_schemathesis_finds_nothing(filled: Running) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{filled.url}/openapi.json", "--no-color"]
    # One worker: in Python 3.11 two threads that parse code at once may end in a SystemError, and its strategies do.
    command += ["--checks", ",".join(CHECKS), "--max-examples", "60", "--seed", "1", "--workers", "1"]
    command += ["--suppress-health-check", "all", "--generation-database", "none"]
    about = os.environ | {"SCHEMATHESIS_HOOKS": "tests.serving.api.media_types"}
    done = subprocess.run(
        command, cwd=ROOT, env=about, capture_output=True, text=True, check=False, timeout=1500
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
