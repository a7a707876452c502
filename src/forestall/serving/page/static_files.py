"""Styles and scripts, from this computer: the page needs no other one. Their addresses change with what they hold."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from mimetypes import guess_type

from fastapi import APIRouter, Request, Response

from forestall import drawing, vendor
from forestall.serving.api.problems import Problem

ROUTER = APIRouter(include_in_schema=False)
OWN = ("page.css", "page.js", "theme.js", "icon.svg")
HTMX = "htmx.min.js"
FOREVER = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}


@dataclass(frozen=True)
class StaticFile:
    """A file as it is sent, also compressed; digest: of what it holds, for its address."""

    content: bytes
    compressed: bytes
    digest: str
    media_type: str


@cache
def static_file(name: str) -> StaticFile | None:
    """One of the page's files, or None."""
    if name in OWN:
        content = (files(__package__) / "static" / name).read_bytes()
    elif name == HTMX:
        content = vendor.script(name).encode()
    elif name in drawing.scripts():
        content = drawing.scripts()[name].encode()
    else:
        return None
    digest = hashlib.sha256(content).hexdigest()[:16]
    return StaticFile(content, gzip.compress(content, mtime=0), digest, guess_type(name)[0] or "text/plain")


def address_of(name: str) -> str:
    """Where a browser finds a file."""
    found = static_file(name)
    assert found is not None, name
    return f"/static/{found.digest}/{name}"


@ROUTER.api_route("/static/{digest}/{name}", methods=["GET", "HEAD"])
async def get_static(request: Request, digest: str, name: str) -> Response:
    """A file. An address of an earlier release gets the file of this one, but for no longer than it is asked for."""
    found = static_file(name)
    if found is None:
        raise Problem(404, f"There is no file {name[:100]!r}.")
    headers = dict(FOREVER) if digest == found.digest else {"vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.compressed, 200, headers | {"content-encoding": "gzip"}, found.media_type)
    return Response(found.content, 200, headers, found.media_type)
