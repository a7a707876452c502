"""Vega-Lite plots in a page: the scripts that define `drawPlot(element, specification)`.

The page's style sheet gives the colours, as `--back`, `--text`, `--soft` and `--line`; the page's policy needs to allow
these scripts alone: no eval, no connection, no style.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from forestall import vendor


@cache
def scripts() -> dict[str, str]:
    """Their texts by file name, in the order in which a page loads them."""
    own = "draw.js"
    text = (files(__package__) / own).read_text(encoding="utf-8")
    return {name: vendor.script(name) for name in vendor.DRAWING} | {own: text}
