"""`forestall shadow`: a model beside the one that is served, and how the two compare."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from forestall.cli.common import Verbs, add_database, add_served, open_live, progress
from forestall.errors import ForestallError


def add_verbs(verbs: Verbs) -> None:
    """Add it to the command's."""
    shadow = verbs.add_parser("shadow", help="try a revision's model beside the one that is served")
    what = shadow.add_mutually_exclusive_group(required=True)
    what.add_argument("revision", metavar="REV", nargs="?", help="a commit, branch or tag")
    what.add_argument("--end", action="store_true", help="let nothing score beside it any more")
    what.add_argument(
        "--report", action="store_true", help="how they compare; exit code 1 if the challenger is not fit"
    )
    add_database(shadow)
    add_served(shadow)
    shadow.set_defaults(run=_shadow)


def _shadow(chosen: argparse.Namespace) -> int:
    from forestall.pipeline.resolve import top

    root = top()
    folder = root / chosen.served
    if chosen.report:
        return _report(folder, chosen.database)
    if chosen.end:
        return _end(folder)
    from forestall.pipeline.shadow import put_in_shadow

    version = put_in_shadow(chosen.revision, root, folder)
    progress(
        f"In shadow: {version}. `forestall shadow --report` says how it does, `forestall shadow --end` ends it."
    )
    return 0


def _report(folder: Path, url: str) -> int:
    from forestall.pipeline.shadow import compared

    found = compared(folder, partial(open_live, url))
    print(found.report, end="")
    return 0 if found.is_fit else 1


def _end(folder: Path) -> int:
    from forestall.retraining import served

    with served.exclusively(folder):
        version = served.end_shadow(folder)
    if not version:
        raise ForestallError(f"{folder}: nothing is in shadow.")
    progress(f"No more in shadow: {version}.")
    return 0
