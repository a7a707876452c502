"""Who looks at a page: signed in with a key, let through by a reverse proxy, or sitting at this computer."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from forestall.serving.api.security import LOCAL, check_local, presented
from forestall.serving.api.service import Service, service_of
from forestall.serving.page.refused import OldFormError, Refused
from forestall.serving.store.errors import StoreError
from forestall.serving.store.keys import ROLES, Role
from forestall.serving.store.sessions import Session, find_session, touch_session
from forestall.serving.texts import LANGUAGES

SESSION, LANGUAGE = "forestall_session", "forestall_language"
HERE = secrets.token_bytes(32)  # what forms of this computer's own pages prove to know
FORM_TOKEN = "form_token"
LONGEST_NAME = 200


@dataclass(frozen=True)
class Visitor:
    """Somebody who may look at the pages.

    person: how the audit names them. secret: what only they and the service know, for the tokens of forms.
    by_session: whether they signed in here, and so can sign out.
    """

    person: str
    role: Role
    language: str
    secret: bytes
    by_session: bool = False

    @property
    def may_act(self) -> bool:
        """Whether they may change alarms."""
        return ROLES.index(self.role) >= ROLES.index("write")

    @cached_property
    def form_token(self) -> str:
        """What a form of this visitor's pages carries, and no other site can know."""
        return hmac.digest(self.secret, b"form", "sha256").hex()


def language_of(request: Request) -> str:
    """The one that was chosen, or the browser's first that there is."""
    chosen = request.cookies.get(LANGUAGE)
    wanted = [] if chosen is None else [chosen]
    wanted += [
        part.partition(";")[0].strip()[:2].lower()
        for part in request.headers.get("accept-language", "").split(",")
    ]
    return next((one for one in wanted if one in LANGUAGES), LANGUAGES[0])


async def looking(request: Request) -> Visitor:
    """Dependency: the visitor.

    Raises:
        Problem: 401, 403, 429 or 503.
    """
    service = service_of(request)
    visitor = await _visitor(request, service)
    service.rate.take(visitor.person)
    return visitor


async def acting(request: Request, visitor: Annotated[Visitor, Depends(looking)]) -> Visitor:
    """Dependency of what changes something: the visitor, who may; whether the form is theirs says `check_form`.

    Raises:
        Problem: 403, and as `looking` does.
    """
    if not visitor.may_act:
        raise Refused(403, "page.may_not_act")
    check_origin(request)
    return visitor


def check_form(form: Mapping[str, str], visitor: Visitor) -> None:
    """What a page sends that this visitor was shown in this session, and by this process where there are none.

    Raises:
        OldFormError: it does not.
    """
    if not hmac.compare_digest(form.get(FORM_TOKEN, "").encode(), visitor.form_token.encode()):
        raise OldFormError(403, "page.old_form")


def check_origin(request: Request) -> None:
    """A form of another site is refused.

    Raises:
        Problem: 403.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    hosts = {request.headers.get("host"), request.headers.get("x-forwarded-host")}
    foreign = origin is not None and urlsplit(origin).netloc not in hosts
    if foreign or site not in ("same-origin", "none"):
        raise Refused(403, "page.other_site")


async def _visitor(request: Request, service: Service) -> Visitor:
    language = language_of(request)
    if await service.keys.is_open():
        check_local(request)
        return Visitor(LOCAL, "admin", language, HERE)
    token = request.cookies.get(SESSION, "")
    if token:
        session = await asyncio.to_thread(_session, service, token)
        if session is not None:
            request.scope["key"] = session.key.id
            return Visitor(session.key.name, session.key.role, language, token.encode(), True)
    return await _through_proxy(request, service, language)


def _session(service: Service, token: str) -> Session | None:
    now = int(time.time())
    with service.store.reading() as connection:
        session = find_session(connection, token, now)
    if session is not None and session.wants_touch(now):
        # Who only looks is not kept from it by a database that takes nothing.
        with suppress(StoreError), service.store.writing() as connection:
            touch_session(connection, token, now)
    return session


async def _through_proxy(request: Request, service: Service, language: str) -> Visitor:
    """A proxy signs people in itself: it sends a key of its own, and who they are in the header that was agreed."""
    key = await service.keys.admitted(request, "read")
    assert key is not None
    header = service.person_header
    person = request.headers.get(header, "").strip() if header else ""
    name = f"{person[:LONGEST_NAME]} ({key.name})" if person.isprintable() and person else key.name
    return Visitor(name[:LONGEST_NAME], key.role, language, presented(request).encode() + name.encode())


Looking = Annotated[Visitor, Depends(looking)]
Acting = Annotated[Visitor, Depends(acting)]
