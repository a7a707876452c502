"""`forestall shadow`: a revision's bundle scores beside the one that is served, and decides nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from forestall.errors import ForestallError
from forestall.monitoring.shadow_report import markdown
from forestall.monitoring.stored_shadow import stored_comparison
from forestall.pipeline.resolve import revision
from forestall.pipeline.revisions import RevisionError
from forestall.pipeline.side import BUNDLE
from forestall.retraining import served
from forestall.serving.beside import CHALLENGER, CHAMPION, check_comparable
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.live import Live


@dataclass(frozen=True)
class Compared:
    """Whether what is in shadow is fit to be promoted, and the report, in Markdown."""

    is_fit: bool
    report: str


def compared(folder: Path, live_of: Callable[[Bundle], Live]) -> Compared:
    """How what is in shadow compares with what is served, by what the service's store has of both.

    Args:
        folder: of what is served. live_of: puts a bundle over that store.

    Raises:
        ForestallError: nothing is in shadow, or the store cannot be read.
    """
    if not served.challenger(folder):
        raise ForestallError(f"{folder}: nothing is in shadow. `forestall shadow REV` puts a model there.")
    bundle, challenger = (load_bundle(folder / name) for name in (CHAMPION, CHALLENGER))
    check_comparable(challenger, bundle)
    live, beside = live_of(bundle), live_of(challenger)
    with live.store.reading() as connection:
        found = stored_comparison(connection, live, beside)
    versions = served.champion(folder), served.challenger(folder)
    return Compared(found.is_fit, markdown(found, *versions, bundle.reference))


def put_in_shadow(name: str, root: Path, folder: Path) -> str:
    """Let a revision's bundle score beside the one that is served, in the place of another one; its version.

    Args:
        folder: of what is served.

    Raises:
        RevisionError: it is no commit, or its bundle cannot be had. BundleError: it does not answer as it should.
        ForestallError: a promotion is under way, nothing is served, or it cannot be compared with what is.
    """
    head = revision(name, root)
    if head.commit is None:
        raise RevisionError("Only a commit can score in shadow: it is what is promoted then. Commit first.")
    with served.exclusively(folder), tempfile.TemporaryDirectory() as copy:
        champion = served.champion(folder)
        if not champion:
            raise ForestallError(
                f"{folder}: nothing is served that it could stand beside. Promote a first model."
            )
        version = served.lay_down(folder, head.output(BUNDLE, Path(copy)), head.commit)
        try:
            if version == champion:
                raise ForestallError(f"{name} is what is served: {version}.")
            check_comparable(load_bundle(folder / served.RELEASES / version), load_bundle(folder / CHAMPION))
            served.put_in_shadow(folder, version)
        finally:
            served.discard(folder, version)
    return version
