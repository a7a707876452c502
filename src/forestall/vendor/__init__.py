"""Scripts of other projects as they publish them, for the service's pages and the page of `forestall compare`.

`SHA256SUMS` holds their digests; `.ci/vendor` fetches them again.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

DRAWING = ("vega.min.js", "vega-interpreter.js", "vega-lite.min.js")  # in the order in which they are loaded


@cache
def script(name: str) -> str:
    """A file of this folder."""
    return (files(__package__) / name).read_text(encoding="utf-8")
