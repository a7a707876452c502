"""The Open Inference Protocol, as its clients expect it: versions in the path, errors of its own form, open probes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from forestall.serving.api.limits import ConcurrencyLimit
from forestall.serving.api.service import Serving
from tests.serving.api.server import Running, key_for, opened, running

MODEL = "/v2/models/forestall"


def error(response: httpx.Response) -> str:
    """What the protocol's error object says; it has nothing else."""
    assert response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["error"]
    assert response.headers["x-request-id"]
    return str(response.json()["error"])


@pytest.fixture
def serving(api: Running) -> Serving:
    assert api.service.champion.serving is not None
    return api.service.champion.serving


def asked(serving: Serving, **more: Any) -> dict[str, Any]:
    fills = list(serving.bundle.reference.fills)
    tensor = {"name": "features", "datatype": "FP32", "shape": [1, len(fills)], "data": fills}
    return {"id": "7", "inputs": [tensor], **more}


@pytest.mark.parametrize("versioned", [False, True])
def test_a_model_is_asked_with_and_without_its_version(
    api: Running, serving: Serving, versioned: bool
) -> None:
    about = api.client.get(MODEL).json()
    assert about["versions"] == [serving.version]
    path = f"{MODEL}/versions/{about['versions'][0]}" if versioned else MODEL
    assert api.client.get(path).json() == about
    assert api.client.get(f"{path}/ready").json() == {"name": "forestall", "ready": True}
    answer = api.send(f"{path}/infer", asked(serving, outputs=[{"name": "risk"}])).json()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == (
        "forestall",
        serving.version,
        "7",
    )
    (output,) = answer["outputs"]
    expected = serving.bundle.curves(np.array([serving.bundle.reference.fills], dtype=np.float32))
    assert output["shape"] == list(expected.shape) == [1, *about["outputs"][0]["shape"][1:]]
    assert (np.array(output["data"], dtype=np.float32) == expected.reshape(-1)).all()


@pytest.mark.parametrize("rest", ["", "/ready", "/infer"])
def test_another_version_or_model_is_not_there(api: Running, serving: Serving, rest: str) -> None:
    method = "POST" if rest == "/infer" else "GET"
    for path in (f"{MODEL}/versions/1{rest}", f"/v2/models/other{rest}"):
        response = api.client.request(method, path, json=asked(serving) if method == "POST" else None)
        assert response.status_code == 404
        assert "'1'" in error(response) or "'other'" in error(response)
    assert serving.version in error(api.client.get(f"{MODEL}/versions/1"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"outputs": [{"name": "risk"}, {"name": "age"}]}, "outputs[1].name: must be `risk`"),
        ({"outputs": ["risk"]}, "outputs[0].name"),
        ({"outputs": {"name": "risk"}}, "outputs: must be a list"),
        ({"outputs": None}, "outputs: must be a list"),
        ({"inputs": []}, "inputs: must be"),
        ({"id": 7}, "id: must be text"),
    ],
)
def test_what_cannot_be_asked_is_400(
    api: Running, serving: Serving, change: dict[str, Any], says: str
) -> None:
    response = api.send(f"{MODEL}/infer", asked(serving) | change)
    assert response.status_code == 400
    assert error(response).startswith(says)


def test_every_failure_has_the_protocols_form(api: Running, serving: Serving) -> None:
    infer = f"{MODEL}/infer"
    assert "no JSON" in error(api.send(infer, "{"))
    statuses = [
        api.send(infer, "{").status_code,
        api.send(infer, "{}", "text/plain").status_code,
        api.client.get(infer).status_code,
        api.client.get("/v2/nothing").status_code,
        api.client.get(f"/v2/models/{'x' * 201}").status_code,
        api.client.get(MODEL, headers={"Host": "forestall.example"}).status_code,
    ]
    assert statuses == [400, 415, 405, 404, 400, 403]
    for response in (
        api.send(infer, "{}", "text/plain"),
        api.client.get(infer),
        api.client.get("/v2/nothing"),
        api.client.get(f"/v2/models/{'x' * 201}"),
        api.client.get(MODEL, headers={"Host": "forestall.example"}),
    ):
        error(response)
    assert "error" not in api.client.get("/v2health").json()


def test_probes_need_no_key_and_no_place(whole_bundle: Path, tmp_path: Path) -> None:
    service = opened(whole_bundle, tmp_path / "forestall.sqlite")
    key_for(service, "read")
    service.concurrency = ConcurrencyLimit(0)
    with running(service) as api:
        live, ready = api.client.get("/v2/health/live"), api.client.get("/v2/health/ready")
        assert (live.json(), ready.json()) == ({"live": True}, {"ready": True})
        full = api.client.get(MODEL)
        assert (full.status_code, full.headers["retry-after"]) == (503, "1")
        error(full)
        service.concurrency.most = 9
        refused = api.client.get(MODEL)
        assert (refused.status_code, refused.headers["www-authenticate"][:6]) == (401, "Bearer")
        error(refused)


def test_without_a_model_the_server_lives_and_is_not_ready(tmp_path: Path) -> None:
    with running(opened(tmp_path / "nothing", tmp_path / "forestall.sqlite")) as api:
        assert api.client.get("/v2/health/live").json() == {"live": True}
        for path in ("/v2/health/ready", f"{MODEL}/ready"):
            response = api.client.get(path)
            assert response.status_code == 503
            assert error(response).startswith("There is no model")
