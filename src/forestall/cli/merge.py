"""`forestall merge-lock`: how Git merges dvc.lock; .ci/merge tells it to."""

import argparse
import sys
from pathlib import Path

from forestall.cli.common import Verbs


def add_verbs(verbs: Verbs) -> None:
    """Add it to the command's."""
    merge = verbs.add_parser(
        "merge-lock", help="for Git, which calls it: merge two branches' dvc.lock stage by stage"
    )
    for name, about in (
        ("base", "the version from which both came"),
        ("ours", "the version here; the outcome is written in its place"),
        ("theirs", "the other branch's version"),
    ):
        merge.add_argument(name, type=Path, metavar=name.upper(), help=about)
    merge.add_argument("path", metavar="PATH", help="the file's path in the repository")
    merge.set_defaults(run=_merge_lock)


def _merge_lock(chosen: argparse.Namespace) -> None:
    from forestall.pipeline.merge import merge_files, plan

    for line in plan(merge_files(chosen.base, chosen.ours, chosen.theirs, chosen.path), chosen.path):
        print(line, file=sys.stderr)
