"""Who is signed in on the page. As of keys, only a hash of a session's token is stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, or_, select

from forestall.serving.store.keys import Key
from forestall.serving.store.tables import keys, sessions

LIFETIME, IDLE, FRESH = 7 * 86_400, 12 * 3_600, 60  # seconds


@dataclass(frozen=True)
class Session:
    """A session in force: the key that opened it, and when it was last noted as used, in seconds since 1970."""

    key: Key
    seen: int

    def wants_touch(self, now: int) -> bool:
        """Whether its use is to be noted again: at most once a minute, so that most requests write nothing."""
        return now - self.seen >= FRESH


def open_session(connection: Connection, key: Key, now: int) -> str:
    """A new session of a key, for 7 days or until unused for 12 hours: its token, which cannot be had again."""
    token = secrets.token_urlsafe(32)
    row = {"digest": _digest(token), "key_id": key.id, "created": now, "seen": now, "expires": now + LIFETIME}
    connection.execute(sessions.insert(), row)
    return token


def find_session(connection: Connection, token: str, now: int) -> Session | None:
    """The session in force of a token: None if it is unknown, over, long unused, or its key is revoked.

    One look-up by primary key, and nothing is written. The time it takes tells at most of a hash, not of the token.
    """
    query = (
        select(keys.c.id, keys.c.name, keys.c.role, keys.c.created, keys.c.revoked, sessions.c.seen)
        .join(sessions, sessions.c.key_id == keys.c.id)
        .where(sessions.c.digest == _digest(token), keys.c.revoked.is_(None), ~_over(now))
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Session(Key(*row[:-1]), row.seen)


def touch_session(connection: Connection, token: str, now: int) -> None:
    """Note that a session in force is used; one that is over stays over."""
    used = sessions.update().where(sessions.c.digest == _digest(token), sessions.c.seen < now, ~_over(now))
    connection.execute(used.values(seen=now))


def close_session(connection: Connection, token: str) -> None:
    """From now on the token opens nothing."""
    connection.execute(sessions.delete().where(sessions.c.digest == _digest(token)))


def close_old(connection: Connection, now: int) -> int:
    """Forget the sessions that are over, and those of revoked keys; how many there were."""
    revoked = sessions.c.key_id.in_(select(keys.c.id).where(keys.c.revoked.is_not(None)))
    return connection.execute(sessions.delete().where(or_(_over(now), revoked))).rowcount


def _over(now: int) -> ColumnElement[bool]:
    return or_(sessions.c.expires <= now, sessions.c.seen <= now - IDLE)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
