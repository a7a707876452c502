"""`forestall compare`, `explain-change` and `track`: what differs between two revisions, and publishing one."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from forestall.cli.common import Verbs, progress
from forestall.cli.live import add_live, explain_live
from forestall.errors import ForestallError

if TYPE_CHECKING:
    from forestall.pipeline.revisions import Revision


def add_verbs(verbs: Verbs) -> None:
    """Add them to the command's."""
    _add_compare(verbs.add_parser("compare", help="two revisions: what differs, and is it real"))
    _add_explain(verbs.add_parser("explain-change", help="which of code, params, data, environment moved it"))
    _add_track(verbs.add_parser("track", help="publish a revision to an MLflow server"))


def _add_revisions(verb: argparse.ArgumentParser, base_needed: bool = True) -> None:
    verb.add_argument(
        "base",
        metavar="BASE",
        nargs=None if base_needed else "?",
        help="a Git revision, branch or DVC experiment",
    )
    verb.add_argument(
        "head", metavar="HEAD", nargs="?", default="workspace", help="the same (default: the workspace)"
    )
    verb.add_argument("--merge-base", action="store_true", help="begin where HEAD left BASE")


def _add_compare(compare: argparse.ArgumentParser) -> None:
    _add_revisions(compare)
    compare.add_argument(
        "--rerun", action="store_true", help="make outputs that are nowhere again, in a temporary folder"
    )
    compare.add_argument(
        "--gate", action="store_true", help="exit 1 unless HEAD passes the gate in params.yaml"
    )
    compare.add_argument("--json", type=Path, metavar="FILE", help="write the report for machines, too")
    compare.add_argument("--html", type=Path, metavar="FILE", help="write one page with plots of both, too")
    compare.set_defaults(run=_compare)


def _add_explain(explain: argparse.ArgumentParser) -> None:
    _add_revisions(explain, base_needed=False)
    add_live(explain)
    explain.add_argument("--json", type=Path, metavar="FILE", help="write the explanation for machines, too")
    explain.set_defaults(run=_explain_change)


def _add_track(track: argparse.ArgumentParser) -> None:
    track.add_argument(
        "revision",
        metavar="REV",
        nargs="?",
        default="workspace",
        help="a Git revision, branch or DVC experiment (default: the workspace)",
    )
    track.add_argument(
        "--to",
        metavar="URI",
        default=os.environ.get("MLFLOW_TRACKING_URI"),
        help="the server's address (default: MLFLOW_TRACKING_URI)",
    )
    track.add_argument("--model", metavar="NAME", help="the registered model (default: forestall-<dataset>)")
    track.add_argument("--alias", metavar="NAME", help="what the version is called, such as champion")
    track.add_argument(
        "--experiments", action="store_true", help="also the DVC experiments of REV, as child runs"
    )
    track.set_defaults(run=_track)


def _compare(chosen: argparse.Namespace) -> int:
    from dataclasses import asdict

    from forestall.comparison.report import markdown
    from forestall.pipeline.compare import compare
    from forestall.pipeline.page import write_page
    from forestall.pipeline.rerun import rebuilding
    from forestall.pipeline.resolve import top

    root = top()
    with rebuilding(*_revisions(chosen, root), root, chosen.rerun) as (base, head):
        report = compare(base, head, root)
        if chosen.html is not None:
            write_page(chosen.html, report, base, head)
    print(markdown(report, chosen.gate), end="")
    if chosen.json is not None:
        _write_json(chosen.json, asdict(report) | {"passed": report.passed})
    return 0 if report.passed or not chosen.gate else 1


def _write_json(file: Path, content: object) -> None:
    from forestall.pipeline.files import write_json

    if not file.parent.is_dir():
        raise ForestallError(f"{file} cannot be written: there is no folder {file.parent}.")
    try:
        write_json(file, content)
    except OSError as error:
        raise ForestallError(f"{file} cannot be written: {error.strerror}.") from error


def _explain_change(chosen: argparse.Namespace) -> None:
    if chosen.live == (chosen.base is not None):
        raise ForestallError("Say which: BASE [HEAD], two revisions, or --live, the fleet in service.")
    if not chosen.live and (chosen.old or chosen.before or chosen.after):
        raise ForestallError(
            "--old, --before and --after are of the fleet in service: say --live, and no revision."
        )
    report, content = explain_live(chosen) if chosen.live else _explain_revisions(chosen)
    print(report, end="")
    if chosen.json is not None:
        _write_json(chosen.json, content)


def _explain_revisions(chosen: argparse.Namespace) -> tuple[str, object]:
    from forestall.comparison.explanation import markdown
    from forestall.pipeline.explain import explain_change
    from forestall.pipeline.resolve import top

    root = top()
    found = explain_change(*_revisions(chosen, root), root, progress)
    return markdown(found), found.as_json()


def _revisions(chosen: argparse.Namespace, root: Path) -> "tuple[Revision, Revision]":
    from forestall.pipeline.resolve import merge_base, revision

    base = merge_base(chosen.base, chosen.head, root) if chosen.merge_base else chosen.base
    return revision(base, root), revision(chosen.head, root)


def _track(chosen: argparse.Namespace) -> int:
    from forestall.pipeline.resolve import revision, top
    from forestall.pipeline.tracking_server import connect

    if not chosen.to:
        raise ForestallError("Say where to: --to URI, or MLFLOW_TRACKING_URI in the environment.")
    root = top()
    one, server = revision(chosen.revision, root), connect(chosen.to)
    # Only now: a name or a server that is not there need not wait for pandas.
    from forestall.pipeline.track import Asked, track

    asked = Asked(chosen.model, chosen.alias, chosen.experiments)
    failed = track(one, server, asked, root, print)
    for problem in failed:
        print(f"forestall: not published: {problem}", file=sys.stderr)
    return 1 if failed else 0
