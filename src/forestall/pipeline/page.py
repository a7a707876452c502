"""`forestall compare --html`: the page written."""

from __future__ import annotations

from pathlib import Path

from forestall.comparison.page import page
from forestall.comparison.report import Report
from forestall.errors import ForestallError
from forestall.pipeline.overlay import plots
from forestall.pipeline.revisions import Revision


def write_page(file: Path, report: Report, base: Revision, head: Revision) -> None:
    """Write the comparison of two revisions as one page.

    Raises:
        ForestallError: it cannot be written.
    """
    text = page(report, plots(base, head))
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ForestallError(f"{file} cannot be written: {error.strerror}.") from error
