"""May this request in, and as whom?"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from forestall.serving.api.service import service_of
from forestall.serving.store.keys import Role

WITHOUT_KEY = ("/health/", "/v2/health/", "/static/")
UNLIMITED = (*WITHOUT_KEY, "/metrics")  # answered also while too many requests are


async def admitted(request: Request, role: Role) -> str:
    """The name of the caller.

    Raises:
        Problem: 401, 403 or 429.
    """
    service = service_of(request)
    name = await service.keys.name_of(request, role)
    service.rate.take(str(request.scope.get("key") or (request.client.host if request.client else "")))
    return name


class May:
    """Dependency of a route: the caller's name, whose role must reach `role`."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(self, request: Request) -> str:
        return await admitted(request, self.role)


Reader = Annotated[str, Depends(May("read"))]
Writer = Annotated[str, Depends(May("write"))]
Admin = Annotated[str, Depends(May("admin"))]
