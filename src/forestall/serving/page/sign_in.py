"""Signing in with a key, signing out, and the language of the pages."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from forestall.serving.api.problems import Problem
from forestall.serving.api.service import Service, service_of
from forestall.serving.page.forms import form_of
from forestall.serving.page.render import HEADERS, PageRoute, html
from forestall.serving.page.visitor import LANGUAGE, SESSION, check_origin
from forestall.serving.store.keys import Key
from forestall.serving.store.sessions import LIFETIME, close_old, close_session, open_session
from forestall.serving.texts import LANGUAGES

ROUTER = APIRouter(include_in_schema=False, route_class=PageRoute)
YEAR = 365 * 24 * 3600


@ROUTER.get("/sign-in")
async def ask(
    request: Request, wanted: Annotated[str, Query(alias="next", max_length=2000)] = "/"
) -> Response:
    """The form for a key."""
    return html(request, None, "sign_in.html", wanted=_own_address(wanted), refused=None)


@ROUTER.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Open a session of the key's."""
    check_origin(request)
    form = await form_of(request)
    key, wanted = form.get("key", ""), form.get("next", "/")
    service, address = service_of(request), request.client.host if request.client else ""
    found = await service.keys.valid(key.strip(), address)
    if found is None:
        return html(request, None, "sign_in.html", 401, wanted=_own_address(wanted), refused=True)
    token = await asyncio.to_thread(_opened, service, found)
    response = RedirectResponse(_own_address(wanted), 303, HEADERS)
    _set(response, request, SESSION, token, LIFETIME)
    return response


@ROUTER.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Close the session."""
    check_origin(request)
    await asyncio.to_thread(_closed, service_of(request), request.cookies.get(SESSION, ""))
    response = RedirectResponse("/sign-in", 303, HEADERS)
    response.delete_cookie(SESSION)
    return response


@ROUTER.post("/language")
async def choose_language(request: Request) -> Response:
    """Remember the language."""
    check_origin(request)
    form = await form_of(request)
    language, wanted = form.get("language", ""), form.get("next", "/")
    if language not in LANGUAGES:
        raise Problem(422, f"The languages are {', '.join(LANGUAGES)}.")
    response = RedirectResponse(_own_address(wanted), 303, HEADERS)
    _set(response, request, LANGUAGE, language, YEAR)
    return response


def _opened(service: Service, key: Key) -> str:
    with service.store.writing() as connection:
        now = int(time.time())
        close_old(connection, now)
        return open_session(connection, key, now)


def _closed(service: Service, token: str) -> None:
    with service.store.writing() as connection:
        close_session(connection, token)


def _set(response: Response, request: Request, name: str, value: str, seconds: int) -> None:
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
    response.set_cookie(name, value, seconds, httponly=True, secure=secure, samesite="lax")


def _own_address(wanted: str) -> str:
    """The address, if it is one of ours; else the first page."""
    # Browsers leave out tabs and line ends, and take a backslash for a slash.
    own = wanted.startswith("/") and not wanted.startswith("//")
    return wanted if own and "\\" not in wanted and wanted.isprintable() else "/"
