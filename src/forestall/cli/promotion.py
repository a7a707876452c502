"""`forestall promote` and `forestall retrain`: which model is served, and a newer one."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from forestall.cli.common import BUNDLE, Verbs, add_database, add_served, open_live, progress
from forestall.errors import ForestallError

if TYPE_CHECKING:
    from forestall.retraining.history import Promotion

HEADING = "  no.  when                  model         commit        gate    step       who, and why"


def add_verbs(verbs: Verbs) -> None:
    """Add it to the command's."""
    promote = verbs.add_parser("promote", help="serve a revision's model, if the gate agrees; or go back")
    what = promote.add_mutually_exclusive_group(required=True)
    what.add_argument("revision", metavar="REV", nargs="?", help="a commit, branch or tag")
    what.add_argument("--previous", action="store_true", help="serve again what was served before")
    what.add_argument("--status", action="store_true", help="what is served, and since when")
    promote.add_argument(
        "--force", metavar="REASON", default="", help="also against the gate, or the shadow, and why"
    )
    add_database(promote)
    add_served(promote)
    promote.set_defaults(run=_promote)
    retrain = verbs.add_parser(
        "retrain", help="train with what the service has learnt, on a branch of its own"
    )
    retrain.add_argument(
        "--from", dest="start", metavar="REV", default="HEAD", help="where to begin (default: HEAD)"
    )
    retrain.add_argument(
        "--if-due", action="store_true", help="only where `retraining` in params.yaml says that it is time"
    )
    retrain.add_argument("--promote", action="store_true", help="serve it at once, if the gate agrees")
    retrain.add_argument(
        "--result",
        type=Path,
        metavar="FILE",
        help="for a scheduler: branch, commit, passed and report as JSON; null where nothing is new",
    )
    retrain.add_argument(
        "--run-id",
        metavar="ID",
        default="",
        help="of a scheduler's run: a second try gets what the first one made",
    )
    add_database(retrain)
    add_served(retrain)
    retrain.set_defaults(run=_retrain)


def _promote(chosen: argparse.Namespace) -> int:
    from forestall.pipeline.resolve import top

    root = top()
    folder = root / chosen.served
    if chosen.status:
        return _status(folder)
    from forestall.pipeline.promote import go_back, person

    if chosen.previous:
        return _told(go_back(folder, person(root), chosen.force), root)
    return _served(chosen.revision, root, folder, chosen.force, chosen.database)


def _served(name: str, root: Path, folder: Path, reason: str, database: str) -> int:
    """Serve a revision, if the gate agrees; its exit code."""
    from forestall.comparison.report import markdown
    from forestall.pipeline.promote import person, promote
    from forestall.pipeline.shadow import compared

    shown = partial(compared, folder, partial(open_live, database))
    found = promote(name, root, folder, person(root), reason, progress, shown)
    if found.report is not None:
        print(markdown(found.report, gated=True), end="", flush=True)
    if found.shadow is not None:
        print(f"\n{found.shadow.report}", end="", flush=True)
    if found.one is not None:
        return _told(found.one, root)
    if found.report is None:
        return 0
    refusal = (
        "the gate does not agree"
        if not found.report.passed
        else "what it did in shadow does not speak for it"
    )
    progress(f"NOT promoted, and nothing is changed: {refusal}. `--force REASON` serves it nonetheless.")
    return 1


def _retrain(chosen: argparse.Namespace) -> int:
    from forestall.pipeline.promote import person
    from forestall.pipeline.resolve import revision, top
    from forestall.pipeline.retrain import Asked, retrain
    from forestall.pipeline.revisions import Commit
    from forestall.retraining import served
    from forestall.serving.bundle import load_bundle

    root = top()
    folder = root / chosen.served
    _write_result(chosen.result)
    if chosen.promote:
        person(root)  # said now, and not after the training
    version = served.champion(folder)
    place = folder / served.CHAMPION if version else root / BUNDLE
    bundle = load_bundle(place)
    start = revision(chosen.start, root)
    champion = revision(served.revision_of(folder, version), root) if version else None
    if not isinstance(start, Commit) or not (champion is None or isinstance(champion, Commit)):
        raise ForestallError(f"--from {chosen.start}: begin from a commit, a branch or a tag.")
    live = open_live(chosen.database, bundle)
    asked = Asked(bundle.plant.name, start, champion, place, chosen.if_due, chosen.run_id)
    found = retrain(asked, live, root, progress)
    if found.branch is None:
        print(found.why)
        return 0
    branch, passed = f"refs/heads/{found.branch}", found.passed  # a tag may have its name, too
    commit = revision(branch, root).commit
    _write_result(chosen.result, branch=found.branch, commit=commit, passed=passed, report=found.report)
    said = f"Branch {found.branch}: {'passes' if passed else 'does NOT pass'} the gate."
    if chosen.promote and passed:
        progress(said)
        return _served(branch, root, folder, "", chosen.database)
    print(found.report, end="", flush=True)  # before the last word, also where both go to one log
    progress(said)
    if passed:
        progress(
            f"`forestall promote {found.branch}` serves it; `forestall shadow {found.branch}` tries it first."
        )
    return 0


def _write_result(file: Path | None, **made: str | bool | None) -> None:
    """What came of it; nothing before that, so that a file that cannot be written is said before the training."""
    if file is not None:
        result = dict.fromkeys(("branch", "commit", "passed", "report")) | made
        file.write_text(json.dumps(result) + "\n", encoding="utf-8")


def _told(one: Promotion, root: Path) -> int:
    """What is done, and its names elsewhere, which can be written again at any time."""
    from forestall.pipeline.promote import tag

    progress(f"Served: {one.version}, of {one.revision[:12]} ({one.verdict}).")
    try:
        progress(f"Git calls it {tag(one, root)}.")
        _alias(one, root)
    except ForestallError as error:
        print(f"forestall: served, but not named: {error}", file=sys.stderr)
    return 0


def _alias(one: Promotion, root: Path) -> None:
    """In MLflow's registry, where one is used."""
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        return
    from forestall.pipeline.resolve import revision
    from forestall.pipeline.track import Asked, track
    from forestall.pipeline.tracking_server import connect

    track(revision(one.revision, root), connect(uri), Asked(alias="champion"), root, progress)


def _status(folder: Path) -> int:
    from forestall.retraining.history import read_history
    from forestall.retraining.served import challenger, champion

    version, history = champion(folder), read_history(folder)
    if history.promotions:
        print(HEADING)
    number = max((one.number for one in history.promotions if one.version == version), default=0)
    for one in history.promotions:
        print("*" if one.number == number else " ", _line(one, history.steps[one.number]))
    print(f"Served: {version}." if version else f"{folder}: nothing is served yet.")
    if beside := challenger(folder):
        print(f"In shadow: {beside}, {_origin(folder, beside)}.")
    return 0


def _origin(folder: Path, version: str) -> str:
    from forestall.retraining.served import DamagedError, revision_of

    try:
        return f"of {revision_of(folder, version)[:12]}"
    except DamagedError:
        return "which is damaged; `forestall shadow --end` takes it away"


def _line(one: Promotion, step: str) -> str:
    at = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    words = (
        f"{one.number:3}",
        at,
        one.version,
        one.revision[:12],
        f"{one.verdict:6}",
        f"{step:9}",
        one.who,
        one.reason,
    )
    return "  ".join(words).rstrip()
