"""Names in paths: a slash in one is no end of a segment."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.types import Scope

KEPT = re.compile(rb"%(?=2[Ff5])")


def keep_slashes(scope: Scope) -> None:
    """Let `%2F` and `%25` of the path as it was sent go encoded to the routes, which decode their parameters once more.

    The server has decoded the whole path, so that `/v1/machines/line%201%2Fpump` would be of one segment more.
    """
    raw = scope.get("raw_path") or b""
    if KEPT.search(raw):
        scope["path"] = unquote(KEPT.sub(b"%25", raw).decode("ascii", "replace"))
