"""API keys. Only a hash of a key is stored: whoever reads the database cannot use it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Connection, func, select

from forestall.errors import ForestallError
from forestall.serving.store.tables import keys

Role = Literal["read", "write", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may all that the ones before it may
PREFIX = "fst"
NOBODY = hashlib.sha256(secrets.token_bytes(32)).digest()


class RefusedKeyError(ForestallError):
    """A key that cannot be made or revoked."""


@dataclass(frozen=True)
class Key:
    """A key without its secret; created and revoked in seconds since 1970."""

    id: str
    name: str
    role: Role
    created: int
    revoked: int | None


def create_key(connection: Connection, name: str, role: Role, now: int) -> tuple[Key, str]:
    """A new key, and the text `fst_<id>_<secret>` that its owner sends; it cannot be had again.

    Raises:
        RefusedKeyError: a name that is empty, long or taken by a key in force, or an unknown role.
    """
    if role not in ROLES:
        raise RefusedKeyError(f"{role!r} is no role. Take one of {', '.join(ROLES)}.")
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise RefusedKeyError("A key's name is 1 to 200 printable characters: who or what uses it.")
    if any(key.name == name and key.revoked is None for key in list_keys(connection)):
        raise RefusedKeyError(f"There is a key named {name!r}. Take another name, or revoke that one first.")
    key = Key(secrets.token_hex(6), name, role, now, None)
    # 256 random bits need no slow hash: there is nothing to guess.
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    connection.execute(keys.insert(), vars(key) | {"digest": _digest(secret)})
    return key, f"{PREFIX}_{key.id}_{secret}"


def find_key(connection: Connection, token: str) -> Key | None:
    """The key in force that this text is, or None; the time it takes tells nothing of the secret."""
    prefix, _, rest = token.partition("_")
    number, _, secret = rest.partition("_")
    row = connection.execute(select(keys).where(keys.c.id == number[:20])).one_or_none()
    same = hmac.compare_digest(NOBODY if row is None else bytes(row.digest), _digest(secret))
    if row is None or not same or prefix != PREFIX or row.revoked is not None:
        return None
    return Key(row.id, row.name, row.role, row.created, row.revoked)


def list_keys(connection: Connection) -> list[Key]:
    """All keys, the oldest first."""
    columns = (keys.c.id, keys.c.name, keys.c.role, keys.c.created, keys.c.revoked)
    return [Key(*row) for row in connection.execute(select(*columns).order_by(keys.c.created, keys.c.id))]


def revoke_key(connection: Connection, number: str, now: int) -> None:
    """From now on the key is none.

    Raises:
        RefusedKeyError: there is no such key in force.
    """
    row = keys.update().where(keys.c.id == number, keys.c.revoked.is_(None)).values(revoked=now)
    if connection.execute(row).rowcount == 0:
        raise RefusedKeyError(f"There is no key {number!r} in force. `forestall keys list` shows all.")


def any_keys(connection: Connection) -> bool:
    """Whether any key is in force."""
    return bool(connection.execute(select(func.count()).where(keys.c.revoked.is_(None))).scalar())


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
