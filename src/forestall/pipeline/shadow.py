"""`forestall shadow`: a revision's bundle scores beside the one that is served, and decides nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from forestall.errors import ForestallError
from forestall.pipeline.resolve import revision
from forestall.pipeline.revisions import RevisionError
from forestall.pipeline.side import BUNDLE
from forestall.retraining import served
from forestall.serving.beside import CHAMPION, check_comparable
from forestall.serving.bundle import load_bundle


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
