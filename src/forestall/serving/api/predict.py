"""POST /predict: stateless. A vector of features in, or a machine's recent history; risk out."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from forestall.features.reference import Matrix
from forestall.serving.api import schemas
from forestall.serving.api.access import admitted
from forestall.serving.api.body import read_body
from forestall.serving.api.json_response import as_json
from forestall.serving.api.openapi import ASKING, SENDING, answers, body
from forestall.serving.api.opinion_json import opinion_json
from forestall.serving.api.problem_json import answer
from forestall.serving.api.problems import Problem, misfit, unfit
from forestall.serving.api.service import Service, Serving, service_of
from forestall.serving.api.shadow_requests import AskedHistory, AskedVectors
from forestall.serving.api.strict_json import loads
from forestall.serving.api.vectors import predictions, vectors
from forestall.serving.bundle import Bundle
from forestall.serving.history_request import attribute_types
from forestall.serving.stateless import FieldError

ROUTER = APIRouter(tags=["predict"])
AT_ONCE = 16
# Several histories at once would only take the interpreter's lock from each other: all of them would wait longer.
IN_TURN = ThreadPoolExecutor(1, "histories")
FORMS = 'must be an object: {"features": […]}, or {"machine": …, "readings": […]}'


@ROUTER.post(
    "/predict",
    responses=answers(schemas.Predictions | schemas.HistoryAnswer, *ASKING, *SENDING),
    openapi_extra=body(schemas.Vectors, schemas.History),
)
async def predict(request: Request) -> Response:
    """Risk of a vector of features, of a list of them, or of a machine's recent history. Nothing is stored."""
    await admitted(request, "read")
    sent, _ = await read_body(request)
    service = service_of(request)
    serving = service.serving
    content = loads(sent)
    if type(content) is not dict:
        raise unfit([("body", FORMS)])
    if "features" in content:
        return as_json(await _of_vectors(content, serving.bundle, service))
    in_turn = asyncio.get_running_loop().run_in_executor(IN_TURN, _of_history, content, serving, service)
    return as_json(await in_turn)


(PREDICT,) = ROUTER.routes


class Shortcut:
    """ASGI: POST /predict past the framework's layers, which take as long as the model; all else goes through them."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/predict" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        scope["app"], scope["route"] = self.app, PREDICT
        try:
            response = await predict(Request(scope, receive))
        except Problem as problem:
            response = answer(problem, scope)
        await response(scope, receive, send)


async def _of_vectors(content: dict[str, Any], bundle: Bundle, service: Service) -> dict[str, Any]:
    if len(content) > 1:
        raise unfit(
            [(name[:100], "is not known beside `features`") for name in content if name != "features"]
        )
    features = vectors(content["features"], len(bundle.reference.features))
    # A few rows take less time than handing them to another thread.
    if len(features) <= AT_ONCE:
        return _counted(features, bundle, service)
    return await asyncio.to_thread(_counted, features, bundle, service)


def _counted(features: Matrix, bundle: Bundle, service: Service) -> dict[str, Any]:
    said = predictions(features, bundle)
    service.counters.risks(said["risk"], bundle)
    service.shadow.ask_vectors(AskedVectors(features, said["risk"], bundle))
    return said


def _of_history(content: dict[str, Any], serving: Serving, service: Service) -> dict[str, Any]:
    try:
        asked = serving.stateless.asked.model_validate(content)
        opinions = serving.stateless.opinions(asked)
    except ValidationError as error:
        sensors = serving.bundle.plant.dataset.tables.telemetry.sensors
        known = {"readings": ["time", "running", *sensors], "attributes": attribute_types(serving.bundle)}
        raise misfit(error, known) from None
    except FieldError as error:
        raise unfit([(error.field, error.problem)]) from None
    service.counters.opinions(opinions, "request")
    service.shadow.ask_history(AskedHistory(content, opinions))
    reference = serving.bundle.reference
    return {
        "machine": asked.machine,
        "prediction": [int(any(one.alarm for one in opinions))],
        "components": [opinion_json(one, None, reference) for one in opinions],
        "model": serving.version,
    }
