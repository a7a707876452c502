"""The ETag of an alarm, its version in quotes, and what `If-Match` asks of it (RFC 9110, 13.1.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from forestall.serving.api.problems import Problem

TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
FORM = re.compile(rf"[ \t,]*{TAG.pattern}([ \t]*,[ \t]*({TAG.pattern})?)*[ \t]*")
VERSION = re.compile(r"[1-9][0-9]{0,8}")


def etag_of(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def versions_of(if_match: Sequence[str]) -> frozenset[int] | None:
    """The versions that the lines of `If-Match` name; None with `*`, where any will do.

    Raises:
        Problem: 428, there is none; 400, it is no list of ETags; 412, all of them are weak.
    """
    text = ", ".join(if_match).strip()
    if not if_match:
        raise Problem(428, "Send the alarm's ETag as If-Match, so that nobody's change is lost.")
    if text == "*":
        return None
    if FORM.fullmatch(text) is None:
        problem = 'must be an ETag in quotes, such as "1", a list of them, or *'
        raise Problem(400, f"If-Match {problem}.", [("If-Match", problem)])
    tags = TAG.findall(text)
    strong = [tag for weak, tag in tags if not weak]
    if not strong:
        raise Problem(412, 'If-Match compares strongly: a weak ETag never matches. Send "1" for W/"1".')
    return frozenset(int(tag) for tag in strong if VERSION.fullmatch(tag))
