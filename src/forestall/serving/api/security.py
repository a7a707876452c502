"""Who may do what: API keys and their roles; without any key, whoever is on this computer."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
import time
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from fastapi import Request

from forestall.errors import ForestallError
from forestall.serving.api.limits import Rate
from forestall.serving.api.problems import Problem
from forestall.serving.store.errors import StoreError, StoreGoneError
from forestall.serving.store.keys import ROLES, Key, Role

T = TypeVar("T")
WRITTEN = re.compile(r"fst_[0-9a-f]{8,16}_[A-Za-z0-9_-]{43}")
SECONDS = 2.0
PATIENCE = 4.0  # seconds until a store that hangs counts as away: scrapers and people wait no longer
FAILURES_PER_SECOND = 5.0
LOCAL = "local"  # the name of whoever asks while no key is needed
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")
PROXIED = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
)


class Keys:
    """The store's keys. One that was found is believed for SECONDS, and for as long as the store is away.

    Args:
        find: the key in force that a text is, or None.
        every: all keys that there ever were.
        loopback: whether only this computer can reach the service; only then may it be open, and only as long as
            there never was a key.
    """

    def __init__(
        self, find: Callable[[str], Key | None], every: Callable[[], Sequence[Key]], loopback: bool
    ) -> None:
        self.find, self.every = find, every
        self.closed, self.looked = not loopback, -SECONDS
        self.found: dict[bytes, tuple[Key, float]] = {}
        self.failures = Rate(FAILURES_PER_SECOND)

    async def name_of(self, request: Request, role: Role) -> str:
        """The name of the key that a request carries, for the log and the audit; raises as `admitted` does."""
        key = await self.admitted(request, role)
        return LOCAL if key is None else key.name

    async def admitted(self, request: Request, role: Role) -> Key | None:
        """The key that a request carries; None while none is needed.

        Raises:
            Problem: 401, no valid key; 403, its role is too low, or a request that is not this computer's own where no
                key is needed; 429, too many wrong ones from one address; 503, the store is away and the key not known.
        """
        if await self.is_open():
            check_local(request)
            return None
        key = await self.valid(presented(request), request.client.host if request.client else "")
        if key is None:
            raise _unknown()
        request.scope["key"] = key.id
        check_role(key, role)
        return key

    async def is_open(self) -> bool:
        """Whether there never was a key, and only this computer can reach the service. Once there was one, it stays so.

        Raises:
            Problem: 503, the store is away and was never asked.
        """
        if not self.closed and time.monotonic() - self.looked >= SECONDS:
            try:
                self.closed = bool(await _in_time(self.every))
            except StoreError as error:
                if self.looked < 0:
                    raise _away(error) from error
            self.looked = time.monotonic()
        return not self.closed

    async def valid(self, token: str, address: str) -> Key | None:
        """The key in force that a text is, or None. One that is not known here yet is counted as a wrong one of its
        address until it is found, so that nobody makes the store look up more than a few.

        Raises:
            Problem: 429, too many wrong ones from one address; 503, the store is away and the key not known.
        """
        if _digest(token) in self.found:
            return await self._in_store(token)
        self.failures.take(address, "wrong keys")
        try:
            key = await self._in_store(token) if WRITTEN.fullmatch(token) else None
        except Problem:
            self.failures.give_back(address)
            raise
        if key is not None:
            self.failures.give_back(address)
        return key

    async def _in_store(self, token: str) -> Key | None:
        """The store looks it up in constant time; what is kept here is kept under a hash."""
        digest, now = _digest(token), time.monotonic()
        key, since = self.found.get(digest, (None, 0.0))
        if key is not None and now - since < SECONDS:
            return key
        try:
            fresh = await _in_time(self.find, token)
        except StoreError as error:
            if key is None:
                raise _away(error) from error
            return key
        if fresh is None:
            self.found.pop(digest, None)
        else:
            self.found[digest] = (fresh, now)
        return fresh


async def _in_time(ask: Callable[..., T], *arguments: object) -> T:
    try:
        return await asyncio.wait_for(asyncio.to_thread(ask, *arguments), PATIENCE)
    except TimeoutError:
        raise StoreGoneError("The database does not answer.") from None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _away(error: StoreError) -> Problem:
    return Problem(503, f"Keys cannot be read. {error}", headers={"Retry-After": "5"})


def presented(request: Request) -> str:
    """The text of the key that a request carries; empty without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")


def _unknown() -> Problem:
    detail = "Send a valid key as `Authorization: Bearer fst_…` or `X-API-Key: fst_…`; `forestall keys add` makes one."
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="forestall"'})


def check_role(key: Key, role: Role) -> None:
    """Whether a key may do what a role may.

    Raises:
        Problem: 403.
    """
    if ROLES.index(key.role) < ROLES.index(role):
        raise Problem(403, f"The key {key.name!r} may {key.role}; this needs a key that may {role}.")


def check_local(request: Request) -> None:
    """Without keys only programs of this computer are meant: no page of another site, nobody behind a proxy.

    Raises:
        Problem: 403.
    """
    host = ", ".join(request.headers.getlist("host"))
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    foreign = name.lower() not in LOCAL_NAMES or any(header in request.headers for header in PROXIED)
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    elsewhere = origin is not None and _host_of(origin) not in LOCAL_NAMES
    if foreign or elsewhere or site not in ("none", "same-origin"):
        detail = "Without keys only this computer is served. Make a key with `forestall keys add`."
        raise Problem(403, detail)


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


def check_binding(host: str, any_keys: bool) -> bool:
    """Whether `host` can be reached from this computer only.

    Raises:
        ForestallError: others could reach it, and there is no key in force.
    """
    loopback = is_loopback(host)
    if not loopback and not any_keys:
        raise ForestallError(
            f"--host {host}: without keys the service is bound to this computer only. "
            "Make a key first: forestall keys add NAME --role admin."
        )
    return loopback


def is_loopback(host: str) -> bool:
    """Whether an address is this computer's own; a name other than localhost may be anything."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
