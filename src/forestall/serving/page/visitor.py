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

from fastapi import Depends, Request

from forestall.serving.api.problems import Problem
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
    """Dependency: the visitor, whose session is in use.

    Raises:
        Problem: 401, 403, 429 or 503.
    """
    return await _admitted(request, True)


async def watching(request: Request) -> Visitor:
    """Dependency of what an open page asks by itself, which does not keep a session from running out.

    Raises:
        Problem: as `looking` does.
    """
    return await _admitted(request, False)


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
    hosts = {request.headers.get("host"), request.headers.get("x-forwarded-host")} - {""}
    foreign = origin is not None and origin.partition("://")[2] not in hosts
    if foreign or site not in ("same-origin", "none"):
        raise Refused(403, "page.other_site")


async def _admitted(request: Request, used: bool) -> Visitor:
    service = service_of(request)
    visitor = await _visitor(request, service, used)
    service.rate.take(visitor.person)
    return visitor


async def _visitor(request: Request, service: Service, used: bool) -> Visitor:
    language = language_of(request)
    if await service.keys.is_open():
        check_local(request)
        return Visitor(LOCAL, "admin", language, HERE)
    token = request.cookies.get(SESSION, "")
    if token:
        session = await asyncio.to_thread(_session, service, token, used)
        if session is not None:
            request.scope["key"] = session.key.id
            return Visitor(session.key.name, session.key.role, language, token.encode(), True)
    return await _through_proxy(request, service, language)


def _session(service: Service, token: str, used: bool) -> Session | None:
    now = int(time.time())
    with service.store.reading() as connection:
        session = find_session(connection, token, now)
    if used and session is not None and session.wants_touch(now):
        # Who only looks is not kept from it by a database that takes nothing.
        with suppress(StoreError), service.store.writing() as connection:
            touch_session(connection, token, now)
    return session


async def _through_proxy(request: Request, service: Service, language: str) -> Visitor:
    """A proxy signs people in itself: it sends a key of its own, and who they are in the header that was agreed."""
    token = presented(request)
    if not token:  # nobody yet, and no wrong key: those are counted, for all behind a proxy together
        raise Problem(401, "Nobody is signed in.")
    key = await service.keys.admitted(request, "read")
    assert key is not None
    # Cut before it is joined: nobody is to write who vouches for them.
    by = f" ({key.name})"
    person = _person(request, service.person_header)[: max(0, LONGEST_NAME - len(by))]
    name = person + by if person else key.name
    return Visitor(name, key.role, language, token.encode() + name.encode())


def _person(request: Request, header: str) -> str:
    """Who the proxy says it is; nobody by two such headers, for then a visitor's own is among them."""
    sent = request.headers.getlist(header) if header else []
    said = sent[0].strip() if len(sent) == 1 else ""
    with suppress(UnicodeDecodeError):  # then it was no UTF-8
        said = said.encode("latin-1").decode()
    return said if said.isprintable() else ""


Looking = Annotated[Visitor, Depends(looking)]
Watching = Annotated[Visitor, Depends(watching)]
Acting = Annotated[Visitor, Depends(acting)]
