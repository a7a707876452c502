"""`forestall compare --html`: the page written, with the library that draws its plots inside."""

from __future__ import annotations

from pathlib import Path

from forestall.comparison.page import Plot, page
from forestall.comparison.report import Report
from forestall.errors import ForestallError
from forestall.pipeline.overlay import plots
from forestall.pipeline.revisions import Revision


def write_page(file: Path, report: Report, base: Revision, head: Revision) -> None:
    """Write the comparison of two revisions as one page.

    Raises:
        ForestallError: it cannot be written, or the library that draws is not installed.
    """
    found: list[Plot] = plots(base, head)
    text = page(report, found, _library() if found else "")
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ForestallError(f"{file} cannot be written: {error.strerror}.") from error


def _library() -> str:
    """Vega, Vega-Lite and vega-embed as one script, as vl-convert ships them."""
    try:
        import vl_convert
    except ImportError as error:
        raise ForestallError(
            "vl-convert-python, which draws the page's plots, is missing: `make setup`."
        ) from error
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version="5.21"))
