"""The Open Inference Protocol (V2): a thin adapter over the same vectors and the same model."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from forestall.features.columns import span_name
from forestall.features.reference import Matrix
from forestall.serving.api import schemas
from forestall.serving.api.access import Reader
from forestall.serving.api.body import read_body
from forestall.serving.api.counters import Counters
from forestall.serving.api.json_response import as_json
from forestall.serving.api.openapi import ASKING, SENDING, body, protocol_answers
from forestall.serving.api.problems import Problem, unfit
from forestall.serving.api.service import Serving, service_of
from forestall.serving.api.strict_json import loads
from forestall.serving.api.vectors import vectors
from forestall.serving.bundle import INPUT, OUTPUT, Bundle

ROUTER = APIRouter(prefix="/v2", tags=["open inference protocol"])
MODEL, VERSION = "/models/{model}", "/models/{model}/versions/{version}"
Model = Annotated[str, Path(max_length=200, description="forestall", examples=["forestall"])]
Version = Annotated[
    str, Path(max_length=200, description="one that the model's metadata names", examples=["d4daa407cd16"])
]
NAME, DATATYPES = "forestall", ("FP32", "FP64")
ASKED = (*ASKING, 400, 404)


@ROUTER.get("", responses=protocol_answers(schemas.ServerMetadata, *ASKING))
async def server_metadata(_: Reader) -> Response:
    """What this server is."""
    return as_json({"name": NAME, "version": version("forestall"), "extensions": []})


@ROUTER.get("/health/live", responses=protocol_answers(schemas.ServerLive))
async def server_live() -> Response:
    """The server answers."""
    return as_json({"live": True})


@ROUTER.get("/health/ready", responses=protocol_answers(schemas.ServerReady, 503))
async def server_ready(request: Request) -> Response:
    """There is a model; else the answer is 503, as a probe wants it."""
    _ = service_of(request).serving
    return as_json({"ready": True})


@ROUTER.get(MODEL, responses=protocol_answers(schemas.ModelMetadata, *ASKED))
async def model_metadata(request: Request, model: Model, _: Reader) -> Response:
    """The model's input and output, and the names of its features, components and horizons."""
    return as_json(_metadata(_served(request, model)))


@ROUTER.get(VERSION, responses=protocol_answers(schemas.ModelMetadata, *ASKED))
async def version_metadata(request: Request, model: Model, version: Version, _: Reader) -> Response:
    """The same of the version that is served."""
    return as_json(_metadata(_served(request, model, version)))


@ROUTER.get(f"{MODEL}/ready", responses=protocol_answers(schemas.ModelReady, *ASKED))
async def model_ready(request: Request, model: Model, _: Reader) -> Response:
    """The model can be asked."""
    _served(request, model)
    return as_json({"name": NAME, "ready": True})


@ROUTER.get(f"{VERSION}/ready", responses=protocol_answers(schemas.ModelReady, *ASKED))
async def version_ready(request: Request, model: Model, version: Version, _: Reader) -> Response:
    """This version can be asked."""
    _served(request, model, version)
    return as_json({"name": NAME, "ready": True})


@ROUTER.post(
    f"{MODEL}/infer",
    responses=protocol_answers(schemas.InferAnswer, *ASKED, *SENDING),
    openapi_extra=body(schemas.InferBody),
)
async def infer(request: Request, model: Model, _: Reader) -> Response:
    """Risk [rows, components, horizons] of features [rows, features]."""
    return await _inferred(request, model)


@ROUTER.post(
    f"{VERSION}/infer",
    responses=protocol_answers(schemas.InferAnswer, *ASKED, *SENDING),
    openapi_extra=body(schemas.InferBody),
)
async def version_infer(request: Request, model: Model, version: Version, _: Reader) -> Response:
    """The same, by this version or not at all."""
    return await _inferred(request, model, version)


async def _inferred(request: Request, model: str, version: str | None = None) -> Response:
    sent, _ = await read_body(request)
    serving = _served(request, model, version)
    content = loads(sent)
    features = _features(content, len(serving.bundle.reference.features))
    _check_outputs(content.get("outputs", []))
    curves = await asyncio.to_thread(_curves, features, serving.bundle, service_of(request).counters)
    output = {"name": OUTPUT, "datatype": "FP32", "shape": list(curves.shape), "data": curves.reshape(-1)}
    about = {"model_name": NAME, "model_version": serving.version}
    return as_json(about | ({"id": content["id"]} if "id" in content else {}) | {"outputs": [output]})


def _curves(features: Matrix, bundle: Bundle, counters: Counters) -> Matrix:
    curves = bundle.curves(features)
    counters.risks(curves[:, :, -1], bundle)
    return curves


def _served(request: Request, model: str, version: str | None = None) -> Serving:
    """What answers for a model and a version of it.

    Raises:
        Problem: 404, there is none of that name, or another version is served; 503, there is no model.
    """
    if model != NAME:
        raise Problem(404, f"There is no model {model!r}; the model is called {NAME}.")
    serving = service_of(request).serving
    if version not in (None, serving.version):
        raise Problem(
            404, f"There is no version {version!r}; the version that is served is {serving.version}."
        )
    return serving


def _metadata(serving: Serving) -> dict[str, Any]:
    bundle, reference = serving.bundle, serving.bundle.reference
    shape = [-1, len(bundle.components), len(reference.spans.horizons)]
    features = [feature.name for feature in reference.features]
    return {
        "name": NAME,
        "versions": [serving.version],
        "platform": "onnx",
        "inputs": [{"name": INPUT, "datatype": "FP32", "shape": [-1, len(features)]}],
        "outputs": [{"name": OUTPUT, "datatype": "FP32", "shape": shape}],
        "parameters": {
            "features": features,
            "fills": list(reference.fills),
            "components": bundle.components,
            "horizons": [span_name(ticks, reference.unit) for ticks in reference.spans.horizons],
        },
    }


def _check_outputs(asked: Any) -> None:
    """Refuse outputs that are none of the model's; without any, all are meant.

    Raises:
        Problem: it becomes 400 here.
    """
    if type(asked) is not list:
        raise unfit([("outputs", "must be a list of objects with a `name`")])
    for place, one in enumerate(asked):
        if type(one) is not dict or one.get("name") != OUTPUT:
            raise unfit([(f"outputs[{place}].name", f"must be `{OUTPUT}`: the model has no other output")])


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
