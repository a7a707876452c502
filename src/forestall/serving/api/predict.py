"""POST /predict: stateless. A vector of features in, or a machine's recent history; risk out."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request, Response

from forestall.serving.api.access import admitted
from forestall.serving.api.answers import as_json
from forestall.serving.api.body import read_body
from forestall.serving.api.problems import unfit
from forestall.serving.api.security import Role
from forestall.serving.api.service import service_of
from forestall.serving.api.strict_json import loads
from forestall.serving.api.vectors import predictions, vectors
from forestall.serving.bundle import Bundle

AT_ONCE = 16


async def predict(request: Request) -> Response:
    """Answer either form."""
    await admitted(request, Role.READ)
    body, _ = await read_body(request)
    bundle = service_of(request).bundle
    content = loads(body)
    if type(content) is not dict:
        raise unfit([("body", 'must be an object: {"features": […]}, or {"machine": …, "readings": […]}')])
    return as_json(await _of_vectors(content, bundle))


async def _of_vectors(content: dict[str, Any], bundle: Bundle) -> dict[str, Any]:
    if other := sorted(content.keys() - {"features"}):
        raise unfit([(name, "is not known beside `features`") for name in other])
    features = vectors(content.get("features"), len(bundle.reference.features))
    # A few rows take less time than handing them to another thread.
    if len(features) <= AT_ONCE:
        return predictions(features, bundle)
    return await asyncio.to_thread(predictions, features, bundle)
