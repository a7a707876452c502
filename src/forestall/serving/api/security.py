"""Who may do what: API keys and their roles; without any key, whoever is on this computer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import re
import time
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Protocol

from fastapi import Request

from forestall.errors import ForestallError
from forestall.serving.api.limits import Rate
from forestall.serving.api.problems import Problem

KEY = re.compile(r"fst_([0-9a-f]{8,16})_([A-Za-z0-9_-]{43})")
SECONDS = 2.0
FAILURES_PER_SECOND = 5.0
NOBODY = hashlib.sha256(b"").hexdigest()
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
PROXIED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Role(IntEnum):
    """What a key may do; each role may all that the ones before it may."""

    READ, WRITE, ADMIN = 1, 2, 3


class StoredKey(Protocol):
    """A key as the store has it; `sha256` is of its secret, in hex."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def revoked(self) -> bool: ...


class Keys:
    """The store's keys, at most SECONDS old; the last ones known answer while the store is away.

    Args:
        load: every key there ever was, revoked ones among them.
        loopback: whether only this computer can reach the service; only then may it be open, and only as long as
            there never was a key.
    """

    def __init__(self, load: Callable[[], Sequence[StoredKey]], loopback: bool) -> None:
        self.load, self.loopback = load, loopback
        self.by_id: dict[str, StoredKey] | None = None
        self.at = -SECONDS
        self.failures = Rate(FAILURES_PER_SECOND)

    async def renew(self) -> None:
        """Load them again if they are too old."""
        if time.monotonic() - self.at < SECONDS:
            return
        try:
            self.by_id = {key.id: key for key in await asyncio.to_thread(self.load)}
        except ForestallError as error:
            if self.by_id is None:
                raise Problem(503, f"Keys cannot be read: {error}", headers={"Retry-After": "5"}) from None
        self.at = time.monotonic()

    async def name_of(self, request: Request, role: Role) -> str:
        """The name of the key that a request carries, for the log and the audit.

        Raises:
            Problem: 401, no valid key; 403, its role is too low; 429, too many wrong ones from one address.
        """
        await self.renew()
        assert self.by_id is not None
        if not self.by_id and self.loopback:
            return _local(request)
        address = request.client.host if request.client else ""
        key = self._valid(_presented(request))
        if key is None:
            self.failures.take(address, "wrong keys")
            raise _unknown()
        request.scope["key"] = key.id
        if Role[key.role.upper()] < role:
            needed = role.name.lower()
            raise Problem(403, f"The key {key.name!r} may {key.role}; this needs a key that may {needed}.")
        return key.name

    def _valid(self, presented: str) -> StoredKey | None:
        """The key, in the same time whatever is wrong with it."""
        match = KEY.fullmatch(presented)
        identifier, secret = match.groups() if match else ("", "")
        key = (self.by_id or {}).get(identifier)
        expected = key.sha256 if key else NOBODY
        same = hmac.compare_digest(hashlib.sha256(secret.encode()).hexdigest(), expected)
        return key if key and same and not key.revoked else None


def _presented(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")


def _unknown() -> Problem:
    detail = "Send a valid key as `Authorization: Bearer fst_…` or `X-API-Key: fst_…`; `forestall keys add` makes one."
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="forestall"'})


def _local(request: Request) -> str:
    """Without keys only programs of this computer are meant: no page of another site, nobody behind a proxy.

    Raises:
        Problem: 403.
    """
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    foreign = name.lower() not in LOCAL_NAMES or any(header in request.headers for header in PROXIED)
    site = request.headers.get("sec-fetch-site", "none")
    if foreign or site not in ("none", "same-origin"):
        detail = "Without keys only this computer is served. Make a key with `forestall keys add`."
        raise Problem(403, detail)
    return "local"


def check_binding(host: str, keys: Sequence[StoredKey]) -> bool:
    """Whether `host` can be reached from this computer only.

    Raises:
        ForestallError: others could reach it, and there is no key.
    """
    loopback = is_loopback(host)
    if not loopback and not any(not key.revoked for key in keys):
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
