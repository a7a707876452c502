"""The folder of what is served: releases, each a bundle that never changes, and a link to the one that answers.

    champion -> releases/<version>      what `forestall serve --bundle <folder>/champion` watches
    challenger -> releases/<version>    what scores beside it; see `shadow`
    releases/<version>/                 a bundle whose manifest names its revision
    history.jsonl                       see `history`

An exchange of the link is one rename: whenever a process is killed, the old release answers, or the new one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forestall.errors import ForestallError
from forestall.retraining.alone import alone
from forestall.retraining.history import Promotion, begin, end, read_history
from forestall.serving.answering import answering_bundle, version_of
from forestall.serving.beside import CHALLENGER
from forestall.serving.beside import CHAMPION as CHAMPION
from forestall.serving.bundle import MANIFEST, BundleError, manifest_text

RELEASES, LOCK = "releases", "lock"


class DamagedError(BundleError):
    """A release is not what it was."""


@contextmanager
def exclusively(folder: Path) -> Iterator[None]:
    """Nobody else changes the folder meanwhile; what a killed process left half done is settled first.

    Raises:
        ForestallError: somebody else is at it, or nothing can be written there.
    """
    try:
        (folder / RELEASES).mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise ForestallError(
            f"{folder}: nothing can be written there ({error.strerror}). Ask for the right to, or name another folder "
            "by --served."
        ) from error
    with alone(lock, f"{folder}: another promotion"):
        _settle(folder)
        yield


def champion(folder: Path) -> str:
    """The version that is served; empty if there is none.

    Raises:
        ForestallError: something else is there under its name.
    """
    return _pointed(folder / CHAMPION)


def challenger(folder: Path) -> str:
    """The version that scores beside it; empty if there is none; raises as `champion` does."""
    return _pointed(folder / CHALLENGER)


def revision_of(folder: Path, version: str) -> str:
    """The commit that made a release.

    Raises:
        DamagedError: it does not say so any more.
    """
    file = folder / RELEASES / version / MANIFEST
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["revision"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(file.parent, error) from error


def lay_down(folder: Path, bundle: Path, revision: str) -> str:
    """Make a release of a bundle, whole or not at all; its version. One that answers already is left as it is.

    Raises:
        BundleError: it does not answer as it should.
        ForestallError: it cannot be written, as on a full disk.
    """
    draft = folder / RELEASES / f".draft-{os.getpid()}"
    try:
        _copy(bundle, draft)
        manifest = json.loads((draft / MANIFEST).read_text(encoding="utf-8"))
        text = manifest_text({"revision": revision} | manifest)
        (draft / MANIFEST).unlink()  # a copy may be a link into DVC's cache
        (draft / MANIFEST).write_text(text, encoding="utf-8")
        answering_bundle(draft)
        version = version_of(draft)
        if not _answers(folder / RELEASES / version):
            _on_disk(draft)
            shutil.rmtree(folder / RELEASES / version, ignore_errors=True)
            draft.rename(folder / RELEASES / version)
        return version
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def discard(folder: Path, version: str) -> None:
    """Remove a release, if nothing was ever begun with it, and it is not in shadow."""
    if version != challenger(folder) and all(
        one.version != version for one in read_history(folder).promotions
    ):
        shutil.rmtree(folder / RELEASES / version, ignore_errors=True)


def exchange(folder: Path, one: Promotion) -> None:
    """Serve another release, which has answered once more, and note it.

    Raises:
        DamagedError: it does not answer as it should; nothing is changed.
    """
    try:
        answering_bundle(folder / RELEASES / one.version)
    except BundleError as error:
        raise _damaged(folder / RELEASES / one.version, error, one.revision) from error
    begin(folder, one)
    _point(folder, CHAMPION, one.version)
    end(folder, one.number, "done")
    _end_own_shadow(folder)


def put_in_shadow(folder: Path, version: str) -> None:
    """Let a release score beside the one that is served, in the place of another one.

    Raises:
        ForestallError: something else is there under the link's name.
    """
    before = challenger(folder)
    if before != version:
        _point(folder, CHALLENGER, version)
        if before:
            discard(folder, before)


def end_shadow(folder: Path) -> str:
    """Let nothing score beside the one that is served; the version that did, empty if there was none.

    Raises:
        ForestallError: something else is there under the link's name.
    """
    version = challenger(folder)
    if version:
        (folder / CHALLENGER).unlink()
        _synced(folder)
        discard(folder, version)
    return version


def _copy(bundle: Path, draft: Path) -> None:
    try:
        shutil.copytree(bundle, draft)
    except shutil.Error as error:  # one for each file, in a list
        *_, why = error.args[0][0]
        raise ForestallError(f"The release cannot be written: {why}") from error


def _answers(release: Path) -> bool:
    try:
        answering_bundle(release)
    except BundleError:
        return False
    return True


def _damaged(release: Path, error: Exception, revision: str = "") -> DamagedError:
    return DamagedError(
        f"{release} is damaged ({str(error).removesuffix('.')}). `forestall promote {revision[:12] or 'REV'} --force "
        "REASON` makes a commit's release anew, and serves it."
    )


def _pointed(link: Path) -> str:
    if link.is_symlink():
        target = link.parent / link.readlink()
        # Anything else must not be taken for a release, least of all by what discards one.
        if target.parent.resolve() == (link.parent / RELEASES).resolve() and target.name != "..":
            return target.name
    if link.is_symlink() or link.exists():
        raise ForestallError(
            f"{link} is no link to a release. Move it away, then promote what is to be served."
        )
    return ""


def _point(folder: Path, name: str, version: str) -> None:
    fresh = folder / f".{name}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path(RELEASES) / version)
    fresh.replace(folder / name)
    _synced(folder)


def _end_own_shadow(folder: Path) -> None:
    """What is served does not stand beside itself."""
    link = folder / CHALLENGER
    if link.is_symlink() and challenger(folder) == champion(folder):
        end_shadow(folder)


def _settle(folder: Path) -> None:
    """The link says what became of a promotion that was begun."""
    for draft in (folder / RELEASES).glob(".draft-*"):
        shutil.rmtree(draft, ignore_errors=True)
    one = read_history(folder).unsettled
    if one is not None:
        end(folder, one.number, "done" if champion(folder) == one.version else "abandoned")
    _end_own_shadow(folder)


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
