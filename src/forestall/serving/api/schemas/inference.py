"""The Open Inference Protocol."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from forestall.serving.api.schemas.shared import about


class ServerMetadata(BaseModel):
    """Open Inference Protocol: the server."""

    model_config = about({"name": "forestall", "version": "0.1.0", "extensions": []})
    name: str
    version: str
    extensions: list[str]


class ServerLive(BaseModel):
    """Open Inference Protocol: the server answers."""

    model_config = about({"live": True})
    live: bool


class ServerReady(BaseModel):
    """Open Inference Protocol: there is a model."""

    model_config = about({"ready": True})
    ready: bool


class ModelReady(BaseModel):
    """Open Inference Protocol: the model can be asked."""

    model_config = about({"name": "forestall", "ready": True})
    name: str
    ready: bool


class TensorMetadata(BaseModel):
    """A tensor; -1 is any number of rows."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """Open Inference Protocol: the model. `parameters`: features and their fills, components, horizons."""

    model_config = about(
        {
            "name": "forestall",
            "versions": ["d4daa407cd16"],
            "platform": "onnx",
            "inputs": [{"name": "features", "datatype": "FP32", "shape": [-1, 3]}],
            "outputs": [{"name": "risk", "datatype": "FP32", "shape": [-1, 2, 3]}],
            "parameters": {
                "features": ["load.mean.24h", "load.mean.72h", "age"],
                "fills": [80.1, 79.9, 6.2],
                "components": ["bearing", "seal"],
                "horizons": ["24h", "72h", "168h"],
            },
        }
    )
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: dict[str, list[str] | list[float]]


class Tensor(BaseModel):
    """The features, by row or flat."""

    name: Literal["features"]
    datatype: Literal["FP32", "FP64"]
    shape: list[int] = Field(min_length=2, max_length=2)
    data: Annotated[list[float], Field(min_length=1)] | Annotated[list[list[float]], Field(min_length=1)]


class OutputAsked(BaseModel):
    """An output that is wanted; without any, all are."""

    name: Literal["risk"]


class InferBody(BaseModel):
    """Open Inference Protocol: what is asked."""

    model_config = about(
        {
            "id": "1",
            "inputs": [{"name": "features", "datatype": "FP32", "shape": [1, 3], "data": [0.0, 1.5, 0.25]}],
            "outputs": [{"name": "risk"}],
        },
        closed=False,
    )
    id: str = ""
    inputs: list[Tensor] = Field(min_length=1, max_length=1)
    outputs: list[OutputAsked] = []


class TensorOut(BaseModel):
    """The risks, flat: by row, component and horizon."""

    name: str
    datatype: str
    shape: list[int]
    data: list[float]


class InferAnswer(BaseModel):
    """Open Inference Protocol: the answer."""

    model_config = about(
        {
            "model_name": "forestall",
            "model_version": "d4daa407cd16",
            "id": "1",
            "outputs": [{"name": "risk", "datatype": "FP32", "shape": [1, 1, 3], "data": [0.01, 0.02, 0.04]}],
        }
    )
    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[TensorOut]


class InferenceError(BaseModel):
    """Open Inference Protocol: an error. The request's id is in the header X-Request-ID."""

    model_config = about({"error": "outputs[0].name: must be `risk`: the model has no other output."})
    error: str
