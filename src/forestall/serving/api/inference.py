"""The Open Inference Protocol (V2): a thin adapter over the same vectors and the same model."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from forestall.features.columns import span_name
from forestall.serving.api import schemas
from forestall.serving.api.access import Reader
from forestall.serving.api.body import read_body
from forestall.serving.api.json_response import as_json
from forestall.serving.api.openapi import ASKING, SENDING, answers, body
from forestall.serving.api.problems import Problem, unfit
from forestall.serving.api.service import Serving, service_of
from forestall.serving.api.strict_json import loads
from forestall.serving.api.vectors import vectors

ROUTER = APIRouter(prefix="/v2", tags=["open inference protocol"])
Model = Annotated[str, Path(max_length=200, description="forestall")]
NAME, DATATYPES = "forestall", ("FP32", "FP64")


@ROUTER.get("", responses=answers(schemas.ServerMetadata, *ASKING))
async def server_metadata(_: Reader) -> Response:
    """What this server is."""
    return as_json({"name": NAME, "version": version("forestall"), "extensions": []})


@ROUTER.get("/health/live", responses=answers(schemas.ServerLive, *ASKING))
async def server_live(_: Reader) -> Response:
    """The server answers."""
    return as_json({"live": True})


@ROUTER.get("/health/ready", responses=answers(schemas.ServerReady, *ASKING))
async def server_ready(request: Request, _: Reader) -> Response:
    """Whether there is a model."""
    return as_json({"ready": service_of(request).champion.serving is not None})


@ROUTER.get("/models/{model}", responses=answers(schemas.ModelMetadata, *ASKING, 404, 422))
async def model_metadata(request: Request, model: Model, _: Reader) -> Response:
    """The model's input and output, and the names of its features, components and horizons."""
    bundle = _served(request, model).bundle
    reference = bundle.reference
    shape = [-1, len(bundle.components), len(reference.spans.horizons)]
    features = [feature.name for feature in reference.features]
    return as_json(
        {
            "name": NAME,
            "versions": [service_of(request).serving.version],
            "platform": "onnx",
            "inputs": [{"name": "features", "datatype": "FP32", "shape": [-1, len(features)]}],
            "outputs": [{"name": "risk", "datatype": "FP32", "shape": shape}],
            "parameters": {
                "features": features,
                "fills": list(reference.fills),
                "components": bundle.components,
                "horizons": [span_name(ticks, reference.unit) for ticks in reference.spans.horizons],
            },
        }
    )


@ROUTER.get("/models/{model}/ready", responses=answers(schemas.ModelReady, *ASKING, 404, 422))
async def model_ready(request: Request, model: Model, _: Reader) -> Response:
    """The model can be asked."""
    _served(request, model)
    return as_json({"name": NAME, "ready": True})


@ROUTER.post(
    "/models/{model}/infer",
    responses=answers(schemas.InferAnswer, *ASKING, *SENDING, 404),
    openapi_extra=body(schemas.InferBody),
)
async def infer(request: Request, model: Model, _: Reader) -> Response:
    """Risk [rows, components, horizons] of features [rows, features]."""
    sent, _kind = await read_body(request)
    serving = _served(request, model)
    content = loads(sent)
    features = _features(content, len(serving.bundle.reference.features))
    curves = await asyncio.to_thread(serving.bundle.curves, features)
    output = {"name": "risk", "datatype": "FP32", "shape": list(curves.shape), "data": curves.reshape(-1)}
    about = {"model_name": NAME, "model_version": serving.version}
    return as_json(about | ({"id": content["id"]} if "id" in content else {}) | {"outputs": [output]})


def _served(request: Request, model: str) -> Serving:
    if model != NAME:
        raise Problem(404, f"There is no model {model!r}; the model is called {NAME}.")
    return service_of(request).serving


def _features(content: Any, width: int) -> Any:
    if type(content) is not dict or type(content.get("inputs")) is not list or len(content["inputs"]) != 1:
        raise unfit([("inputs", "must be a list of one tensor, `features`")])
    if type(content.get("id", "")) is not str:
        raise unfit([("id", "must be text")])
    tensor = content["inputs"][0]
    if type(tensor) is not dict or tensor.get("name") != "features":
        raise unfit([("inputs[0].name", "must be `features`")])
    if tensor.get("datatype") not in DATATYPES:
        raise unfit([("inputs[0].datatype", f"must be one of {', '.join(DATATYPES)}")])
    shape, data = tensor.get("shape"), tensor.get("data")
    if type(data) is not list or not data:
        raise unfit([("inputs[0].data", "must be a list of numbers")])
    rows = [data[n : n + width] for n in range(0, len(data), width)] if type(data[0]) is not list else data
    if shape != [len(rows), width]:
        raise unfit([("inputs[0].shape", f"must be [rows, {width}] and fit the data")])
    return vectors(rows, width, "inputs[0].data")
