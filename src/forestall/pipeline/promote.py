"""`forestall promote`: a revision's bundle becomes the one that is served, if the gate agrees, and back again."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from forestall.comparison.report import Report
from forestall.errors import ForestallError
from forestall.features.labels import TEST
from forestall.pipeline.resolve import revision
from forestall.pipeline.revisions import Commit, Revision, RevisionError, git
from forestall.pipeline.shadow import Compared
from forestall.pipeline.side import BUNDLE
from forestall.retraining import served
from forestall.retraining.history import Promotion, Verdict, read_history

Say = Callable[[str], None]
TAG = "served"


@dataclass(frozen=True)
class Promoted:
    """What came of it. report: the gate's, where it was asked. shadow: what was shown in shadow, where it was there.

    one: None where nothing was exchanged.
    """

    report: Report | None
    one: Promotion | None
    shadow: Compared | None = None


def promote(
    name: str, root: Path, folder: Path, who: str, reason: str, say: Say, compared: Callable[[], Compared]
) -> Promoted:
    """Serve a revision's bundle, if it passes the gate against the one that is served, or for a reason against it.

    What is in shadow must have shown that it is fit, too, if the service's store can be read.

    Args:
        folder: of what is served. who, reason: for the history; without a reason the gate and the shadow decide.
        compared: asks the store what the challenger has shown.

    Raises:
        RevisionError: it is no commit, or its bundle cannot be had. BundleError: it does not answer as it should.
        ForestallError: another promotion is under way, or what is served is of a commit that this clone does not have.
    """
    head = revision(name, root)
    if not isinstance(head, Commit):
        raise RevisionError(
            "Only a commit can be promoted: it says for ever what is served. Commit, then promote it."
        )
    head = replace(head, name=name.removeprefix("refs/heads/"))  # the whole name is for Git, not for reports
    with served.exclusively(folder), tempfile.TemporaryDirectory() as copy:
        bundle = head.output(BUNDLE, Path(copy))
        before = served.champion(folder)
        version = served.lay_down(folder, bundle, head.commit)
        if version == before:
            say(f"{name} is served already, as {version}.")
            return Promoted(None, None)
        try:
            report = _judged(folder, before, head, root, reason)
            shadow = _compared(compared, say) if version == served.challenger(folder) else None
            verdict = _verdict(before, report, shadow, reason)
            if verdict is None:
                return Promoted(report, None, shadow)
            one = _promotion(folder, version, head.commit, who, verdict, reason)
            served.exchange(folder, one)
            return Promoted(report, one, shadow)
        finally:
            served.discard(folder, version)


def go_back(folder: Path, who: str, reason: str) -> Promotion:
    """Serve again what was served before.

    Raises:
        ForestallError: there is nothing, or another promotion is under way. BundleError: it does not answer any more.
    """
    with served.exclusively(folder):
        done = read_history(folder).done
        if not done or not done[-1].before:
            raise ForestallError(f"{folder}: nothing was served before what is served now.")
        version = done[-1].before
        one = _promotion(folder, version, served.revision_of(folder, version), who, "back", reason)
        served.exchange(folder, one)
        return one


def tag(one: Promotion, root: Path) -> str:
    """Name the commit that is served by a Git tag, which another run moves to the same place; its name.

    Raises:
        RevisionError: Git refuses.
    """
    name = f"{TAG}/{one.number}-{one.version}"
    git(root, "tag", "--force", "--annotate", name, one.revision, "--message", f"{one.version}, by {one.who}")
    return name


def person(root: Path) -> str:
    """Who Git says that somebody is.

    Raises:
        RevisionError: it does not know.
    """
    found = [git(root, "config", f"user.{part}", check=False).stdout.strip() for part in ("name", "email")]
    if not all(found):
        raise RevisionError(
            "Git does not know who you are, and the history has to: `git config user.name` and `user.email`."
        )
    return f"{found[0]} <{found[1]}>"


def _judged(folder: Path, before: str, head: Revision, root: Path, reason: str) -> Report | None:
    """The gate's report; None where it cannot be asked, and there is a reason to go on without."""
    from forestall.pipeline.compare import compare

    if not before:
        return compare(head, head, root, TEST)
    try:
        commit = served.revision_of(folder, before)
        base = replace(_commit(commit, root), name="what is served")
    except (RevisionError, served.DamagedError) as error:
        if reason:
            return None
        if isinstance(error, served.DamagedError):
            raise
        raise ForestallError(
            f"What is served was made by {commit}, which this clone does not have: fetch it, or say why to do without "
            "the gate by --force."
        ) from None
    return compare(base, head, root, TEST)


def _commit(commit: str, root: Path) -> Commit:
    found = revision(commit, root)
    assert isinstance(found, Commit)  # a hash
    return found


def _compared(compared: Callable[[], Compared], say: Say) -> Compared | None:
    try:
        return compared()
    except ForestallError as error:
        say(f"What it did in shadow is not known, and the gate decides alone: {error}")
        return None


def _verdict(before: str, report: Report | None, shadow: Compared | None, reason: str) -> Verdict | None:
    """None where the gate or the shadow does not agree, and nobody says why to go on."""
    if report is not None and report.passed and (shadow is None or shadow.is_fit):
        return "passed" if before else "first"
    return "forced" if reason else None


def _promotion(folder: Path, version: str, commit: str, who: str, verdict: Verdict, reason: str) -> Promotion:
    number = 1 + max((one.number for one in read_history(folder).promotions), default=0)
    return Promotion(number, version, served.champion(folder), commit, int(time.time()), who, verdict, reason)
