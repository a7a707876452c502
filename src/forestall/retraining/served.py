"""The folder of what is served: releases, each a bundle that never changes, and a link to the one that answers.

    champion -> releases/<version>      what `forestall serve --bundle <folder>/champion` watches
    releases/<version>/                 a bundle whose manifest names its revision
    history.jsonl                       see `history`

An exchange of the link is one rename: whenever a process is killed, the old release answers, or the new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forestall.errors import ForestallError
from forestall.retraining.history import Promotion, begin, end, read_history
from forestall.serving.answering import answering_bundle
from forestall.serving.bundle import MANIFEST

CHAMPION, RELEASES, LOCK = "champion", "releases", "lock"
DIGITS = 12  # of the manifest's hash, as the service's version


@contextmanager
def exclusively(folder: Path) -> Iterator[None]:
    """Nobody else changes the folder meanwhile; what a killed process left half done is settled first.

    Raises:
        ForestallError: somebody else is at it.
    """
    (folder / RELEASES).mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ForestallError(
                f"{folder}: another promotion is under way. Try again when it is over."
            ) from None
        _settle(folder)
        yield


def champion(folder: Path) -> str:
    """The version that is served; empty if there is none."""
    link = folder / CHAMPION
    return link.readlink().name if link.is_symlink() else ""


def revision_of(folder: Path, version: str) -> str:
    """The commit that made a release."""
    manifest = json.loads((folder / RELEASES / version / MANIFEST).read_text(encoding="utf-8"))
    return str(manifest["revision"])


def lay_down(folder: Path, bundle: Path, revision: str) -> str:
    """Make a release of a bundle, whole or not at all; its version. One that is there already is left as it is.

    Raises:
        BundleError: it does not answer as it should.
    """
    draft = folder / RELEASES / f".draft-{os.getpid()}"
    try:
        shutil.copytree(bundle, draft)
        manifest = json.loads((draft / MANIFEST).read_text(encoding="utf-8"))
        text = json.dumps({"revision": revision} | manifest, indent=1, allow_nan=False) + "\n"
        (draft / MANIFEST).unlink()  # a copy may be a link into DVC's cache
        (draft / MANIFEST).write_text(text, encoding="utf-8")
        answering_bundle(draft)
        version = hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
        if not (folder / RELEASES / version).exists():
            _on_disk(draft)
            draft.rename(folder / RELEASES / version)
        return version
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def discard(folder: Path, version: str) -> None:
    """Remove a release that was never to be served."""
    if all(one.version != version for one in read_history(folder).promotions):
        shutil.rmtree(folder / RELEASES / version, ignore_errors=True)


def exchange(folder: Path, one: Promotion) -> None:
    """Serve another release, which has answered once more, and note it.

    Raises:
        BundleError: it does not answer as it should; nothing is changed.
    """
    answering_bundle(folder / RELEASES / one.version)
    begin(folder, one)
    _point(folder, one.version)
    end(folder, one.number, "done")


def _point(folder: Path, version: str) -> None:
    fresh = folder / f".{CHAMPION}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path(RELEASES) / version)
    fresh.replace(folder / CHAMPION)
    _synced(folder)


def _settle(folder: Path) -> None:
    """The link says what became of a promotion that was begun."""
    for draft in (folder / RELEASES).glob(".draft-*"):
        shutil.rmtree(draft, ignore_errors=True)
    one = read_history(folder).unsettled
    if one is not None:
        end(folder, one.number, "done" if champion(folder) == one.version else "abandoned")


def _on_disk(folder: Path) -> None:
    for file in folder.iterdir():
        _synced(file)
    _synced(folder)


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
